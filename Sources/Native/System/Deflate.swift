internal import CSystem

/// The CRC-32 of zip and PNG files.
///
/// - Parameters:
///   - bytes: what to sum.
///   - start: the sum of the bytes before these, where there are any.
public func crc32(_ bytes: Memory, continuing start: UInt32 = 0) -> UInt32 {
    // The buffer is valid during the call.
    unsafe bytes.bytes.withUnsafeBytes { buffer in
        unsafe csystem_crc32(start, buffer.baseAddress, buffer.count)
    }
}

/// Inflates a raw deflate stream, as zip files hold it.
///
/// - Parameters:
///   - source: the whole stream, and nothing after it.
///   - byteCount: how many bytes it must give; the caller bounds it, since that many are reserved.
/// - Throws: `NativeError` with code `.malformed` where the stream is damaged, or gives more or fewer bytes,
///   or `.resourceExhausted`.
public func inflate(_ source: Memory, toByteCount byteCount: Int) throws(NativeError) -> Memory {
    var target = try MutableMemory(reserving: byteCount)
    var output = target.mutableSpan(of: UInt8.self)
    // Both buffers are valid during the call, and the target has no other user.
    let status = unsafe source.bytes.withUnsafeBytes { input in
        unsafe output.withUnsafeMutableBytes { output in
            unsafe csystem_inflate_raw(
                input.baseAddress, input.count, output.baseAddress, output.count)
        }
    }
    switch status {
    case 0: return target.finish()
    case 2: throw NativeError(.resourceExhausted, "no memory to inflate \(byteCount) bytes")
    default:
        throw NativeError(
            .malformed,
            "deflate stream of \(source.byteCount) bytes: expected to give \(byteCount) bytes, "
                + "found damage or another length")
    }
}
