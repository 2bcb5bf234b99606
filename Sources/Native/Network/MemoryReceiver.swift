/// Keeps the body of a response in memory.
///
/// The request's `maximumByteCount` is what bounds it.
public final class MemoryReceiver: HTTPReceiver {
    private var body: [UInt8] = []

    /// Nothing received yet.
    public init() {}

    /// Begins anew.
    public func receive(_ head: HTTPHead) throws(NativeError) { body = [] }

    /// Adds the bytes.
    public func receive(_ bytes: borrowing Span<UInt8>) throws(NativeError) {
        unsafe bytes.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
    }

    /// The body so far.
    ///
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    public func finish() throws(NativeError) -> Memory {
        let memory = try MutableMemory(reserving: body.count)
        unsafe body.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            // Fresh memory of the body's size, which nobody else knows yet.
            unsafe memory.unsafeAddress.copyMemory(from: start, byteCount: source.count)
        }
        return memory.finish()
    }
}
