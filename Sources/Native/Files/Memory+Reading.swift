internal import Glibc

extension Memory {
    /// Reads a whole file into memory of its own.
    ///
    /// Unlike a mapping, the bytes stay what they are when another program shortens the file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - limit: bytes at most; of a longer file nothing is read.
    /// - Throws: `NativeError` with code `.notFound`, `.limitExceeded`, `.resourceExhausted` or `.inputOutput`, also
    ///   where the path leads to no regular file.
    public init(reading path: String, limit: Int = .max) throws(NativeError) {
        // A pipe that nobody writes to would block otherwise.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw NativeError(
                .init(openingFailedWith: errno),
                "\(path): expected a readable file: \(systemErrorText())")
        }
        defer { close(descriptor) }
        var status = stat()
        // The system fills the structure that it is given the address of.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw NativeError(.inputOutput, "\(path): expected a regular file, found another thing")
        }
        let byteCount = Int(status.st_size)
        guard byteCount <= limit else {
            throw NativeError(
                .limitExceeded, "\(path): expected at most \(limit) bytes, found \(byteCount)")
        }
        let target = try MutableMemory(uncleared: byteCount)
        var filled = 0
        while filled < byteCount {
            // In bounds: `filled` is below the size of the block, which nobody else knows yet.
            let count = unsafe read(
                descriptor, target.unsafeAddress + filled, byteCount - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw NativeError(.inputOutput, "\(path): cannot be read: \(systemErrorText())")
            }
            if count == 0 { break }
            filled += count
        }
        let memory = target.finish()
        self = memory.slice(offset: 0, byteCount: filled) ?? memory
    }
}
