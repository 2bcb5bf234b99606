/// Bounds-checked reading of integers and signatures; `nil` or false outside the bytes.
extension Span<UInt8> {
    /// Whether these bytes stand at an offset.
    func hasBytes(_ expected: [UInt8], at offset: Int) -> Bool {
        guard offset >= 0, offset <= count, expected.count <= count - offset else { return false }
        for index in expected.indices where self[offset + index] != expected[index] {
            return false
        }
        return true
    }

    /// Whether this text stands at an offset, in UTF-8.
    func hasText(_ expected: String, at offset: Int) -> Bool {
        hasBytes(Array(expected.utf8), at: offset)
    }

    /// An unsigned integer of `byteCount` bytes, at most 7.
    func integer(at offset: Int, byteCount: Int, isBigEndian: Bool) -> Int? {
        guard offset >= 0, offset <= count, byteCount <= count - offset else { return nil }
        var value = 0
        for index in 0..<byteCount {
            let byte = self[offset + (isBigEndian ? index : byteCount - 1 - index)]
            value = value << 8 | Int(byte)
        }
        return value
    }
}
