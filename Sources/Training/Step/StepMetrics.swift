/// What a step found.
public struct StepMetrics: Sendable, Hashable {
    /// The mean loss, of the weights before the step.
    public var loss: Double
    /// Images whose class had the largest logit.
    public var top1Count: Int
    /// Images whose class was among the five largest logits, or among all where there are fewer classes.
    public var top5Count: Int
    /// Images of the batch.
    public var imageCount: Int
    /// The norm of all gradients together before clipping, where the recipe clips.
    public var gradientNorm: Double?
    /// Whether weights stayed as they were, since gradients were not finite.
    public var wasSkipped: Bool
    /// The loss scale that the step used, where the recipe has one.
    public var lossScale: Double?

    /// Puts numbers together.
    public init(
        loss: Double, top1Count: Int, top5Count: Int, imageCount: Int,
        gradientNorm: Double? = nil, wasSkipped: Bool = false, lossScale: Double? = nil
    ) {
        self.loss = loss
        self.top1Count = top1Count
        self.top5Count = top5Count
        self.imageCount = imageCount
        self.gradientNorm = gradientNorm
        self.wasSkipped = wasSkipped
        self.lossScale = lossScale
    }
}
