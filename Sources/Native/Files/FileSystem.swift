internal import Glibc

/// Questions and changes that concern names in folders.
public enum FileSystem {
    /// The length of a regular file in bytes; `nil` where there is none.
    public static func byteCount(of path: String) -> Int? {
        var status = stat()
        // The kernel fills the structure that it is given the address of.
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return Int(status.st_size)
    }

    /// The path of what a path leads to, from the root and without links; `nil` where nothing is there.
    public static func realPath(_ path: String) -> String? {
        // The system allocates a NUL-terminated text, which is freed once it is copied.
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    /// Makes a folder, and those above it where they are missing.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public static func makeFolder(_ path: String) throws(NativeError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += (made.isEmpty || made.hasSuffix("/") ? "" : "/") + part
            let result = unsafe mkdir(made, mode_t(0o755))
            guard result == 0 || errno == EEXIST || errno == EROFS || errno == EACCES else {
                throw error(path, "made")
            }
        }
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw NativeError(
                .inputOutput, "\(path): expected a folder, and it cannot be made")
        }
    }

    /// Gives a file another name, in place of what had that name, and waits until the disk has it.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public static func replace(_ path: String, with newFile: String) throws(NativeError) {
        guard unsafe rename(newFile, path) == 0 else { throw error(path, "replaced") }
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw error(folder, "opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw error(folder, "written to disk") }
    }

    /// Removes a file; nothing happens where there is none.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public static func removeFile(_ path: String) throws(NativeError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw error(path, "removed") }
    }

    /// The text of a small file.
    ///
    /// - Throws: `NativeError` with code `.notFound` or `.inputOutput`.
    public static func text(of path: String) throws(NativeError) -> String {
        let file = try ReadableFile(path)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    private static func error(_ path: String, _ verb: String) -> NativeError {
        NativeError(.inputOutput, "\(path): cannot be \(verb): \(systemErrorText())")
    }
}
