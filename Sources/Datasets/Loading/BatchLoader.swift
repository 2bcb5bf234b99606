import Native
import Synchronization

/// Reads, decodes and transforms pictures on threads of its own, and hands them out in batches.
///
/// The batches of an epoch are a pure function of options, epoch and step: any number of workers gives the same bytes, and
/// loading goes on at any step. At most `prefetch` batches are in memory beside the one handed out. Workers run with low
/// priority, so that they use what computing leaves, and all of the machine while it waits for them.
///
/// A file that ends early, or that gives no picture, is bad; one whose decoder found other damage is used and counted.
public final class BatchLoader: Sendable {
    /// A batch's place.
    private struct Place: Equatable {
        var epoch: Int
        var step: Int
    }

    private struct State {
        /// Batches under way, in order.
        var pending: [BatchInProgress] = []
        /// What is handed out next.
        var next = Place(epoch: 0, step: 0)
        /// What is begun next.
        var ahead = Place(epoch: 0, step: 0)
        /// The order that `ahead` is in.
        var order: EpochOrder?
    }

    /// What is loaded.
    public let dataset: Dataset
    /// How it is loaded.
    public let options: LoaderOptions
    /// Batches in an epoch; where partial ones are kept and bad pictures left out, there may be fewer.
    public let stepsPerEpoch: Int

    private let queue: WorkQueue
    private let reader: SampleReader
    private let reports: SampleReports
    private let state = Mutex(State())

    /// Starts the workers, which wait for the first call of `next`.
    ///
    /// - Throws: `DatasetError` with code `.invalidOption` where a number makes no sense or the data set is empty,
    ///   `.resourceExhausted` where no threads are to be had.
    public init(_ dataset: Dataset, options: LoaderOptions) throws(DatasetError) {
        guard !dataset.samples.isEmpty else {
            throw DatasetError(.invalidOption, "\(dataset.name): expected pictures, found none")
        }
        let count = dataset.samples.count
        try options.check(sampleCount: count)
        self.dataset = dataset
        self.options = options
        stepsPerEpoch =
            options.keepsPartialBatch
            ? (count + options.batch - 1) / options.batch : count / options.batch
        reader = SampleReader(dataset: dataset, options: options)
        reports = SampleReports(dataset: dataset, maximumBadShare: options.maximumBadShare)
        do {
            queue = try WorkQueue(
                name: "loading", threadCount: options.workers, isBackground: true)
        } catch {
            throw DatasetError(.resourceExhausted, error.message)
        }
    }

    deinit {
        state.withLock { state in
            for batch in state.pending { batch.abandon() }
        }
    }

    /// From here on, `next` gives the batches of an epoch.
    ///
    /// What was read ahead is kept where it is what comes next, as at the start of the following epoch.
    ///
    /// - Parameters:
    ///   - epoch: from 0.
    ///   - step: the first batch to give, from 0.
    public func start(epoch: Int, step: Int = 0) {
        precondition(epoch >= 0 && step >= 0, "epoch and step count from 0")
        state.withLock { state in
            let place = Place(epoch: epoch, step: step)
            state.next = place
            if let first = state.pending.first,
                Place(epoch: first.order.epoch, step: first.step) == place
            {
                return
            }
            for batch in state.pending { batch.abandon() }
            state.pending = []
            state.ahead = place
        }
    }

    /// The next batch of the epoch; `nil` after its last.
    ///
    /// Blocks until it is there. Whether too many pictures are bad is decided here, batch after batch, so that it does not
    /// depend on how far the workers have read ahead.
    ///
    /// - Throws: `DatasetError` with code `.tooManyBad`, or `.resourceExhausted` where memory or open files are short.
    public func next() throws(DatasetError) -> LoadedBatch? {
        while let batch = advance() {
            let contents = try batch.take().get()
            try reports.count(contents)
            if let loaded = contents.batch { return loaded }
            // A place that must not be empty is, although all samples were tried for it.
            guard options.keepsPartialBatch else { throw reports.tooManyBad() }
        }
        return nil
    }

    /// The samples left out of the batches so far because they are bad, in the data set's order.
    public var skipped: [SkippedSample] { reports.bad }

    /// The samples used in the batches so far although the decoder found damage, in the data set's order.
    public var damaged: [SkippedSample] { reports.damaged }

    /// Takes the next batch and sees that enough are under way.
    private func advance() -> BatchInProgress? {
        state.withLock { state in
            guard state.next.step < stepsPerEpoch else { return nil }
            state.next.step += 1
            fillUp(&state, count: 1)
            let batch = state.pending.removeFirst()
            fillUp(&state, count: options.prefetch)
            return batch
        }
    }

    private func fillUp(_ state: inout State, count: Int) {
        while state.pending.count < count {
            if state.ahead.step >= stepsPerEpoch {
                // What is measured by is read once; what is learnt from goes on.
                guard options.shuffles else { return }
                state.ahead = Place(epoch: state.ahead.epoch + 1, step: 0)
            }
            let order =
                if let order = state.order, order.epoch == state.ahead.epoch {
                    order
                } else {
                    EpochOrder(
                        epoch: state.ahead.epoch, count: dataset.samples.count, options: options)
                }
            state.order = order
            let batch = BatchInProgress(
                order: order, step: state.ahead.step, reader: reader, reports: reports)
            for slot in batch.slots { queue.submit { batch.fill(slot) } }
            state.pending.append(batch)
            state.ahead.step += 1
        }
    }
}
