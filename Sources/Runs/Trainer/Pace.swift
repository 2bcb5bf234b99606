import Training

/// How fast and how well the last steps went, of this process.
struct Pace {
    private var intervalStart: ContinuousClock.Instant
    private var intervalImages = 0
    private var last: ContinuousClock.Instant
    /// Pictures a second, smoothed.
    private(set) var rate = 0.0
    /// The loss, smoothed.
    private(set) var loss = 0.0
    /// The accuracy, smoothed.
    private(set) var top1 = 0.0
    private var weight = 0.0
    private var rateWeight = 0.0

    init(now: ContinuousClock.Instant) {
        intervalStart = now
        last = now
    }

    /// Adds a step.
    mutating func add(_ metrics: StepMetrics, now: ContinuousClock.Instant) {
        intervalImages += metrics.imageCount
        let seconds = (now - last) / .seconds(1)
        last = now
        // The mean of the first steps, then an average over about twenty.
        weight = min(20, weight + 1)
        loss += (metrics.loss - loss) / weight
        top1 += (Double(metrics.top1Count) / Double(max(1, metrics.imageCount)) - top1) / weight
        guard seconds > 0 else { return }
        rateWeight = min(20, rateWeight + 1)
        rate += (Double(metrics.imageCount) / seconds - rate) / rateWeight
    }

    /// Pictures a second since the last call, and a new interval.
    mutating func takeInterval(now: ContinuousClock.Instant) -> Double {
        let seconds = (now - intervalStart) / .seconds(1)
        defer {
            intervalStart = now
            intervalImages = 0
        }
        return seconds > 0 ? Double(intervalImages) / seconds : 0
    }

    /// Leaves time out that was not spent on training.
    mutating func pause(_ duration: Duration) {
        intervalStart += duration
        last += duration
    }
}
