/// Decodes snappy's block format, with which index tables of TensorFlow's checkpoints may be compressed.
///
/// Source: google/snappy, `format_description.txt`.
enum Snappy {
    /// Bytes that one element, which takes at least three, can give at most: 64.
    private static let maximumRatio = 64

    /// Decodes a whole block.
    ///
    /// - Parameters:
    ///   - source: the block, and nothing after it.
    ///   - limit: how many bytes it may give.
    /// - Throws: `ModelFormatError` with code `.malformed` or `.limitExceeded`, its message without the file's name.
    static func decode(_ source: [UInt8], limit: Int) throws(ModelFormatError) -> [UInt8] {
        var reader = TableBytes(source)
        guard let count = reader.number() else { throw damaged("its length is missing") }
        guard count <= UInt64(limit), count <= UInt64(source.count * maximumRatio) else {
            throw ModelFormatError(
                .limitExceeded,
                "a snappy block of \(source.count) bytes claims to hold \(count)")
        }
        let total = Int(count)
        var target: [UInt8] = []
        target.reserveCapacity(total)
        while let tag = reader.byte() {
            let high = Int(tag >> 2)
            let length: Int
            let distance: Int
            switch tag & 3 {
            case 0:
                var count = high + 1
                if high >= 60 {
                    guard let number = reader.littleEndian(byteCount: high - 59) else {
                        throw damaged("it is cut short")
                    }
                    count = number + 1
                }
                guard count <= total - target.count, let bytes = reader.bytes(count) else {
                    throw damaged("a literal of \(count) bytes has no room")
                }
                target += bytes
                continue
            case 1:
                guard let low = reader.byte() else { throw damaged("it is cut short") }
                length = 4 + (high & 7)
                distance = (high >> 3) << 8 | Int(low)
            case 2:
                guard let number = reader.littleEndian(byteCount: 2) else {
                    throw damaged("it is cut short")
                }
                length = high + 1
                distance = number
            default:
                guard let number = reader.littleEndian(byteCount: 4) else {
                    throw damaged("it is cut short")
                }
                length = high + 1
                distance = number
            }
            guard distance > 0, distance <= target.count, length <= total - target.count else {
                throw damaged(
                    "a copy of \(length) bytes from \(distance) before has no source or room")
            }
            // Byte by byte: source and target may overlap, which repeats a pattern.
            for _ in 0..<length { target.append(target[target.count - distance]) }
        }
        guard target.count == total else {
            throw damaged("expected \(total) bytes, found \(target.count)")
        }
        return target
    }

    private static func damaged(_ reason: String) -> ModelFormatError {
        ModelFormatError(.malformed, "a snappy block is damaged: \(reason)")
    }
}
