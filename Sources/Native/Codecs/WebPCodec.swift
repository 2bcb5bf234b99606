internal import CCodecs

/// WebP by libwebp.
public enum WebPCodec {
    /// Reads the size of a file, or of a frame that was taken out of its container.
    ///
    /// - Throws: `NativeError` with code `.malformed` or `.unsupported`.
    public static func header(of bytes: Memory) throws(NativeError) -> CodecHeader {
        var header = ccodecs_header()
        var status = ccodecs_status()
        // The shim reads within the given bytes and keeps no address.
        withExtendedLifetime(bytes) {
            unsafe ccodecs_webp_read_header(
                bytes.unsafeAddress.assumingMemoryBound(to: UInt8.self), bytes.byteCount, &header,
                &status)
        }
        try status.check()
        return CodecHeader(header)
    }

    /// Decodes a still picture or one frame into a place on an 8-bit RGB canvas; alpha is dropped.
    ///
    /// - Parameters:
    ///   - bytes: a still file, or the coded picture of one frame.
    ///   - header: what `header(of:)` says of the same bytes.
    ///   - x: pixels between the canvas' left edge and the picture's.
    ///   - y: pixels between the canvas' top edge and the picture's.
    ///   - canvasWidth: pixels in a row of the canvas; picture and offset fit into the canvas.
    ///   - canvas: rows from top to bottom without gaps; what the picture does not cover stays as it is.
    /// - Throws: `NativeError` with code `.malformed`, `.unsupported` or `.resourceExhausted`.
    public static func decode(
        _ bytes: Memory, header: CodecHeader, x: Int, y: Int, canvasWidth: Int,
        into canvas: inout MutableMemory
    ) throws(NativeError) {
        let rowByteCount = canvasWidth * 3
        precondition(x >= 0 && y >= 0 && header.width > 0 && header.height > 0)
        precondition(header.width <= canvasWidth - x, "the picture is wider than the canvas")
        precondition((y + header.height) * rowByteCount <= canvas.byteCount, "canvas too low")
        var status = ccodecs_status()
        // The shim fails unless the picture has the size given, which fits by the checks above.
        withExtendedLifetime(bytes) {
            unsafe ccodecs_webp_decode(
                bytes.unsafeAddress.assumingMemoryBound(to: UInt8.self), bytes.byteCount,
                UInt32(header.width), UInt32(header.height),
                (canvas.unsafeAddress + (y * rowByteCount + x * 3)).assumingMemoryBound(
                    to: UInt8.self),
                rowByteCount, &status)
        }
        try status.check()
    }
}
