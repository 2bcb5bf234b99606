internal import CCodecs

/// PNG by libpng.
public enum PNGCodec {
    /// Reads the header chunk.
    ///
    /// - Throws: `NativeError` with code `.malformed`.
    public static func header(of bytes: Memory) throws(NativeError) -> CodecHeader {
        var header = ccodecs_header()
        var status = ccodecs_status()
        // The shim reads within the given bytes and keeps no address.
        withExtendedLifetime(bytes) {
            unsafe ccodecs_png_read_header(
                bytes.unsafeAddress.assumingMemoryBound(to: UInt8.self), bytes.byteCount, &header,
                &status)
        }
        try status.check()
        return CodecHeader(header)
    }

    /// Decodes into 8-bit RGB, rows from top to bottom without gaps.
    ///
    /// Alpha is dropped, 16-bit samples keep their high byte, no gamma is applied. Of an animation this is the
    /// default picture. A wrong checksum is an error, except behind the last pixel, where it is a warning.
    ///
    /// - Parameters:
    ///   - bytes: a whole file.
    ///   - header: what `header(of:)` says of the same bytes.
    ///   - maximumChunkByteCount: bytes allowed in each chunk other than image data.
    ///   - pixels: `width * height * 3` bytes.
    /// - Throws: `NativeError` with code `.malformed` or `.resourceExhausted`.
    public static func decode(
        _ bytes: Memory, header: CodecHeader, maximumChunkByteCount: Int,
        into pixels: inout MutableMemory
    ) throws(NativeError) -> CodecReport {
        precondition(pixels.byteCount == header.width * header.height * 3, "size of the pixels")
        var status = ccodecs_status()
        // The shim fails unless the picture has the size given, for which there is room by the check above.
        withExtendedLifetime(bytes) {
            unsafe ccodecs_png_decode(
                bytes.unsafeAddress.assumingMemoryBound(to: UInt8.self), bytes.byteCount,
                max(maximumChunkByteCount, 1), UInt32(header.width), UInt32(header.height),
                pixels.unsafeAddress.assumingMemoryBound(to: UInt8.self), &status)
        }
        try status.check()
        return CodecReport(status)
    }

    /// Encodes 8-bit RGB.
    ///
    /// - Parameters:
    ///   - pixels: `width * height * 3` bytes.
    ///   - width: pixels from left to right, at least 1.
    ///   - height: pixels from top to bottom, at least 1.
    /// - Throws: `NativeError` with code `.libraryFailure` or `.resourceExhausted`.
    public static func encode(
        _ pixels: Memory, width: Int, height: Int
    ) throws(NativeError) -> Memory {
        precondition(width > 0 && height > 0 && pixels.byteCount == width * height * 3)
        var buffer = unsafe ccodecs_buffer()
        var status = ccodecs_status()
        // The shim reads width * height * 3 bytes, which are there by the check above.
        withExtendedLifetime(pixels) {
            unsafe ccodecs_png_encode(
                pixels.unsafeAddress.assumingMemoryBound(to: UInt8.self), UInt32(clamping: width),
                UInt32(clamping: height), &buffer, &status)
        }
        try status.check()
        return unsafe buffer.take()
    }
}
