internal import CSystem

/// Threads of the project's own that compute together; whoever asks for a run is one of them.
///
/// They wait by spinning for some microseconds and then sleep. One run at a time: a second caller waits.
@safe
public final class ComputeTeam: @unchecked Sendable {
    // Safe to share: the team is made in `init`, destroyed after the last use, and every run holds `lock`.
    private let team: OpaquePointer
    private let lock = Lock()
    /// The number of threads, the caller's included.
    public let threadCount: Int

    /// Starts `threadCount - 1` threads.
    ///
    /// - Throws: `NativeError` with code `.resourceExhausted` where a thread cannot be had.
    public init(threadCount: Int) throws(NativeError) {
        let count = min(max(threadCount, 1), 1024)
        guard let team = unsafe csystem_team_create(Int32(count)) else {
            throw NativeError(
                .resourceExhausted, "\(count) compute threads: \(systemErrorText())")
        }
        unsafe self.team = team
        self.threadCount = count
    }

    deinit { unsafe csystem_team_destroy(team) }

    /// Processors that this process may use.
    public static var processorCount: Int { Int(csystem_processor_count()) }

    /// Calls `body` once for each thread, at the same time, with the threads' numbers from 0.
    public func run(_ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var context = TeamBody(body: body)
            unsafe withUnsafeMutablePointer(to: &context) { context in
                // The context outlives the call, which returns when every thread is done with it.
                unsafe runLocked(
                    { context, member in
                        let body = unsafe context?.assumingMemoryBound(to: TeamBody.self).pointee
                            .body
                        body?(Int(member))
                    }, context: context)
            }
        }
    }

    /// Runs a C function with its context on every thread.
    @unsafe
    func runLocked(
        _ body: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void,
        context: UnsafeMutableRawPointer
    ) {
        lock.withLock { unsafe csystem_team_run(team, body, context) }
    }
}

private struct TeamBody {
    let body: (Int) -> Void
}
