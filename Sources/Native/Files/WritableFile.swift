internal import Glibc

/// A file open for writing at its end.
public struct WritableFile: ~Copyable {
    private let descriptor: Int32
    private let path: String
    /// The file's length in bytes.
    public private(set) var byteCount: Int

    /// Opens a file for appending, and makes it where it is not there.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public init(appendingTo path: String) throws(NativeError) {
        self.path = path
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode_t(0o644))
        byteCount = 0
        guard descriptor >= 0 else { throw Self.error(path, "opened for writing") }
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw Self.error(path, "measured") }
        byteCount = end
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes bytes at the end.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public mutating func write(_ bytes: borrowing Span<UInt8>) throws(NativeError) {
        var written = 0
        while written < bytes.count {
            // In bounds: `written` is below the count.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                guard let base = buffer.baseAddress else { return 0 }
                return unsafe Glibc.write(descriptor, base + written, buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error(path, "written") }
            written += count
            byteCount += count
        }
    }

    /// Cuts the file off.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public mutating func truncate(to byteCount: Int) throws(NativeError) {
        guard ftruncate(descriptor, byteCount) == 0 else { throw Self.error(path, "shortened") }
        self.byteCount = byteCount
    }

    /// Waits until what was written is on the disk.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public func synchronize() throws(NativeError) {
        guard fsync(descriptor) == 0 else { throw Self.error(path, "written to disk") }
    }

    private static func error(_ path: String, _ verb: String) -> NativeError {
        NativeError(.inputOutput, "\(path): cannot be \(verb): \(systemErrorText())")
    }
}
