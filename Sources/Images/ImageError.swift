/// A picture that cannot be decoded, changed or encoded.
public struct ImageError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// There is no such file.
        case notFound
        /// The file is there but cannot be read.
        case unreadable
        /// The bytes are no JPEG, PNG or WebP.
        case unrecognizedFormat
        /// A limit of `DecodeLimits` is exceeded.
        case limitExceeded
        /// The bytes cannot be decoded into a whole picture.
        case malformed
        /// The bytes are damaged, but give a picture where `DamagePolicy.accept` is asked for.
        case damaged
        /// A valid file of a kind that is not decoded.
        case unsupported
        /// A size, a quality or a number of bytes that makes no picture.
        case invalidArgument
        /// The system has no memory left.
        case resourceExhausted
    }

    /// What went wrong.
    public let code: Code
    /// What a person reads.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
