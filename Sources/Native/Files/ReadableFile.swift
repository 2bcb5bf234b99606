internal import Glibc

/// A file open for reading from front to back.
public struct ReadableFile: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// Opens a file.
    ///
    /// - Throws: `NativeError` with code `.notFound` or `.inputOutput`.
    public init(_ path: String) throws(NativeError) {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        guard descriptor >= 0 else {
            throw NativeError(
                errno == ENOENT ? .notFound : .inputOutput,
                "\(path): cannot be opened: \(systemErrorText())")
        }
    }

    deinit { close(descriptor) }

    /// Reads the next bytes.
    ///
    /// - Parameter buffer: gets them, at most as many as it holds.
    /// - Returns: how many were read; 0 at the end.
    /// - Throws: `NativeError` with code `.inputOutput`.
    public func read(into buffer: inout [UInt8]) throws(NativeError) -> Int {
        while true {
            let capacity = buffer.count
            // The system writes at most as many bytes as the array holds.
            let count = unsafe buffer.withUnsafeMutableBytes { target in
                unsafe Glibc.read(descriptor, target.baseAddress, capacity)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw NativeError(.inputOutput, "\(path): cannot be read: \(systemErrorText())")
            }
            return count
        }
    }
}
