internal import CCodecs

/// JPEG by libjpeg-turbo: the slow integer transform and smooth upsampling, as most programs use it.
public enum JPEGCodec {
    /// Reads the frame header.
    ///
    /// - Throws: `NativeError` with code `.malformed` or `.unsupported`.
    public static func header(of bytes: Memory) throws(NativeError) -> CodecHeader {
        var header = ccodecs_header()
        var status = ccodecs_status()
        // The shim reads within the given bytes and keeps no address.
        withExtendedLifetime(bytes) {
            unsafe ccodecs_jpeg_read_header(
                bytes.unsafeAddress.assumingMemoryBound(to: UInt8.self), bytes.byteCount, &header,
                &status)
        }
        try status.check()
        return CodecHeader(header)
    }

    /// Decodes into 8-bit RGB, rows from top to bottom without gaps.
    ///
    /// Grey is repeated in three channels; CMYK and YCCK are taken as inverted, as Adobe's programs write them.
    ///
    /// - Parameters:
    ///   - bytes: a whole file.
    ///   - header: what `header(of:)` says of the same bytes.
    ///   - maximumScanCount: scans allowed in a progressive file.
    ///   - maximumWorkingByteCount: memory allowed for the coefficients of a progressive file.
    ///   - stopsAtWarning: whether to end at the first damage instead of working around it.
    ///   - pixels: `width * height * 3` bytes.
    /// - Throws: `NativeError` with code `.malformed`, `.unsupported`, `.limitExceeded` or
    ///   `.resourceExhausted`.
    public static func decode(
        _ bytes: Memory, header: CodecHeader, maximumScanCount: Int, maximumWorkingByteCount: Int,
        stopsAtWarning: Bool, into pixels: inout MutableMemory
    ) throws(NativeError) -> CodecReport {
        precondition(pixels.byteCount == header.width * header.height * 3, "size of the pixels")
        let options = options(maximumScanCount, maximumWorkingByteCount, stopsAtWarning)
        var status = ccodecs_status()
        // The shim fails unless the picture has the size given, for which there is room by the check above.
        withExtendedLifetime(bytes) {
            unsafe ccodecs_jpeg_decode(
                bytes.unsafeAddress.assumingMemoryBound(to: UInt8.self), bytes.byteCount, options,
                UInt32(header.width), UInt32(header.height),
                pixels.unsafeAddress.assumingMemoryBound(to: UInt8.self), &status)
        }
        try status.check()
        return CodecReport(status)
    }

    /// A rectangle of a picture that is decoded at full size or at a half, a quarter or an eighth of it.
    public struct Part: Sendable, Hashable {
        /// 1, 2, 4 or 8: both sides of the picture are divided by it and rounded up.
        public let denominator: Int
        /// Pixels of the smaller picture left of the part.
        public let x: Int
        /// Pixels of the smaller picture above the part.
        public let y: Int
        /// Pixels of the smaller picture from the part's left to its right, at least 1.
        public let width: Int
        /// Pixels of the smaller picture from the part's top to its bottom, at least 1.
        public let height: Int

        /// Describes a part.
        public init(denominator: Int, x: Int, y: Int, width: Int, height: Int) {
            self.denominator = denominator
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }
    }

    /// Decodes a part into 8-bit RGB, rows from top to bottom without gaps; colours are converted as `decode` does.
    ///
    /// At full size the pixels are those that `decode` gives. What follows the part in the file is not read, nor is
    /// damage noticed there.
    ///
    /// - Parameters:
    ///   - part: the part, which lies in the picture.
    ///   - bytes: a whole file.
    ///   - header: what `header(of:)` says of the same bytes.
    ///   - maximumScanCount: scans allowed in a progressive file.
    ///   - maximumWorkingByteCount: memory allowed for the coefficients of a progressive file.
    ///   - stopsAtWarning: whether to end at the first damage instead of working around it.
    ///   - pixels: `part.width * part.height * 3` bytes.
    /// - Throws: `NativeError` with code `.malformed`, `.unsupported`, `.limitExceeded` or
    ///   `.resourceExhausted`.
    public static func decode(
        _ part: Part, of bytes: Memory, header: CodecHeader, maximumScanCount: Int,
        maximumWorkingByteCount: Int, stopsAtWarning: Bool, into pixels: inout MutableMemory
    ) throws(NativeError) -> CodecReport {
        precondition([1, 2, 4, 8].contains(part.denominator), "a size that is not decoded")
        let width = (header.width + part.denominator - 1) / part.denominator
        let height = (header.height + part.denominator - 1) / part.denominator
        precondition(
            part.x >= 0 && part.y >= 0 && part.width >= 1 && part.height >= 1
                && part.width <= width - part.x && part.height <= height - part.y,
            "the part lies outside the picture")
        precondition(pixels.byteCount == part.width * part.height * 3, "size of the pixels")
        let options = options(maximumScanCount, maximumWorkingByteCount, stopsAtWarning)
        let native = ccodecs_jpeg_part(
            denominator: UInt32(part.denominator), x: UInt32(part.x), y: UInt32(part.y),
            width: UInt32(part.width), height: UInt32(part.height))
        var status = ccodecs_status()
        // The shim fails unless the part lies in the picture, and there is room for it by the check above.
        withExtendedLifetime(bytes) {
            unsafe ccodecs_jpeg_decode_part(
                bytes.unsafeAddress.assumingMemoryBound(to: UInt8.self), bytes.byteCount, options,
                native, pixels.unsafeAddress.assumingMemoryBound(to: UInt8.self), &status)
        }
        try status.check()
        return CodecReport(status)
    }

    private static func options(
        _ maximumScanCount: Int, _ maximumWorkingByteCount: Int, _ stopsAtWarning: Bool
    ) -> ccodecs_jpeg_options {
        ccodecs_jpeg_options(
            maximum_scan_count: UInt32(clamping: min(maximumScanCount, Int(Int32.max))),
            maximum_working_byte_count: max(maximumWorkingByteCount, 1),
            stop_at_warning: stopsAtWarning ? 1 : 0)
    }

    /// Encodes 8-bit RGB as a baseline JPEG.
    ///
    /// - Parameters:
    ///   - pixels: `width * height * 3` bytes.
    ///   - width: pixels from left to right, at least 1.
    ///   - height: pixels from top to bottom, at least 1.
    ///   - quality: 1 to 100.
    /// - Throws: `NativeError` with code `.limitExceeded` where a side is over 65,500, or
    ///   `.resourceExhausted`.
    public static func encode(
        _ pixels: Memory, width: Int, height: Int, quality: Int
    ) throws(NativeError) -> Memory {
        precondition(width > 0 && height > 0 && pixels.byteCount == width * height * 3)
        var buffer = unsafe ccodecs_buffer()
        var status = ccodecs_status()
        // The shim reads width * height * 3 bytes, which are there by the check above.
        withExtendedLifetime(pixels) {
            unsafe ccodecs_jpeg_encode(
                pixels.unsafeAddress.assumingMemoryBound(to: UInt8.self), UInt32(clamping: width),
                UInt32(clamping: height), CInt(clamping: quality), &buffer, &status)
        }
        try status.check()
        return unsafe buffer.take()
    }
}
