internal import COneDNN
internal import CSystem

/// oneDNN 3.x, loaded at run time.
///
/// It is looked for where `RESNET_ONEDNN_LIBRARY` says, beside the program (`../lib`), in the package's own
/// `.native` folder above the program, and among the system's libraries.
public enum OneDNN {
    /// Loads the library, unless it is loaded.
    ///
    /// - Throws: `NativeError` with code `.notFound` and where it was looked for.
    public static func load() throws(NativeError) {
        let paths = candidates()
        var message = [CChar](repeating: 0, count: 1024)
        let count = message.count
        let loaded = unsafe withCStrings(paths) { pointers in
            // The shim writes at most `count` bytes, ending with a zero, and keeps no pointer.
            unsafe conednn_load(pointers, Int32(paths.count), &message, count)
        }
        guard loaded else {
            let reason = text(of: message)
            throw NativeError(
                .notFound,
                "oneDNN 3.x was not found (\(reason)); `make build` fetches it, or set RESNET_ONEDNN_LIBRARY"
            )
        }
    }

    /// Whether the library is or can be loaded.
    public static var isAvailable: Bool {
        do {
            try load()
            return true
        } catch {
            return false
        }
    }

    /// Where the library was found; empty before it is loaded.
    public static var path: String { unsafe String(cString: conednn_path()) }

    /// As in `3.2.0`; zeros before the library is loaded.
    public static var version: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        unsafe conednn_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// Where the library may be; never the current folder, which may be a stranger's.
    private static func candidates() -> [String] {
        var paths: [String] = []
        if let named = environmentVariable("RESNET_ONEDNN_LIBRARY"), !named.isEmpty {
            paths.append(named)
        }
        var folder = executableFolder()
        paths.append("\(folder)/../lib/libdnnl.so.3")
        // A build product lies some folders below the package: .build/<platform>/<configuration>.
        for _ in 0..<5 where folder.count > 1 {
            paths.append("\(folder)/.native/onednn/lib/libdnnl.so.3")
            folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
        }
        paths.append("libdnnl.so.3")
        return paths
    }
}

/// The text before the first zero of a C buffer.
func text(of buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The folder of the running program, links resolved; empty where it cannot be told.
func executableFolder() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    guard unsafe csystem_executable_path(&buffer, buffer.count) else { return "" }
    let path = text(of: buffer)
    return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
}

/// Calls `body` with C strings that are valid during the call.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let storage = strings.map { Array($0.utf8CString) }
    return unsafe withPointers(storage[...], []) { pointers in unsafe body(pointers) }
}

private func withPointers<Result>(
    _ rest: ArraySlice<[CChar]>, _ pointers: [UnsafePointer<CChar>?],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    guard let first = rest.first else { return unsafe body(pointers) }
    return unsafe first.withUnsafeBufferPointer { buffer in
        unsafe withPointers(rest.dropFirst(), pointers + [buffer.baseAddress], body)
    }
}
