import Execution

/// A step that was started and may still go on.
public struct PendingStep: Sendable {
    /// Which step of the state it is, from 0.
    public let index: Int
    let imageCount: Int
    var microBatches: [PendingNumbers] = []
    var update: PendingNumbers?

    init(index: Int, imageCount: Int) {
        self.index = index
        self.imageCount = imageCount
    }

    /// Waits until the step has ended.
    ///
    /// - Returns: what it found.
    /// - Throws: `TrainingError` with code `.nonFiniteLoss`, by when weights are spoilt, and so are those of steps that
    ///   were started since; `ExecutionError` where a device failed.
    public func metrics() throws -> StepMetrics {
        var sums = try microBatchSums()
        let loss = loss(sums)
        if let update { sums.merge(try update.numbers()) { _, second in second } }
        let wasSkipped = sums[StepNames.isFinite] == 0
        if !wasSkipped { try requireFinite(loss) }
        return StepMetrics(
            loss: loss, top1Count: Self.count(sums[StepNames.top1Count]),
            top5Count: Self.count(sums[StepNames.top5Count]), imageCount: imageCount,
            gradientNorm: sums[StepNames.squaredGradientNorm]?.squareRoot(),
            wasSkipped: wasSkipped, lossScale: sums[StepNames.lossScale])
    }

    /// Waits for the micro-batches, and throws where their loss is not finite.
    func requireFiniteLoss() throws { try requireFinite(loss(microBatchSums())) }

    private func microBatchSums() throws(ExecutionError) -> [String: Double] {
        var sums: [String: Double] = [:]
        for microBatch in microBatches {
            sums.merge(try microBatch.numbers(), uniquingKeysWith: +)
        }
        return sums
    }

    private func loss(_ sums: [String: Double]) -> Double {
        (sums[StepNames.loss] ?? .nan) / Double(microBatches.count)
    }

    private func requireFinite(_ loss: Double) throws(TrainingError) {
        guard loss.isFinite else {
            throw TrainingError(
                .nonFiniteLoss,
                "loss of step \(index): expected a finite number, found \(loss); go on from an "
                    + "earlier state with a lower learning rate")
        }
    }

    /// A count as a whole number: one that is a mean over replicas times their number may be a little off.
    private static func count(_ sum: Double?) -> Int { Int((sum ?? 0).rounded()) }
}
