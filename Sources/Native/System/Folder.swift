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

    /// What lies at a path, links not followed.
    fileprivate static func unfollowed(_ path: String) -> FileKind? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return FileKind(mode: status.st_mode)
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
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { address in
            unsafe address.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                unsafe String(cString: name)
            }
        }
        guard name != ".", name != ".." else { continue }
        let kind = FileKind.unfollowed(path + "/" + name)
        contents.append((name, kind ?? .other))
    }
    unsafe closedir(folder)
    return contents.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
}

/// Writes a file: first under another name, then in its place, so that it is never seen half-written.
///
/// - Throws: `NativeError` with code `.notFound` where it cannot be created, `.inputOutput` where the bytes
///   cannot be written.
public func writeFile(_ bytes: borrowing Span<UInt8>, toPath path: String) throws(NativeError) {
    // A device or a pipe is written as it is.
    let isDirect = FileKind(atPath: path) == .other
    let target = isDirect ? path : "\(path).\(getpid()).part"
    let descriptor = unsafe open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
        throw NativeError(
            .notFound, "\(path): cannot be created: \(systemErrorText())")
    }
    var written = 0
    var failure: String?
    while written < bytes.count, failure == nil {
        // In bounds: `written` is below the count.
        let count = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe Glibc.write(descriptor, base + written, buffer.count - written)
        }
        if count < 0, errno != EINTR { failure = systemErrorText() }
        written += max(0, count)
    }
    if close(descriptor) != 0, failure == nil { failure = systemErrorText() }
    if !isDirect, failure == nil, unsafe rename(target, path) != 0 { failure = systemErrorText() }
    guard let failure else { return }
    if !isDirect { unsafe unlink(target) }
    throw NativeError(.inputOutput, "\(path): cannot be written: \(failure)")
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
