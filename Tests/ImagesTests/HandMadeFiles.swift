/// Files written byte by byte, for what no encoder writes.
enum HandMade {
    // MARK: JPEG

    static func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] {
        [0xFF, marker] + bigEndian(body.count + 2, byteCount: 2) + body
    }

    /// A JPEG up to its frame header: one quantization table, then the size.
    static func jpegStart(
        width: Int, height: Int, components: Int = 1, frame: UInt8 = 0xC0, precision: UInt8 = 8
    ) -> [UInt8] {
        let table = segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
        let size = bigEndian(height, byteCount: 2) + bigEndian(width, byteCount: 2)
        let list = (0..<components).flatMap { index -> [UInt8] in [UInt8(index + 1), 0x11, 0] }
        return [0xFF, 0xD8] + table
            + segment(frame, [precision] + size + [UInt8(components)] + list)
    }

    /// A Huffman table with the single code `0`, for `symbol`; class 0 is for DC, 1 for AC.
    static func huffmanTable(class kind: UInt8, symbol: UInt8) -> [UInt8] {
        segment(0xC4, [kind << 4, 1] + [UInt8](repeating: 0, count: 15) + [symbol])
    }

    /// One scan over the first component, all of whose codes are `0`.
    static func scan(from: UInt8, to: UInt8, approximation: UInt8, bytes: Int = 1) -> [UInt8] {
        segment(0xDA, [1, 1, 0, from, to, approximation]) + [UInt8](repeating: 0, count: bytes)
    }

    /// An 8 x 8 progressive grey JPEG with a valid scan for every coefficient and bit.
    static func manyScans(_ count: Int) -> [UInt8] {
        var bytes = jpegStart(width: 8, height: 8, frame: 0xC2)
        bytes += huffmanTable(class: 0, symbol: 0) + huffmanTable(class: 1, symbol: 0)
        bytes += scan(from: 0, to: 0, approximation: 0)
        var left = count - 1
        for low in stride(from: 13, through: 0, by: -1) {
            let high = low == 13 ? 0 : low + 1
            for coefficient in 1...63 where left > 0 {
                bytes += scan(
                    from: UInt8(coefficient), to: UInt8(coefficient),
                    approximation: UInt8(high << 4 | low))
                left -= 1
            }
        }
        return bytes + [0xFF, 0xD9]
    }

    /// An entry list of EXIF data with an orientation, as the body of a JPEG segment.
    static func exif(orientation: Int, isBigEndian: Bool = true) -> [UInt8] {
        func number(_ value: Int, _ byteCount: Int) -> [UInt8] {
            let bytes = bigEndian(value, byteCount: byteCount)
            return isBigEndian ? bytes : bytes.reversed()
        }
        return Array("Exif\0\0".utf8) + Array(isBigEndian ? "MM\0*".utf8 : "II*\0".utf8)
            + number(8, 4) + number(1, 2) + number(0x0112, 2) + number(3, 2) + number(1, 4)
            + number(orientation, 2) + [0, 0] + number(0, 4)
    }

    // MARK: PNG

    static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    static func chunk(_ name: String, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
        let named = Array(name.utf8) + body
        return bigEndian(length ?? body.count, byteCount: 4) + named
            + bigEndian(Int(checksum(named)), byteCount: 4)
    }

    static func pngHeader(
        width: Int, height: Int, bits: UInt8 = 8, colorType: UInt8 = 2, interlaced: UInt8 = 0
    ) -> [UInt8] {
        chunk(
            "IHDR",
            bigEndian(width, byteCount: 4) + bigEndian(height, byteCount: 4)
                + [bits, colorType, 0, 0, interlaced])
    }

    /// Bytes as a zlib stream of stored blocks, so without compression.
    static func stored(_ body: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x78, 0x01]
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in body {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        let pieces = stride(from: 0, to: max(body.count, 1), by: 65_535)
        for start in pieces {
            let piece = body[start..<min(start + 65_535, body.count)]
            let length = bigEndian(piece.count, byteCount: 2).reversed()
            result += [start + 65_535 >= body.count ? 1 : 0] + length + length.map { ~$0 } + piece
        }
        return result + bigEndian(Int(b << 16 | a), byteCount: 4)
    }

    /// 100 kB of zlib stream that unpack to 16 MB: a zero, then copies of the 258 bytes before, 13 bits each.
    static let deflatedZeros: [UInt8] = {
        var bytes: [UInt8] = [0x78, 0xDA]
        var pending = 0
        var pendingCount = 0
        func write(_ bits: Int, count: Int) {
            pending |= bits << pendingCount
            pendingCount += count
            while pendingCount >= 8 {
                bytes.append(UInt8(pending & 0xFF))
                pending >>= 8
                pendingCount -= 8
            }
        }
        // The last block, in fixed codes; codes are written from their highest bit on.
        write(0b011, count: 3)
        write(0b0000_1100, count: 8)
        for _ in 0..<62_000 { write(0b0_0000_1010_0011, count: 13) }
        write(0, count: 14)
        return bytes
    }()

    /// A whole PNG of 1 x 1 black pixel, with chunks in front of its pixels.
    static func png(extra: [UInt8] = []) -> [UInt8] {
        pngSignature + pngHeader(width: 1, height: 1) + extra
            + chunk("IDAT", stored([0, 0, 0, 0])) + chunk("IEND", [])
    }

    // MARK: WebP

    static func riff(_ body: [UInt8]) -> [UInt8] {
        Array("RIFF".utf8) + littleEndian(body.count + 4, byteCount: 4) + Array("WEBP".utf8) + body
    }

    static func part(_ name: String, _ body: [UInt8]) -> [UInt8] {
        Array(name.utf8) + littleEndian(body.count, byteCount: 4) + body
            + [UInt8](repeating: 0, count: body.count % 2)
    }

    /// The chunk that gives a canvas' size; flag 2 says that it is animated.
    static func canvas(width: Int, height: Int, flags: UInt8 = 2) -> [UInt8] {
        part(
            "VP8X",
            [flags, 0, 0, 0] + littleEndian(width - 1, byteCount: 3)
                + littleEndian(height - 1, byteCount: 3))
    }

    static func frame(x: Int, y: Int, width: Int, height: Int, coded: [UInt8]) -> [UInt8] {
        part(
            "ANMF",
            littleEndian(x / 2, byteCount: 3) + littleEndian(y / 2, byteCount: 3)
                + littleEndian(width - 1, byteCount: 3) + littleEndian(height - 1, byteCount: 3)
                + [100, 0, 0, 0] + coded)
    }

    /// The header of a lossless picture, without its pixels.
    static func losslessHeader(width: Int, height: Int) -> [UInt8] {
        part(
            "VP8L", [0x2F] + littleEndian(width - 1 | (height - 1) << 14, byteCount: 4) + [0, 0, 0])
    }

    // MARK: Integers

    static func bigEndian(_ value: Int, byteCount: Int) -> [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * (byteCount - 1 - $0))) }
    }

    static func littleEndian(_ value: Int, byteCount: Int) -> [UInt8] {
        bigEndian(value, byteCount: byteCount).reversed()
    }
}
