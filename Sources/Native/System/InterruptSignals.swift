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
/// Call it once, at the start, before other threads exist: they inherit the mask. The second signal ends
/// the process at once with the signal's exit status, whatever the function did about the first.
///
/// - Throws: `NativeError` with code `.resourceExhausted`.
public func handleInterrupts(
    _ handler: @escaping @Sendable (InterruptSignal) -> Void
) throws(NativeError) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in InterruptSignal.allCases { unsafe sigaddset(&signals, signal.rawValue) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    let waited = signals
    try startThread(name: "signals") {
        var set = waited
        var hasFired = false
        while true {
            var number: Int32 = 0
            guard unsafe sigwait(&set, &number) == 0,
                let signal = InterruptSignal(rawValue: number)
            else { continue }
            if hasFired { _exit(signal.exitStatus) }
            hasFired = true
            handler(signal)
        }
    }
}
