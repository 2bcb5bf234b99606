/// How far training has come: what a schedule is a function of.
public struct TrainingTime: Sendable, Hashable {
    /// Steps done before this one, 0 for the first.
    public var step: Int
    /// Steps in an epoch.
    public var stepsPerEpoch: Int

    /// Tells a time.
    ///
    /// - Precondition: `step` is at least 0, `stepsPerEpoch` at least 1.
    public init(step: Int, stepsPerEpoch: Int) {
        precondition(step >= 0 && stepsPerEpoch >= 1, "time starts at step 0 of epochs with steps")
        self.step = step
        self.stepsPerEpoch = stepsPerEpoch
    }

    /// The start of an epoch, 0 for the first.
    public init(epoch: Int, stepsPerEpoch: Int) {
        self.init(step: epoch * stepsPerEpoch, stepsPerEpoch: stepsPerEpoch)
    }

    /// Epochs done before the present one, 0 during the first.
    public var epoch: Int { step / stepsPerEpoch }
}

/// A stretch of training.
public enum TrainingSpan: Sendable, Hashable {
    /// Passes over the data.
    case epochs(Double)
    /// Optimizer updates.
    case steps(Int)

    /// Its length in steps, rounded down.
    public func stepCount(stepsPerEpoch: Int) -> Int {
        switch self {
        case .epochs(let epochs): Int((Double(stepsPerEpoch) * epochs).rounded(.down))
        case .steps(let steps): steps
        }
    }

    /// Its length in epochs.
    public func epochCount(stepsPerEpoch: Int) -> Double {
        switch self {
        case .epochs(let epochs): epochs
        case .steps(let steps): Double(steps) / Double(stepsPerEpoch)
        }
    }

    /// Whether it is finite, not negative, and short enough to count.
    var isSensible: Bool {
        switch self {
        case .epochs(let epochs): epochs >= 0 && epochs <= 1e9
        case .steps(let steps): steps >= 0 && steps <= 1 << 52
        }
    }
}
