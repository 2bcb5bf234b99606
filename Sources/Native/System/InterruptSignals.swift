internal import CSystem
internal import Glibc
internal import Synchronization

/// What asks a program to end, or to do something.
public enum InterruptSignal: Int32, Sendable, CaseIterable {
    /// Ctrl-C.
    case interrupt = 2
    /// SIGUSR1; caught only after `catchUserSignals()`.
    case user1 = 10
    /// SIGUSR2, as batch systems send it before they end a job; caught only after `catchUserSignals()`.
    case user2 = 12
    /// What `kill`, a service manager or a batch system sends.
    case terminate = 15

    /// The exit status by which shells know the signal.
    public var exitStatus: Int32 { 128 + rawValue }

    /// Whether the signal is one that ends a process on the spot where it comes a second time.
    fileprivate var isUrgent: Bool { self == .interrupt || self == .terminate }
}

/// What is to happen after a signal.
public enum InterruptResponse: Sendable, Hashable {
    /// The process ends by itself, within this time; as long as it wants where `nil`.
    case ending(grace: Duration?)
    /// The process goes on.
    case goingOn
}

/// Hands the signals that ask the process to end to a function, instead of ending it on the spot.
///
/// To be called once. After a response of `.ending` a further Ctrl-C or SIGTERM ends the process at once with the
/// signal's exit status; so does the end of the grace.
///
/// - Parameter handler: what is done about a signal, on a thread of its own.
/// - Throws: `NativeError` with code `.resourceExhausted`.
public func handleInterrupts(
    _ handler: @escaping @Sendable (InterruptSignal) -> InterruptResponse
) throws(NativeError) {
    let pipe = csystem_catch_interrupts()
    guard pipe >= 0 else {
        throw NativeError(.resourceExhausted, "signals: \(systemErrorText())")
    }
    isCatching.store(true, ordering: .sequentiallyConsistent)
    try startThread(name: "signals") {
        var first: InterruptSignal?
        while true {
            let signal = InterruptSignal(rawValue: csystem_wait_interrupt(pipe, -1)) ?? .terminate
            guard case .ending(let grace) = handler(signal) else { continue }
            first = signal
            let end = grace.map { ContinuousClock.now + $0 }
            while true {
                // What is left of the grace: signals in between do not put its end off.
                let left = end.map { ($0 - ContinuousClock.now) / .milliseconds(1) }
                let limit = left.map { Int32(max(0, min(86_400_000, $0))) } ?? -1
                let number = csystem_wait_interrupt(pipe, limit)
                let second = InterruptSignal(rawValue: number)
                if let second, !second.isUrgent { continue }
                _exit((second ?? first ?? .terminate).exitStatus)
            }
        }
    }
}

/// Has SIGUSR1 and SIGUSR2 handled like the others from now on; without this they end the process.
///
/// Does nothing where `handleInterrupts` was not called.
///
/// - Throws: `NativeError` with code `.resourceExhausted`.
public func catchUserSignals() throws(NativeError) {
    guard isCatching.load(ordering: .sequentiallyConsistent) else { return }
    for signal in [InterruptSignal.user1, .user2] {
        guard csystem_catch_signal(signal.rawValue) == 0 else {
            throw NativeError(.resourceExhausted, "signals: \(systemErrorText())")
        }
    }
}

/// Whether signals go to a handler.
private let isCatching = Atomic(false)
