import Native

/// The orientation tag of EXIF data, a TIFF structure of its own inside an image file.
///
/// Source: CIPA DC-008 (Exif 2.32), section 4.6.4; TIFF 6.0, section 2.
package enum ExifOrientation {
    /// The orientation, 1...8; 1 where the bytes have none or are damaged, as they change no pixel.
    ///
    /// - Parameter bytes: from the byte-order mark on; a leading `Exif\0\0` is skipped.
    package static func read(_ bytes: Span<UInt8>, from start: Int = 0) -> Int {
        let base = bytes.hasText("Exif\0\0", at: start) ? start + 6 : start
        let isBigEndian = bytes.hasText("MM\0*", at: base)
        guard isBigEndian || bytes.hasText("II*\0", at: base),
            let directory = bytes.integer(at: base + 4, byteCount: 4, isBigEndian: isBigEndian),
            let entryCount = bytes.integer(
                at: base + directory, byteCount: 2, isBigEndian: isBigEndian)
        else { return 1 }
        for index in 0..<entryCount {
            let entry = base + directory + 2 + index * 12
            guard let tag = bytes.integer(at: entry, byteCount: 2, isBigEndian: isBigEndian),
                let type = bytes.integer(at: entry + 2, byteCount: 2, isBigEndian: isBigEndian),
                let count = bytes.integer(at: entry + 4, byteCount: 4, isBigEndian: isBigEndian)
            else { return 1 }
            guard tag == 0x0112 else { continue }
            // A short by the standard; some programs write a long.
            guard type == 3 || type == 4, count == 1,
                let value = bytes.integer(
                    at: entry + 8, byteCount: type == 3 ? 2 : 4, isBigEndian: isBigEndian)
            else { return 1 }
            return (1...8).contains(value) ? value : 1
        }
        return 1
    }
}

/// The pixels of an upright picture in terms of the stored one.
struct Orientation {
    /// The size of the upright picture.
    let width: Int
    let height: Int
    /// The stored pixel that comes out top left, and the steps to its right and lower neighbours.
    let start: Int
    let stepRight: Int
    let stepDown: Int

    /// The EXIF orientation `value`, 1...8, of a stored picture.
    init(_ value: Int, storedWidth: Int, storedHeight: Int) {
        let isTurned = value >= 5
        width = isTurned ? storedHeight : storedWidth
        height = isTurned ? storedWidth : storedHeight
        // Which side of the stored picture the upright one's left column and top row are.
        let right = storedWidth - 1
        let bottom = (storedHeight - 1) * storedWidth
        let (x, y) = (1, storedWidth)
        (start, stepRight, stepDown) =
            switch value {
            case 2: (right, -x, y)
            case 3: (right + bottom, -x, -y)
            case 4: (bottom, x, -y)
            case 5: (0, y, x)
            case 6: (bottom, -y, x)
            case 7: (right + bottom, -y, -x)
            case 8: (right, y, -x)
            default: (0, x, y)
            }
    }
}

extension Image {
    /// The picture turned as its `orientation` says.
    func upright() throws(ImageError) -> Image {
        guard orientation != 1 else { return self }
        let turn = Orientation(orientation, storedWidth: width, storedHeight: height)
        var target = try Image.reserve(width: turn.width, height: turn.height)
        turn.move(pixels.span(of: Pixel.self), to: target.mutableSpan(of: Pixel.self))
        return Image(
            width: turn.width, height: turn.height, pixels: target.finish(), format: format,
            orientation: orientation, damage: damage)
    }
}

/// Red, green and blue, moved as one.
private struct Pixel: BitwiseCopyable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8
}

extension Orientation {
    /// Copies pixels in squares, so that rows read as columns stay in the cache.
    fileprivate func move(_ source: Span<Pixel>, to target: consuming MutableSpan<Pixel>) {
        let side = 32
        for top in stride(from: 0, to: height, by: side) {
            for left in stride(from: 0, to: width, by: side) {
                for y in top..<min(top + side, height) {
                    var from = start + y * stepDown + left * stepRight
                    for to in y * width + left..<y * width + min(left + side, width) {
                        target[to] = source[from]
                        from += stepRight
                    }
                }
            }
        }
    }
}
