internal import Glibc

/// A lock between processes and threads, held while this value lives.
///
/// It is bound to a file that stays behind: removing it could let two holders in. The system releases the
/// lock of a process that dies.
public struct FileLock: ~Copyable {
    private let descriptor: Int32

    /// Waits for the lock.
    ///
    /// - Parameters:
    ///   - path: the file that stands for the lock; made where it is not there.
    ///   - cancellation: ends the wait.
    ///   - onWait: called once where somebody else holds the lock.
    /// - Throws: `NativeError` with code `.inputOutput` or `.cancelled`.
    public init(
        _ path: String, cancellation: Cancellation, onWait: () -> Void = {}
    ) throws(NativeError) {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode_t(0o644))
        guard descriptor >= 0 else {
            throw NativeError(.inputOutput, "\(path): cannot be made: \(systemErrorText())")
        }
        var isWaiting = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw NativeError(.inputOutput, "\(path): cannot be locked: \(systemErrorText())")
            }
            if cancellation.isCancelled { throw NativeError(.cancelled, "\(path): cancelled") }
            if !isWaiting { onWait() }
            isWaiting = true
            // Another process holds it, perhaps for minutes; ask again in a while.
            usleep(50_000)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
