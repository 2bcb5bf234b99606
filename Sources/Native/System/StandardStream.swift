internal import Glibc

/// One of the three streams a process is started with.
public enum StandardStream: Int32, Sendable, CaseIterable {
    /// Where a program reads.
    case input = 0
    /// Where results go.
    case output = 1
    /// Where everything else goes.
    case error = 2

    /// Whether a person sits at the other end.
    public var isTerminal: Bool { isatty(rawValue) == 1 }

    /// The columns and rows of the terminal; `nil` where there is none.
    public var terminalSize: (columns: Int, rows: Int)? {
        var size = winsize()
        // The kernel fills the structure that it is given the address of.
        guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Writes all the bytes, at once, without a buffer in between.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public func write(_ bytes: borrowing Span<UInt8>) throws(NativeError) {
        var written = 0
        while written < bytes.count {
            // In bounds: `written` is below the count.
            let count = unsafe bytes.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return 0 }
                return unsafe Glibc.write(rawValue, base + written, buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var poll = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                _ = unsafe Glibc.poll(&poll, 1, -1)
                continue
            }
            guard count >= 0 else {
                throw NativeError(
                    .inputOutput, "standard \(self): cannot be written: \(systemErrorText())")
            }
            written += count
        }
    }

    /// Writes a text.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public func write(_ text: String) throws(NativeError) {
        try write(Array(text.utf8).span)
    }

    /// Reads to the end.
    ///
    /// - Parameter limit: the most bytes taken.
    /// - Throws: `NativeError` with code `.limitExceeded` where there are more, or `.inputOutput`.
    public func readToEnd(limit: Int) throws(NativeError) -> Memory {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let capacity = chunk.count
            // The system writes at most `capacity` bytes into the array.
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(rawValue, buffer.baseAddress, capacity)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw NativeError(
                    .inputOutput, "standard \(self): cannot be read: \(systemErrorText())")
            }
            if count == 0 { return Memory(copying: bytes) }
            guard bytes.count + count <= limit else {
                throw NativeError(
                    .limitExceeded, "standard \(self): holds more than \(limit) bytes")
            }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}
