internal import Glibc

/// What asks a program to end.
public enum InterruptSignal: Int32, Sendable, CaseIterable {
    /// Ctrl-C.
    case interrupt = 2
    /// What `kill`, a service manager or a batch system sends.
    case terminate = 15

    /// The exit status by which shells know the signal.
    public var exitStatus: Int32 { 128 + rawValue }
}

/// Hands the signals that ask the process to end to a function, instead of ending it on the spot.
///
/// Call it once, at the start, before other threads exist: they inherit the mask. A second signal ends
/// the process at once with the signal's exit status, whatever the function did about the first; so does the
/// end of the grace.
///
/// - Parameters:
///   - grace: how long the process may take to end; as long as it wants where `nil`.
///   - handler: what is done about the first signal.
/// - Throws: `NativeError` with code `.resourceExhausted`.
public func handleInterrupts(
    grace: Duration?, _ handler: @escaping @Sendable (InterruptSignal) -> Void
) throws(NativeError) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in InterruptSignal.allCases { unsafe sigaddset(&signals, signal.rawValue) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    let waited = signals
    try startThread(name: "signals") {
        var set = waited
        let first = nextSignal(of: &set, within: nil)
        handler(first ?? .terminate)
        let second = nextSignal(of: &set, within: grace)
        _exit((second ?? first ?? .terminate).exitStatus)
    }
}

/// Waits for a signal of a set; `nil` where none comes in time.
private func nextSignal(
    of signals: inout sigset_t, within limit: Duration?
) -> InterruptSignal? {
    let end = limit.map { ContinuousClock.now + $0 }
    while true {
        let left = end.map { max(.zero, $0 - .now) } ?? .seconds(3600)
        let (seconds, attoseconds) = left.components
        var span = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        // The system reads the set and the span during the call only.
        if let signal = InterruptSignal(rawValue: unsafe sigtimedwait(&signals, nil, &span)) {
            return signal
        }
        if let end, ContinuousClock.now >= end { return nil }
    }
}
