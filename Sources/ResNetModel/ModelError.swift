/// A set of weights that is not one of this module's networks.
public struct ModelError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// The tensors' names are not those of a ResNet.
        case notRecognised
        /// A relative of ResNet that this module does not build, such as ResNeXt.
        case unsupportedArchitecture
        /// A tensor has another shape than the architecture gives it.
        case shapeMismatch
        /// A variant or a size that there is not.
        case invalidOption
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
