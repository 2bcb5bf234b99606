/// The learning rate as a pure function of time: a warm-up to a peak, then a decay.
public struct LearningRateSchedule: Sendable, Hashable {
    /// How often the rate changes.
    public enum Interval: String, Sendable, Hashable, CaseIterable {
        /// At the start of each epoch.
        case epoch
        /// At each step.
        case step
    }

    /// How the rate falls from its peak.
    ///
    /// `progress` below runs from 0 to 1 over the decay, and stays 1 after it.
    public enum Decay: Sendable, Hashable {
        /// Not at all.
        case constant
        /// `peak * factor^n` once `n` of the milestones, counted from the start of training, are reached.
        case step(factor: Double, milestones: [TrainingSpan])
        /// `peak + (end - peak) * progress`.
        case linear(end: Double = 0)
        /// `end + (peak - end) * 0.5 * (1 + cos(π * progress))`.
        case cosine(end: Double = 0)
        /// `end + (peak - end) * (1 - progress)^power`.
        case polynomial(power: Double, end: Double = 0)
    }

    /// How the rate rises to its peak.
    public struct Warmup: Sendable, Hashable {
        /// What the first rate is, `t` counting intervals from 0 and `W` being the warm-up's.
        public enum Start: String, Sendable, Hashable, CaseIterable {
            /// `peak * (s + (1 - s) * t / W)` with the first share `s`, 0 unless another is given: the peak comes right
            /// after the warm-up.
            case zero
            /// `peak * (t + 1) / W`: the last rate of the warm-up is the peak.
            case firstPart
        }

        /// How long it is; none by default.
        public var length: TrainingSpan
        /// What the first rate is.
        public var start: Start
        /// The first rate as a share of the peak, where it starts at `.zero`.
        public var firstShare: Double
        /// Whether the decay starts with training, hidden by the warm-up at first, rather than after the warm-up.
        public var decayStartsWithTraining: Bool

        /// Describes a warm-up.
        public init(
            length: TrainingSpan = .steps(0), start: Start = .zero, firstShare: Double = 0,
            decayStartsWithTraining: Bool = false
        ) {
            self.length = length
            self.start = start
            self.firstShare = firstShare
            self.decayStartsWithTraining = decayStartsWithTraining
        }
    }

    /// The highest rate.
    public var peak: Double
    /// From the start of training, warm-up included, to the end of the decay.
    public var length: TrainingSpan
    /// How often the rate changes.
    public var interval: Interval
    /// How the rate rises.
    public var warmup: Warmup
    /// How it falls.
    public var decay: Decay

    /// Makes a schedule.
    ///
    /// - Throws: `TrainingError` with code `.invalidRecipe` where a rate, a factor or a power is not a finite
    ///   number of at least 0, a length is negative, or the warm-up is longer than the whole.
    public init(
        peak: Double, length: TrainingSpan, interval: Interval = .step,
        warmup: Warmup = Warmup(), decay: Decay = .constant
    ) throws(TrainingError) {
        self.init(
            trustedPeak: peak, length: length, interval: interval, warmup: warmup, decay: decay)
        try check()
    }

    /// Makes a schedule of numbers known to be sensible.
    init(
        trustedPeak peak: Double, length: TrainingSpan, interval: Interval, warmup: Warmup,
        decay: Decay
    ) {
        self.peak = peak
        self.length = length
        self.interval = interval
        self.warmup = warmup
        self.decay = decay
    }

    /// The rate at a time.
    public func learningRate(at time: TrainingTime) -> Double {
        let now = Double(interval == .epoch ? time.epoch : time.step)
        let warmupLength = intervals(in: warmup.length, time)
        if now < warmupLength {
            switch warmup.start {
            case .firstPart: return peak * (now + 1) / warmupLength
            case .zero:
                let share = warmup.firstShare
                return share == 0
                    ? peak * now / warmupLength
                    : peak * (share + (1 - share) * now / warmupLength)
            }
        }
        let start = warmup.decayStartsWithTraining ? 0 : warmupLength
        let decayLength = intervals(in: length, time) - start
        let progress = decayLength > 0 ? min((now - start) / decayLength, 1) : 1
        switch decay {
        case .constant: return peak
        case .step(let factor, let milestones):
            let reached = milestones.count { intervals(in: $0, time) <= now }
            return (0..<reached).reduce(peak) { rate, _ in rate * factor }
        case .linear(let end): return peak + (end - peak) * progress
        case .cosine(let end):
            return end + (peak - end) * 0.5 * (1 + cosine(Double.pi * progress))
        case .polynomial(let exponent, let end):
            return end + (peak - end) * power(1 - progress, exponent)
        }
    }

    /// The length of a span in what the rate changes by: whole steps, or epochs.
    private func intervals(in span: TrainingSpan, _ time: TrainingTime) -> Double {
        switch interval {
        case .epoch: span.epochCount(stepsPerEpoch: time.stepsPerEpoch)
        case .step: Double(span.stepCount(stepsPerEpoch: time.stepsPerEpoch))
        }
    }

    private func check() throws(TrainingError) {
        try Self.require(peak, "peak learning rate")
        try Self.require(warmup.firstShare, "first share of the warm-up")
        var spans = [("length", length), ("warm-up", warmup.length)]
        switch decay {
        case .constant: break
        case .step(let factor, let milestones):
            try Self.require(factor, "factor of the decay")
            spans += milestones.map { ("milestone", $0) }
        case .linear(let end), .cosine(let end): try Self.require(end, "end learning rate")
        case .polynomial(let power, let end):
            try Self.require(power, "power of the decay")
            try Self.require(end, "end learning rate")
        }
        for (name, span) in spans where !span.isSensible {
            throw TrainingError(
                .invalidRecipe,
                "\(name) of the schedule: expected a finite span of at least 0, found \(span)")
        }
        let isTooLong =
            switch (warmup.length, length) {
            case (.epochs(let part), .epochs(let whole)): part > whole
            case (.steps(let part), .steps(let whole)): part > whole
            default: false
            }
        if isTooLong {
            throw TrainingError(
                .invalidRecipe,
                "warm-up of the schedule: expected at most the whole \(length), "
                    + "found \(warmup.length)")
        }
    }

    private static func require(_ value: Double, _ name: String) throws(TrainingError) {
        guard value.isFinite, value >= 0 else {
            throw TrainingError(
                .invalidRecipe,
                "\(name): expected a finite number of at least 0, found \(value)")
        }
    }
}
