/// A graph that cannot be compiled or run.
public struct ExecutionError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// A parameter of the graph was not given.
        case missingParameter
        /// An input or a parameter has another shape or element type than the graph states.
        case typeMismatch
        /// The back end does not do this operation in this element type.
        case unsupported
        /// The device, or a library it needs, is not there.
        case deviceUnavailable
        /// A library failed.
        case libraryFailure
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
