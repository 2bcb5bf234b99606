import Native
import Runs
import Synchronization

/// What signals ask of a training that runs in this process.
///
/// Ctrl-C, SIGTERM and SIGUSR2 ask it to save and to stop, SIGUSR1 to save and to go on. It is asked between steps, so
/// it may take as long as a step and the writing do; a second Ctrl-C or SIGTERM ends the process on the spot.
final class TrainingSignals: Sendable {
    /// The process's own.
    static let shared = TrainingSignals()

    private struct State {
        var isActive = false
        var wantsStop = false
        var wantsSave = false
        var cancellation = Cancellation()
    }

    private let state = Mutex(State())

    /// From now on signals are for the training.
    func begin() throws(NativeError) {
        state.withLock { $0 = State(isActive: true) }
        try catchUserSignals()
    }

    /// From now on they are not.
    func end() { state.withLock { $0 = State() } }

    /// Notes a signal; `nil` where no training runs and the signal means something else.
    func handle(_ signal: InterruptSignal) -> InterruptResponse? {
        state.withLock { state in
            switch signal {
            case .user1:
                state.wantsSave = true
                return .goingOn
            case .user2 where !state.isActive: return .goingOn
            case .interrupt, .terminate, .user2:
                guard state.isActive else { return nil }
                state.wantsStop = true
                state.cancellation.cancel()
                return .ending(grace: nil)
            }
        }
    }

    /// Whether the training is asked to stop; a wish to save is kept for `request()`.
    var wantsStop: Bool { state.withLock { $0.wantsStop } }

    /// The same wish, for what comes before the first step.
    var cancellation: Cancellation { state.withLock { $0.cancellation } }

    /// What is wanted; a wish to save is told once, one to stop again and again.
    func request() -> RunRequest? {
        state.withLock { state in
            if state.wantsStop { return .stop }
            defer { state.wantsSave = false }
            return state.wantsSave ? .save : nil
        }
    }
}
