internal import Glibc

/// A door that threads wait at until it is opened, once and for good.
///
/// For threads of the project's own; a task waits by a continuation instead.
@safe
public final class Latch: @unchecked Sendable {
    // Safe to share: a semaphore is made to be used by many threads. Its memory is allocated once and freed
    // when the last holder is gone, who can be neither waiting nor opening.
    private let door: UnsafeMutablePointer<sem_t>

    /// A closed latch.
    public init() {
        unsafe door = .allocate(capacity: 1)
        unsafe sem_init(door, 0, 0)
    }

    deinit {
        unsafe sem_destroy(door)
        unsafe door.deallocate()
    }

    /// Lets everybody pass from now on; to be called once.
    public func open() { unsafe sem_post(door) }

    /// Blocks the thread until the latch is open.
    public func wait() {
        while unsafe sem_wait(door) != 0 {}
        // The next one may pass too.
        unsafe sem_post(door)
    }
}
