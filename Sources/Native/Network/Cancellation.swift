internal import Synchronization

/// A wish to stop, which one side expresses and the other asks for now and then.
public final class Cancellation: Sendable {
    private let flag = Atomic(false)

    /// Nobody has asked to stop yet.
    public init() {}

    /// Asks to stop; for good.
    public func cancel() { flag.store(true, ordering: .relaxed) }

    /// Whether somebody has asked to stop.
    public var isCancelled: Bool { flag.load(ordering: .relaxed) }
}
