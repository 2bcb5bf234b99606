internal import Glibc

/// What a new thread runs.
private final class ThreadStart {
    let body: @Sendable () -> Void

    init(body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Starts a thread that nobody waits for.
///
/// - Parameters:
///   - name: how the message calls it.
///   - body: what it runs.
/// - Throws: `NativeError` with code `.resourceExhausted`.
func startThread(
    name: String, _ body: @escaping @Sendable () -> Void
) throws(NativeError) {
    var thread = pthread_t()
    // The one reference that this makes is taken over by the thread, or given back below.
    let start = unsafe Unmanaged.passRetained(ThreadStart(body: body))
    let code = unsafe pthread_create(
        &thread, nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
            start.body()
            return nil
        }, start.toOpaque())
    guard code == 0 else {
        unsafe start.release()
        throw NativeError(
            .resourceExhausted, "thread \(name): the system starts no more threads (error \(code))")
    }
    pthread_detach(thread)
}
