internal import CSystem
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
/// To be called once. A second signal ends the process at once with the signal's exit status, whatever the
/// function did about the first; so does the end of the grace.
///
/// - Parameters:
///   - grace: how long the process may take to end; as long as it wants where `nil`.
///   - handler: what is done about the first signal, on a thread of its own.
/// - Throws: `NativeError` with code `.resourceExhausted`.
public func handleInterrupts(
    grace: Duration?, _ handler: @escaping @Sendable (InterruptSignal) -> Void
) throws(NativeError) {
    let pipe = csystem_catch_interrupts()
    guard pipe >= 0 else {
        throw NativeError(.resourceExhausted, "signals: \(systemErrorText())")
    }
    try startThread(name: "signals") {
        let first = InterruptSignal(rawValue: csystem_wait_interrupt(pipe, -1)) ?? .terminate
        handler(first)
        let limit = grace.map { Int32(max(0, min(86_400_000, $0 / .milliseconds(1)))) } ?? -1
        let second = InterruptSignal(rawValue: csystem_wait_interrupt(pipe, limit))
        _exit((second ?? first).exitStatus)
    }
}
