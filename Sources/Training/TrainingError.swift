/// A step that cannot be made or run as asked.
public struct TrainingError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// A number of a recipe or a schedule is out of its range.
        case invalidRecipe
        /// The batch cannot be dealt out evenly to so many replicas.
        case invalidReplicaCount
        /// There are not as many class weights as classes.
        case classWeightCount
        /// A batch has another shape, or other targets, than the step takes.
        case batchMismatch
        /// A label is not that of a class.
        case labelOutOfRange
        /// An image's target is not a distribution over the classes.
        case invalidDistribution
        /// The learning rate is not a finite number of at least 0.
        case invalidLearningRate
        /// A tensor to start from is missing, or of another shape or element type.
        case stateMismatch
        /// Even the smallest micro-batch needs more memory than allowed.
        case memoryLimit
        /// The loss is not a finite number.
        case nonFiniteLoss
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
