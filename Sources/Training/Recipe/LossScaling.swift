public import Graph

/// What the loss is multiplied with before gradients are computed, so that small ones do not vanish in a narrow
/// type; the optimizer divides them again.
///
/// float16 needs it, bfloat16 and float32 do not. Wherever there is one, a step whose gradients are not all finite
/// changes neither weights nor velocities; running statistics follow the batch all the same, as in PyTorch.
public enum LossScaling: Sendable, Hashable {
    /// None.
    case none
    /// One number for good.
    ///
    /// Source: NVIDIA's for TensorFlow, which does not skip such steps.
    case fixed(Double)
    /// A number that grows while gradients are finite and backs off where they are not.
    ///
    /// Source: PyTorch's `GradScaler`, whose first scale is 65536; NVIDIA's for PyTorch starts at 128 and grows
    /// after 100 steps.
    case dynamic(initial: Double = 65536, rule: LossScaleRule = LossScaleRule())
}

/// A second set of weights that follows the trained ones slowly.
///
/// After each step `average += (1 - decay) * (weights - average)`, running statistics included.
public struct WeightAveraging: Sendable, Hashable {
    /// The share of the average that stays.
    public var decay: Double
    /// Whether the decay is smaller at first: `min(decay, (1 + step) / (10 + step))`.
    public var isGradual: Bool

    /// Describes an average.
    public init(decay: Double, isGradual: Bool = true) {
        self.decay = decay
        self.isGradual = isGradual
    }

    /// The share that a step's new weights get.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, PyTorch ConvNets, `EMA` in `common.py`; it counts
    /// micro-batches where this counts steps.
    ///
    /// - Parameter step: steps done before this one.
    public func share(step: Int) -> Double {
        1 - (isGradual ? min(decay, Double(1 + step) / Double(10 + step)) : decay)
    }
}
