internal import CSystem
internal import Glibc

/// What lies at a path.
public enum FileKind: Sendable, Hashable {
    /// A file with bytes.
    case regular
    /// A folder.
    case folder
    /// A symbolic link; only where links are not followed.
    case link
    /// A device, a pipe, a socket.
    case other
    /// Something whose name is not UTF-8, so that no path leads to it; only in `folderContents`, with a repaired name.
    case unreachable

    /// What lies at a path, at the end of symbolic links; `nil` where nothing does or it cannot be seen.
    public init?(atPath path: String) {
        var status = stat()
        // The system fills the structure that it is given the address of.
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(mode: status.st_mode)
    }

    private init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .folder
        case S_IFLNK: self = .link
        default: self = .other
        }
    }

    /// What lies at a path, links not followed; `nil` where nothing does.
    public static func unfollowed(_ path: String) -> FileKind? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return FileKind(mode: status.st_mode)
    }
}

/// What tells a file or folder from every other, whatever the paths that lead to it.
public struct FileIdentity: Sendable, Hashable {
    private let device: UInt
    private let number: UInt

    /// The identity of what lies at the end of a path and its symbolic links; `nil` where nothing does.
    public init?(atPath path: String) {
        var status = stat()
        // The system fills the structure that it is given the address of.
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
    }
}

/// The names in a folder with their kinds, links not followed, in the order of the names' bytes.
///
/// - Throws: `NativeError` with code `.notFound` or `.inputOutput`.
public func folderContents(
    atPath path: String
) throws(NativeError) -> [(name: String, kind: FileKind)] {
    guard let folder = unsafe opendir(path) else {
        throw NativeError(
            errno == ENOENT || errno == ENOTDIR ? .notFound : .inputOutput,
            "\(path): expected a folder that can be read: \(systemErrorText())")
    }
    var contents: [(name: String, kind: FileKind)] = []
    // `readdir` gives an entry that is valid until the next call, with a NUL-terminated name.
    while let entry = unsafe readdir(folder) {
        let (name, isText) = unsafe withUnsafePointer(to: &entry.pointee.d_name) { address in
            unsafe address.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                // Repaired where it is not UTF-8, and another name then.
                let text = unsafe String(validatingCString: name)
                let repaired = unsafe String(cString: name)
                return (text ?? repaired, text != nil)
            }
        }
        guard name != ".", name != ".." else { continue }
        let kind = isText ? FileKind.unfollowed(path + "/" + name) ?? .other : .unreachable
        contents.append((name, kind))
    }
    unsafe closedir(folder)
    return contents.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
}

/// Writes a file that is never seen half-written; a device or a pipe is written as it is.
///
/// - Throws: `NativeError` with code `.notFound` where its folder does not exist, else `.inputOutput`.
public func writeFile(_ bytes: Memory, toPath path: String) throws(NativeError) {
    guard FileKind(atPath: path) == .other else {
        var file = try ReplacementFile(replacing: path)
        try file.write(bytes)
        try file.commit()
        return
    }
    // The system reads the path, and `byteCount` bytes of the memory, during the calls only.
    let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
        throw NativeError(.inputOutput, "\(path): cannot be written: \(systemErrorText())")
    }
    let status = unsafe bytes.withUnsafeAddress { address in
        unsafe csystem_write_all(descriptor, address, bytes.byteCount)
    }
    let failure = systemErrorText()
    guard close(descriptor) == 0, status == 0 else {
        throw NativeError(.inputOutput, "\(path): cannot be written: \(failure)")
    }
}

/// Makes a folder, with those around it; one that is there is left as it is.
///
/// - Throws: `NativeError` with code `.inputOutput`.
public func createFolder(atPath path: String) throws(NativeError) {
    var prefix = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
        prefix += (prefix.isEmpty || prefix == "/" ? "" : "/") + part
        if FileKind(atPath: prefix) == .folder { continue }
        guard unsafe mkdir(prefix, 0o777) == 0 || errno == EEXIST else {
            throw NativeError(
                .inputOutput, "\(prefix): the folder cannot be created: \(systemErrorText())")
        }
    }
}
