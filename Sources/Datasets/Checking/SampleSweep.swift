import Native
import Synchronization

/// Looks at all samples of a data set, on all processors, in no order.
enum SampleSweep {
    /// Samples that a thread takes at a time.
    private static let chunk = 16

    /// Calls `body` with every position, until one throws.
    ///
    /// - Parameters:
    ///   - count: how many positions there are.
    ///   - workers: how many threads look.
    ///   - cancellation: ends the sweep before the next samples.
    ///   - progress: called now and then with how many are done; one call at a time.
    ///   - body: called on several threads at a time.
    /// - Returns: the results by position.
    /// - Throws: what `body` throws; `DatasetError` with code `.resourceExhausted` where no thread can be had, `.unreadable`
    ///   where it was cancelled.
    static func run<Result: Sendable>(
        count: Int, workers: Int, cancellation: Cancellation,
        progress: @Sendable (_ done: Int) -> Void,
        body: @Sendable (Int) throws(DatasetError) -> Result
    ) throws(DatasetError) -> [Result] {
        let team: ComputeTeam
        do {
            team = try ComputeTeam(
                threadCount: max(1, min(workers, (count + chunk - 1) / chunk)))
        } catch {
            throw DatasetError(.resourceExhausted, error.message)
        }
        let next = Atomic(0)
        let hasFailed = Atomic(false)
        let found = Mutex(SweepState<Result>())
        team.run { _ in
            while !cancellation.isCancelled, !hasFailed.load(ordering: .relaxed) {
                let start = next.add(chunk, ordering: .relaxed).oldValue
                guard start < count else { return }
                do throws(DatasetError) {
                    var results: [Result] = []
                    for position in start..<min(start + chunk, count) {
                        results.append(try body(position))
                    }
                    let piece = SweepState<Result>.Chunk(start: start, results: results)
                    found.withLock { found in
                        found.chunks.append(piece)
                        found.done += piece.results.count
                        progress(found.done)
                    }
                } catch {
                    hasFailed.store(true, ordering: .relaxed)
                    found.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        if let failure = found.withLock({ $0.failure }) { throw failure }
        guard !cancellation.isCancelled else { throw DatasetError(.unreadable, "stopped") }
        return found.withLock { found in
            found.chunks.sort { $0.start < $1.start }
            return found.chunks.flatMap { $0.results }
        }
    }
}

/// What the threads of a sweep have found so far.
private struct SweepState<Result: Sendable>: Sendable {
    /// The results of positions in a row.
    struct Chunk: Sendable {
        var start: Int
        var results: [Result]
    }

    var done = 0
    var chunks: [Chunk] = []
    var failure: DatasetError?
}
