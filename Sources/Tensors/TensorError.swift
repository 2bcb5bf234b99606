/// A tensor that cannot be made or read as asked.
public struct TensorError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// An extent is negative or the number of elements overflows.
        case invalidShape
        /// The bytes are not as many as the shape and element type need.
        case sizeMismatch
        /// The operation does not take this element type.
        case unsupportedElementType
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
