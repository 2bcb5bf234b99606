internal import Synchronization

/// A lock for short critical sections around native objects.
final class Lock: Sendable {
    private let mutex = Mutex<Void>(())

    func withLock<Result>(_ body: () -> Result) -> Result {
        mutex.withLock { _ in body() }
    }
}
