internal import Glibc

/// Runs blocking work on a thread made for it, so that it does not hold up Swift's shared ones.
///
/// - Parameters:
///   - work: gets told when the task is cancelled; it returns when it has noticed.
/// - Throws: what the work throws.
public func onOwnThread<Success: Sendable, Failure: Error>(
    _ work: @escaping @Sendable (Cancellation) throws(Failure) -> Success
) async throws(Failure) -> Success {
    let cancellation = Cancellation()
    let result = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            let start = ThreadStart {
                continuation.resume(
                    returning: Result<Success, Failure> { () throws(Failure) in
                        try work(cancellation)
                    })
            }
            // Without a thread, the work still gets done, where the caller is.
            if !start.run() { start.body() }
        }
    } onCancel: {
        cancellation.cancel()
    }
    return try result.get()
}

/// What a new thread runs.
private final class ThreadStart: Sendable {
    let body: @Sendable () -> Void

    init(body: @escaping @Sendable () -> Void) { self.body = body }

    /// Starts the thread; false where the system has none left.
    func run() -> Bool {
        var thread = pthread_t()
        // The one reference that this makes is taken over by the thread, or given back below.
        let retained = unsafe Unmanaged.passRetained(self)
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, retained.toOpaque())
        guard code == 0 else {
            unsafe retained.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
