/// A model that cannot classify, or a result that is none.
public struct InferenceError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// The weight file lacks tensors that the network needs.
        case missingParameters
        /// There are not as many class names as classes.
        case classNameCount
        /// A file of class names cannot be read.
        case invalidClassNames
        /// An option or an argument is out of its range.
        case invalidOption
        /// The network's results are not finite numbers.
        case nonFinite
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
