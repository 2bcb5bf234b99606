import Native
import Synchronization

/// Results a thread that are made ahead.
private let lead = 4

/// Makes something of each of many positions on threads of its own, and hands it out in order.
///
/// At most four results a thread are in memory, so whoever takes them does not wait for one slow position while the threads
/// have nothing to do, and memory does not grow where the threads are faster. What was begun when this is let go of is dropped.
package final class OrderedSweep<Element: Sendable> {
    private let count: Int
    private let window: Int
    private let queue: WorkQueue
    private let body: @Sendable (Int) throws(DatasetError) -> Element
    private let ending = Cancellation()
    private var pending: [Place<Element>] = []
    private var begun = 0

    /// Starts the threads, which wait for the first call of `next`.
    ///
    /// - Parameters:
    ///   - count: how many positions there are.
    ///   - workers: how many threads there are at most.
    ///   - body: called on several threads at a time.
    /// - Throws: `DatasetError` with code `.resourceExhausted` where no thread can be had.
    package init(
        count: Int, workers: Int, body: @escaping @Sendable (Int) throws(DatasetError) -> Element
    ) throws(DatasetError) {
        let threadCount = max(1, min(workers, count))
        self.count = count
        self.body = body
        window = lead * threadCount
        do {
            queue = try WorkQueue(name: "sweep", threadCount: threadCount)
        } catch {
            throw DatasetError(.resourceExhausted, error.message)
        }
    }

    deinit { ending.cancel() }

    /// The result of the next position; `nil` after the last.
    ///
    /// Blocks until it is there.
    ///
    /// - Throws: what `body` throws for this position.
    package func next() throws(DatasetError) -> Element? {
        while begun < count, pending.count < window {
            let (position, place) = (begun, Place<Element>())
            let (body, ending) = (body, ending)
            queue.submit {
                if !ending.isCancelled {
                    place.fill { () throws(DatasetError) -> Element in try body(position) }
                }
            }
            pending.append(place)
            begun += 1
        }
        guard !pending.isEmpty else { return nil }
        return try pending.removeFirst().take()
    }
}

/// Where a thread leaves what another waits for.
private final class Place<Element: Sendable>: Sendable {
    private let content = Mutex<Result<Element, DatasetError>?>(nil)
    private let isDone = Latch()

    func fill(_ body: () throws(DatasetError) -> Element) {
        let result: Result<Element, DatasetError>
        do throws(DatasetError) {
            result = .success(try body())
        } catch {
            result = .failure(error)
        }
        content.withLock { $0 = result }
        isDone.open()
    }

    func take() throws(DatasetError) -> Element {
        isDone.wait()
        guard let result = content.withLock({ $0 }) else {
            preconditionFailure("it is filled before it is opened")
        }
        return try result.get()
    }
}
