import Synchronization

/// Which samples are known to be bad, and which were bad or damaged in the batches that were handed out.
///
/// Workers know of samples ahead of the batches that they come in; what is reported, and when there is too much of it, depends
/// on the batches alone, and so on nothing that time decides.
final class SampleReports: Sendable {
    private struct State {
        /// What workers found.
        var reasons: [Int: String] = [:]
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

    /// Why a sample is known to be bad; `nil` where it is not.
    func reason(_ position: Int) -> String? { state.withLock { $0.reasons[position] } }

    /// Remembers a sample that cannot be used.
    func remember(_ position: Int, reason: String) {
        state.withLock { $0.reasons[position] = reason }
    }

    /// Whether so many bad samples are more than accepted.
    func isTooMany(_ count: Int) -> Bool {
        Double(count) > maximumBadShare * Double(dataset.samples.count)
    }

    /// Counts the samples of a batch that is handed out.
    ///
    /// - Throws: `DatasetError` with code `.tooManyBad`.
    func count(_ contents: BatchInProgress.Contents) throws(DatasetError) {
        let (bad, damaged) = (named(contents.bad), named(contents.damaged))
        let count = state.withLock { state in
            state.bad.merge(bad) { first, _ in first }
            state.damaged.merge(damaged) { first, _ in first }
            return state.bad.count
        }
        if isTooMany(count) { throw tooManyBad() }
    }

    /// The samples that were left out, in the data set's order.
    var bad: [SkippedSample] { Self.ordered(state.withLock { $0.bad }) }

    /// The samples that were used with damage, in the data set's order.
    var damaged: [SkippedSample] { Self.ordered(state.withLock { $0.damaged }) }

    /// The error for a data set with more bad samples than permitted, or without a single good one.
    func tooManyBad() -> DatasetError {
        DatasetError(tooMany: bad, in: dataset, maximumShare: maximumBadShare)
    }

    private func named(_ reasons: [Int: String]) -> [Int: SkippedSample] {
        var named: [Int: SkippedSample] = [:]
        for (position, reason) in reasons {
            named[position] = SkippedSample(
                name: dataset.samples[position].name, reason: reason)
        }
        return named
    }

    private static func ordered(_ samples: [Int: SkippedSample]) -> [SkippedSample] {
        samples.sorted { $0.key < $1.key }.map { $0.value }
    }
}

extension DatasetError {
    /// The error of a data set in which too many samples are bad.
    ///
    /// - Parameters:
    ///   - bad: those that were found, in the data set's order.
    ///   - dataset: where they are.
    ///   - maximumShare: the share of its samples that may be bad.
    package init(tooMany bad: [SkippedSample], in dataset: Dataset, maximumShare: Double) {
        let first = bad.prefix(5).map { "\n  \($0.name): \($0.reason)" }.joined()
        let percent = (maximumShare * 1e4).rounded() / 100
        self.init(
            .tooManyBad,
            "\(dataset.name): expected at most \(percent) % bad pictures, found \(bad.count) of "
                + "\(dataset.samples.count) so far; mend or remove them, or permit more:\(first)")
    }
}
