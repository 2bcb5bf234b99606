/// The segments of a JPEG file up to its first scan.
enum JPEGContainer {
    /// The EXIF orientation, 1 where there is none.
    static func orientation(in bytes: Span<UInt8>) -> Int {
        var position = 2
        while let marker = bytes.integer(at: position, byteCount: 2, isBigEndian: true) {
            // 0xFF may repeat as filling; a scan or the end closes the list.
            if marker == 0xFFFF {
                position += 1
                continue
            }
            guard marker >= 0xFF00, marker != 0xFFDA, marker != 0xFFD9,
                let length = bytes.integer(at: position + 2, byteCount: 2, isBigEndian: true),
                length >= 2
            else { return 1 }
            if marker == 0xFFE1, bytes.hasText("Exif\0\0", at: position + 4) {
                let end = min(position + 2 + length, bytes.count)
                return ExifOrientation.read(bytes.extracting(position + 4..<end))
            }
            position += 2 + length
        }
        return 1
    }

    /// Whether the marker that ends a picture follows the start of the first scan.
    ///
    /// It cannot stand among coded pixels, so a file without it is cut short.
    static func hasEnd(in bytes: Span<UInt8>) -> Bool {
        guard let scan = firstScan(in: bytes) else { return false }
        var position = bytes.count - 2
        while position > scan {
            if bytes[position] == 0xFF, bytes[position + 1] == 0xD9 { return true }
            position -= 1
        }
        return false
    }

    private static func firstScan(in bytes: Span<UInt8>) -> Int? {
        var position = 2
        while let marker = bytes.integer(at: position, byteCount: 2, isBigEndian: true) {
            if marker == 0xFFDA { return position }
            guard marker > 0xFF00, marker != 0xFFD9 else { return nil }
            if marker == 0xFFFF {
                position += 1
                continue
            }
            guard
                let length = bytes.integer(at: position + 2, byteCount: 2, isBigEndian: true),
                length >= 2
            else { return nil }
            position += 2 + length
        }
        return nil
    }
}

/// The chunks of a PNG file.
struct PNGContainer {
    /// The longest chunk that holds no image data.
    private(set) var largestOther: (name: String, byteCount: Int)?
    /// The EXIF orientation, 1 where there is none.
    private(set) var orientation = 1

    init(_ bytes: Span<UInt8>) {
        var position = 8
        while let length = bytes.integer(at: position, byteCount: 4, isBigEndian: true),
            let name = bytes.integer(at: position + 4, byteCount: 4, isBigEndian: true)
        {
            let isImageData = name == 0x4944_4154 || name == 0x6664_4154
            if !isImageData, length > largestOther?.byteCount ?? -1 {
                largestOther = (Self.text(name), length)
            }
            let start = position + 8
            let end = start + length
            if name == 0x6558_4966, end <= bytes.count {
                orientation = ExifOrientation.read(bytes.extracting(start..<end))
            }
            position = end + 4
        }
    }

    private static func text(_ name: Int) -> String {
        String(
            decoding: [24, 16, 8, 0].map { shift in
                let byte = UInt8(truncatingIfNeeded: name >> shift)
                return (0x20..<0x7F).contains(byte) ? byte : 0x3F
            }, as: UTF8.self)
    }
}

/// The chunks of a WebP file.
///
/// Source: RFC 9649, sections 2.3 to 2.7.
struct WebPContainer {
    /// The first frame of an animation.
    struct Frame {
        let canvasWidth: Int
        let canvasHeight: Int
        let x: Int
        let y: Int
        let width: Int
        let height: Int
        /// Where the frame's coded picture stands in the file.
        let offset: Int
        let byteCount: Int
    }

    /// The first frame; `nil` for a still picture.
    let firstFrame: Frame?
    /// The EXIF orientation, 1 where there is none.
    let orientation: Int

    /// Reads the chunk list; `nil` where a frame does not fit its canvas.
    ///
    /// A function with local variables, because Swift 6.3.1 loses what a failable initializer of this form
    /// writes to its own properties when it optimizes.
    static func read(_ bytes: Span<UInt8>) -> WebPContainer? {
        var position = 12
        var canvas: (width: Int, height: Int)?
        var firstFrame: Frame?
        var orientation = 1
        while let length = bytes.integer(at: position + 4, byteCount: 4, isBigEndian: false) {
            let start = position + 8
            let end = min(start + length, bytes.count)
            if bytes.hasText("VP8X", at: position), canvas == nil {
                guard let width = bytes.integer(at: start + 4, byteCount: 3, isBigEndian: false),
                    let height = bytes.integer(at: start + 7, byteCount: 3, isBigEndian: false)
                else { return nil }
                canvas = (width + 1, height + 1)
            } else if bytes.hasText("ANMF", at: position), firstFrame == nil {
                guard let canvas,
                    let frame = Self.frame(bytes, start: start, end: end, canvas: canvas)
                else { return nil }
                firstFrame = frame
            } else if bytes.hasText("EXIF", at: position) {
                orientation = ExifOrientation.read(bytes.extracting(start..<end))
            }
            // Chunks are padded to an even length.
            position = start + length + length % 2
        }
        return WebPContainer(firstFrame: firstFrame, orientation: orientation)
    }

    private static func frame(
        _ bytes: Span<UInt8>, start: Int, end: Int, canvas: (width: Int, height: Int)
    ) -> Frame? {
        guard let x = bytes.integer(at: start, byteCount: 3, isBigEndian: false),
            let y = bytes.integer(at: start + 3, byteCount: 3, isBigEndian: false),
            let width = bytes.integer(at: start + 6, byteCount: 3, isBigEndian: false),
            let height = bytes.integer(at: start + 9, byteCount: 3, isBigEndian: false),
            end >= start + 16,
            // Positions are stored halved, sizes less one.
            2 * x + width + 1 <= canvas.width, 2 * y + height + 1 <= canvas.height
        else { return nil }
        return Frame(
            canvasWidth: canvas.width, canvasHeight: canvas.height, x: 2 * x, y: 2 * y,
            width: width + 1, height: height + 1, offset: start + 16, byteCount: end - start - 16)
    }
}
