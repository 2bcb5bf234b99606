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
            let body: @Sendable () -> Void = {
                continuation.resume(
                    returning: Result<Success, Failure> { () throws(Failure) in
                        try work(cancellation)
                    })
            }
            do {
                try startThread(name: "blocking work", body)
            } catch {
                // Without a thread, the work still gets done, where the caller is.
                body()
            }
        }
    } onCancel: {
        cancellation.cancel()
    }
    return try result.get()
}
