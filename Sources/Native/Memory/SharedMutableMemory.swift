internal import Synchronization

/// Memory that several threads fill, which `finish()` hands to one of them.
public final class SharedMutableMemory: Sendable {
    /// The number of bytes.
    public let byteCount: Int
    /// The block, until it is handed over.
    private let owner: Mutex<MemoryOwner?>

    /// Memory as `MutableMemory(uncleared:)` gives it.
    ///
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    public init(uncleared byteCount: Int) throws(NativeError) {
        let memory = try MutableMemory(uncleared: byteCount)
        self.byteCount = byteCount
        owner = Mutex(memory.owner)
    }

    /// Copies bytes to a place in this memory; one thread at a time.
    ///
    /// - Precondition: they fit there, and the memory is not finished.
    public func copy(_ bytes: Memory, to offset: Int) {
        precondition(offset >= 0 && bytes.byteCount <= byteCount - offset)
        owner.withLock { owner in
            guard let owner else { preconditionFailure("the memory is finished") }
            // In bounds by the check above; nobody else has the block's address while it is here.
            unsafe (owner.base + offset).copyMemory(
                from: bytes.unsafeAddress, byteCount: bytes.byteCount)
        }
    }

    /// Ends the sharing: from now on the bytes have one owner.
    ///
    /// - Precondition: called once.
    public func finish() -> MutableMemory {
        let block = owner.withLock { owner in
            defer { owner = nil }
            return owner
        }
        guard let block else { preconditionFailure("the memory is finished") }
        return MutableMemory(owner: block, byteCount: byteCount)
    }
}
