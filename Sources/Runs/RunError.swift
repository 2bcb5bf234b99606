/// A run that cannot start, go on or be read.
public struct RunError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// A recipe or a choice that makes no sense.
        case invalidRecipe
        /// There is no run in the folder.
        case notARun
        /// The run in the folder was started with other settings.
        case settingsDiffer
        /// A checkpoint is damaged or of another network.
        case badCheckpoint
        /// Weights to start from are not all numbers.
        case badWeights
        /// A file of the run cannot be written.
        case cannotWrite
        /// The loss is no number, again and again.
        case nonFiniteLoss
        /// A temperature has no place in the file that shall keep it.
        case cannotStore
        /// A data set's classes are not those of the network.
        case labelMismatch
        /// The result of an evaluation cannot be read, or be written as JSON.
        case badEvaluation
        /// No picture of a data set can be read.
        case nothingToEvaluate
        /// The run was asked to stop, and can be gone on with.
        case stopped
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
