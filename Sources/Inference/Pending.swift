import Synchronization

/// A result that a thread will deliver and one task waits for.
final class Pending<Success: Sendable>: Sendable {
    private typealias Waiting = CheckedContinuation<Result<Success, any Error>, Never>

    private enum State {
        case open
        case awaited(Waiting)
        case done(Result<Success, any Error>)
    }

    private let state = Mutex(State.open)

    init() {}

    /// Delivers; only the first delivery counts.
    func fulfil(_ result: Result<Success, any Error>) {
        let waiting = state.withLock { state -> Waiting? in
            switch state {
            case .done: return nil
            case .open:
                state = .done(result)
                return nil
            case .awaited(let continuation):
                state = .done(result)
                return continuation
            }
        }
        waiting?.resume(returning: result)
    }

    /// What is delivered, or that the task was cancelled; the work behind it goes on unheard.
    var valueUnlessCancelled: Result<Success, any Error> {
        get async {
            await withTaskCancellationHandler {
                await value
            } onCancel: {
                fulfil(.failure(CancellationError()))
            }
        }
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
