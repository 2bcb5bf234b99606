internal import CSystem
internal import Glibc
internal import Synchronization

/// Threads of the project's own that run blocking work, first come first served.
///
/// Computing, decoding and reading files block a thread for long; here they block one of these instead of
/// one of the few that Swift's tasks share. The threads end once the queue is released and its work is done.
public final class WorkQueue: Sendable {
    private let state: WorkQueueState

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - name: how messages call them.
    ///   - threadCount: how many pieces of work run at the same time, at least 1.
    ///   - isBackground: whether the threads let others go before them where there are too few processors.
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    public init(
        name: String, threadCount: Int = 1, isBackground: Bool = false
    ) throws(NativeError) {
        state = WorkQueueState()
        for _ in 0..<max(1, threadCount) {
            let state = state
            do {
                try startThread(name: name) {
                    if isBackground { csystem_lower_priority() }
                    state.serve()
                }
            } catch {
                state.stop()
                throw error
            }
        }
    }

    deinit { state.stop() }

    /// Queues a piece of work and returns at once.
    public func submit(_ work: @escaping @Sendable () -> Void) { state.submit(work) }

    /// Runs a piece of work on one of the threads and waits for its result without blocking the caller's.
    ///
    /// Work that has begun is not interrupted by cancellation.
    public func run<Success: Sendable>(
        _ work: @escaping @Sendable () throws -> Success
    ) async throws -> Success {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result(catching: work)) }
        }
    }
}

/// What the threads of a queue share; they hold it, so it outlives the queue until the last one has ended.
///
/// Safe to share: the jobs are behind a mutex, and a semaphore is made to be used by many threads. Its
/// memory is allocated once and freed when the last holder is gone.
@safe
private final class WorkQueueState: @unchecked Sendable {
    private struct Jobs {
        /// Those before `next` are gone, with whatever they held.
        var waiting: [(@Sendable () -> Void)?] = []
        var next = 0
        var isStopped = false

        mutating func pop() -> (@Sendable () -> Void)? {
            guard next < waiting.count else { return nil }
            let job = waiting[next]
            waiting[next] = nil
            next += 1
            if next > 64, next * 2 > waiting.count {
                waiting.removeFirst(next)
                next = 0
            }
            return job
        }
    }

    private let jobs = Mutex(Jobs())
    /// Counts jobs that wait, and threads that shall end.
    private let available: UnsafeMutablePointer<sem_t>

    init() {
        unsafe available = .allocate(capacity: 1)
        unsafe sem_init(available, 0, 0)
    }

    deinit {
        unsafe sem_destroy(available)
        unsafe available.deallocate()
    }

    func submit(_ work: @escaping @Sendable () -> Void) {
        jobs.withLock { $0.waiting.append(work) }
        unsafe sem_post(available)
    }

    func stop() {
        jobs.withLock { $0.isStopped = true }
        // Every thread that wakes up to stop wakes the next.
        unsafe sem_post(available)
    }

    func serve() {
        while true {
            while unsafe sem_wait(available) != 0 {}
            let (job, isStopped) = jobs.withLock { ($0.pop(), $0.isStopped) }
            if let job {
                job()
            } else if isStopped {
                unsafe sem_post(available)
                return
            }
        }
    }
}
