import Native
import Synchronization

/// Looks at all samples of a data set, on all processors, in no order.
enum SampleSweep {
    /// Samples that a thread takes at a time.
    private static let chunk = 16

    /// Calls `body` with every position.
    ///
    /// - Parameters:
    ///   - count: how many positions there are.
    ///   - workers: how many threads look.
    ///   - cancellation: ends the sweep before the next samples.
    ///   - progress: called now and then with how many are done; one call at a time.
    ///   - body: called on several threads at a time.
    /// - Returns: the results by position.
    /// - Throws: `DatasetError` with code `.unreadable` where no thread can be had, or it was cancelled.
    static func run<Result: Sendable>(
        count: Int, workers: Int, cancellation: Cancellation,
        progress: @Sendable (_ done: Int) -> Void, body: @Sendable (Int) -> Result
    ) throws(DatasetError) -> [Result] {
        let team: ComputeTeam
        do {
            team = try ComputeTeam(
                threadCount: max(1, min(workers, (count + chunk - 1) / chunk)))
        } catch {
            throw DatasetError(.unreadable, error.message)
        }
        let next = Atomic(0)
        let found = Mutex<(done: Int, chunks: [(start: Int, results: [Result])])>((0, []))
        team.run { _ in
            while !cancellation.isCancelled {
                let start = next.add(chunk, ordering: .relaxed).oldValue
                guard start < count else { return }
                let results = (start..<min(start + chunk, count)).map(body)
                found.withLock { found in
                    found.chunks.append((start, results))
                    found.done += results.count
                    progress(found.done)
                }
            }
        }
        guard !cancellation.isCancelled else { throw DatasetError(.unreadable, "stopped") }
        return found.withLock { found in
            found.chunks.sort { $0.start < $1.start }
            return found.chunks.flatMap { $0.results }
        }
    }
}
