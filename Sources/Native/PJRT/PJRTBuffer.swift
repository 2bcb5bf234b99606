internal import CPJRT

/// An array on a device.
///
/// Keeps its client alive. Safe to share: what it points to changes only by donation, over which the plugin watches.
@safe
public final class PJRTBuffer: @unchecked Sendable {
    /// The client that has the array.
    public let client: PJRTClient
    /// The place of its device among `client.devices`.
    public let device: Int
    let pointer: UnsafeMutableRawPointer

    /// Takes over a buffer.
    @unsafe
    init(
        _ pointer: UnsafeMutableRawPointer?, client: PJRTClient, device: Int
    ) throws(NativeError) {
        guard let pointer = unsafe pointer else {
            throw NativeError(
                .libraryFailure,
                "\(fileName(of: client.plugin.path)): a call succeeded but gave no buffer")
        }
        unsafe self.pointer = pointer
        self.client = client
        self.device = device
    }

    deinit {
        // Nobody else has the pointer any more; the plugin frees the memory when no run needs it.
        unsafe cpjrt_buffer_destroy(client.plugin.table, pointer)
    }

    /// Whether the array is gone, given away to a run that wrote a result in its place.
    public var isDeleted: Bool {
        unsafe cpjrt_buffer_is_deleted(client.plugin.table, pointer)
    }

    /// What an element is; `nil` for types that are not known here.
    public var elementType: PJRTElementType? { PJRTElementType(number: shape().type) }

    /// The extents, outermost first.
    public var dimensions: [Int] { shape().dimensions }

    /// The bytes of the array, dense; 0 where its elements are of a type that is not known here.
    public var byteCount: Int {
        let (type, dimensions) = shape()
        return PJRTElementType(number: type)?.byteCount(of: dimensions) ?? 0
    }

    /// PJRT's number of the element type, and the extents; no plugin is known to fail at it.
    private func shape() -> (type: Int32, dimensions: [Int]) {
        var type: Int32 = 0
        var dimensions: UnsafePointer<Int64>?
        var rank = 0
        guard
            unsafe cpjrt_buffer_shape(
                client.plugin.table, pointer, &type, &dimensions, &rank, nil)
        else { return (0, []) }
        // `rank` extents that live as long as the buffer.
        let extents = unsafe UnsafeBufferPointer(start: dimensions, count: rank)
        return (type, unsafe extents.map { Int($0) })
    }

    /// Returns when the bytes are on the device, that is when the run that makes them has ended.
    ///
    /// Blocks the thread: not for one that runs Swift's tasks.
    ///
    /// - Throws: `NativeError` with what went wrong in that run, or code `.invalidArgument` where the array is gone.
    public func wait() throws(NativeError) {
        _ = try unsafe callPJRT("compute a result", client.plugin.path) { failure in
            unsafe cpjrt_buffer_wait(client.plugin.table, pointer, failure)
        }
    }

    /// Waits for the array and copies it to the machine's memory.
    ///
    /// Blocks the thread: not for one that runs Swift's tasks.
    ///
    /// - Returns: the elements, dense and in row-major order, however the device lays them out.
    /// - Throws: as `wait()`; `.resourceExhausted` without memory.
    public func download() throws(NativeError) -> Memory {
        var byteCount = 0
        _ = try unsafe callPJRT("copy a result", client.plugin.path) { failure in
            unsafe cpjrt_buffer_size(client.plugin.table, pointer, &byteCount, failure)
        }
        let memory = try MutableMemory(uncleared: byteCount)
        _ = try unsafe callPJRT("copy a result", client.plugin.path) { failure in
            // Returns after the last byte is written, so nobody writes the memory once it is finished.
            unsafe cpjrt_buffer_download(
                client.plugin.table, pointer, memory.unsafeAddress, byteCount, failure)
        }
        return memory.finish()
    }
}
