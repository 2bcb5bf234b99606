import Synchronization

/// A result that a thread will deliver and one task waits for.
final class Pending<Success: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Result<Success, any Error>, Never>)
        case done(Result<Success, any Error>)
    }

    private let state = Mutex(State.open)

    init() {}

    /// Delivers; once.
    func fulfil(_ result: Result<Success, any Error>) {
        let waiting = state.withLock { state in
            defer { state = .done(result) }
            if case .awaited(let continuation) = state { return Optional(continuation) }
            return nil
        }
        waiting?.resume(returning: result)
    }

    /// What is delivered, as soon as it is; only one task may wait.
    var value: Result<Success, any Error> {
        get async {
            await withCheckedContinuation { continuation in
                let result = state.withLock { state in
                    if case .done(let result) = state { return Optional(result) }
                    state = .awaited(continuation)
                    return nil
                }
                if let result { continuation.resume(returning: result) }
            }
        }
    }
}
