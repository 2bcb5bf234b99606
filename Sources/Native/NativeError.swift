internal import Glibc

/// A failure reported by the operating system or by a native library.
public struct NativeError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, for callers that branch.
    public enum Code: String, Sendable, CaseIterable {
        /// A file, a device or a library is not there.
        case notFound
        /// The operating system refused an operation on a file.
        case inputOutput
        /// Memory or another resource could not be had.
        case resourceExhausted
        /// A library was given a request that it does not support.
        case unsupported
        /// A library was given something that does not fit: too little, of the wrong kind, used up.
        case invalidArgument
        /// Bytes that a decoder was given are damaged.
        case malformed
        /// Something exceeds a limit that the caller set.
        case limitExceeded
        /// A library reported a failure of its own.
        case libraryFailure
        /// A server could not be reached, or broke off.
        case networkFailure
        /// Something took longer than the limit that the caller set.
        case timedOut
        /// The caller gave up.
        case cancelled
        /// The caller's rule forbids to dial an address, or a file's name is not safe to follow.
        case addressRefused
    }

    /// What went wrong.
    public let code: Code
    /// What a person reads: the thing, what was expected, what was found, what to do.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

extension NativeError.Code {
    /// The code for what the system says where a file or folder cannot be opened.
    ///
    /// - Parameter number: the system's `errno`.
    package init(openingFailedWith number: Int32) {
        self =
            switch number {
            case ENOENT: .notFound
            // No memory, or as many open files as the process or the system may have.
            case ENOMEM, EMFILE, ENFILE: .resourceExhausted
            default: .inputOutput
            }
    }
}
