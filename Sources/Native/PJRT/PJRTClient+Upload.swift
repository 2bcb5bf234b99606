internal import CPJRT

extension PJRTClient {
    /// Starts to copy an array to a device.
    ///
    /// The bytes are read as they are, without another copy, and kept alive until the device has them.
    ///
    /// - Parameters:
    ///   - bytes: the elements in row-major order, `dimensions` times the width of `type`.
    ///   - type: what an element is.
    ///   - dimensions: the extents, outermost first.
    ///   - device: the place of the device among `devices`.
    /// - Returns: the array on the device, perhaps before its bytes are there; using it waits for them.
    /// - Throws: `NativeError` with code `.invalidArgument` where the number of bytes or the device is wrong,
    ///   `.resourceExhausted` where the device is full, or with what else the plugin reports.
    public func upload(
        _ bytes: Memory, _ type: PJRTElementType, dimensions: [Int], device: Int = 0
    ) throws(NativeError) -> PJRTBuffer {
        try check(byteCount: bytes.byteCount, type, dimensions, device)
        let extents = dimensions.map { Int64($0) }
        // The shim calls the function once, when the plugin has read the bytes or failed to, and so balances
        // `passRetained`. `Memory` never changes, so the plugin may read it whenever it likes.
        let owner = unsafe Unmanaged.passRetained(bytes.owner).toOpaque()
        let pointer = try unsafe callPJRT("copy to device \(device)", plugin.path) { failure in
            unsafe cpjrt_buffer_upload(
                plugin.table, handle.pointer, deviceHandles[device], bytes.unsafeAddress,
                type.number, extents, extents.count, owner,
                { owner in
                    if let owner = unsafe owner {
                        unsafe Unmanaged<MemoryOwner>.fromOpaque(owner).release()
                    }
                }, failure)
        }
        return try unsafe PJRTBuffer(pointer, client: self, device: device)
    }

    /// Copies an array to a device; the bytes may change as soon as this returns.
    ///
    /// Costs a copy more than `upload(_:_:dimensions:device:)`; for memory that is written again and again.
    ///
    /// - Parameters: as for that.
    /// - Throws: as that.
    public func upload(
        copying bytes: Span<UInt8>, _ type: PJRTElementType, dimensions: [Int], device: Int = 0
    ) throws(NativeError) -> PJRTBuffer {
        try check(byteCount: bytes.count, type, dimensions, device)
        let extents = dimensions.map { Int64($0) }
        let pointer = try unsafe callPJRT("copy to device \(device)", plugin.path) { failure in
            // Without a function to call at the end, the bytes are read during the call only.
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe cpjrt_buffer_upload(
                    plugin.table, handle.pointer, deviceHandles[device], bytes.baseAddress,
                    type.number, extents, extents.count, nil, nil, failure)
            }
        }
        return try unsafe PJRTBuffer(pointer, client: self, device: device)
    }

    private func check(
        byteCount: Int, _ type: PJRTElementType, _ dimensions: [Int], _ device: Int
    ) throws(NativeError) {
        try check(device: device)
        guard let expected = type.byteCount(of: dimensions), expected == byteCount else {
            throw NativeError(
                .invalidArgument,
                "\(type) \(dimensions): expected \(type.byteCount(of: dimensions) ?? 0) bytes to copy, "
                    + "found \(byteCount)")
        }
    }
}
