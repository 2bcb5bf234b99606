import Synchronization

/// Which samples were bad or damaged so far.
final class SampleReports: Sendable {
    private struct State {
        var bad: [Int: SkippedSample] = [:]
        var damaged: [Int: SkippedSample] = [:]
    }

    private let state = Mutex(State())
    private let dataset: Dataset
    private let maximumBadShare: Double

    init(dataset: Dataset, maximumBadShare: Double) {
        self.dataset = dataset
        self.maximumBadShare = maximumBadShare
    }

    /// Whether a sample is known to be bad.
    func isBad(_ position: Int) -> Bool { state.withLock { $0.bad[position] != nil } }

    /// Notes a sample that cannot be used.
    ///
    /// - Throws: `DatasetError` with code `.tooManyBad`.
    func noteBad(_ position: Int, reason: String) throws(DatasetError) {
        let sample = SkippedSample(name: dataset.samples[position].name, reason: reason)
        let count = state.withLock { state in
            state.bad[position] = sample
            return state.bad.count
        }
        guard Double(count) > maximumBadShare * Double(dataset.samples.count) else { return }
        throw tooManyBad(bad)
    }

    /// Notes a sample that is used although its file is damaged.
    func noteDamaged(_ position: Int, reason: String) {
        let sample = SkippedSample(name: dataset.samples[position].name, reason: reason)
        state.withLock { $0.damaged[position] = sample }
    }

    /// The samples that were left out, in the data set's order.
    var bad: [SkippedSample] { Self.ordered(state.withLock { $0.bad }) }

    /// The samples that were used with damage, in the data set's order.
    var damaged: [SkippedSample] { Self.ordered(state.withLock { $0.damaged }) }

    /// The error for a data set without a single good sample.
    func nothingGood() -> DatasetError { tooManyBad(bad) }

    private static func ordered(_ samples: [Int: SkippedSample]) -> [SkippedSample] {
        samples.sorted { $0.key < $1.key }.map { $0.value }
    }

    private func tooManyBad(_ bad: [SkippedSample]) -> DatasetError {
        let first = bad.prefix(5).map { "\n  \($0.name): \($0.reason)" }.joined()
        let percent = (maximumBadShare * 1e4).rounded() / 100
        return DatasetError(
            .tooManyBad,
            "\(dataset.name): expected at most \(percent) % bad pictures, found \(bad.count) of "
                + "\(dataset.samples.count) so far; mend or remove them, or permit more:\(first)")
    }
}
