/// Bounds-checked reading; `nil` or false outside the bytes.
extension Span<UInt8> {
    /// The little-endian number at an offset.
    func littleEndian<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value? {
        let width = Value.bitWidth / 8
        guard offset >= 0, offset <= count, count - offset >= width else { return nil }
        var value: Value = 0
        for index in 0..<width {
            value |= Value(truncatingIfNeeded: self[offset + index]) << (8 * index)
        }
        return value
    }

    /// Whether this text stands at an offset, in UTF-8.
    func holds(_ expected: StaticString, at offset: Int) -> Bool {
        let bytes = Array(expected.description.utf8)
        guard offset >= 0, offset <= count, count - offset >= bytes.count else { return false }
        for index in bytes.indices where self[offset + index] != bytes[index] { return false }
        return true
    }

    /// Some bytes as text; `nil` where they are outside or not UTF-8.
    func text(_ range: Range<Int>) -> String? {
        guard range.lowerBound >= 0, range.upperBound <= count else { return nil }
        return String(validating: copy(range), as: UTF8.self)
    }

    /// A copy of some bytes.
    ///
    /// - Precondition: the range is within the bytes.
    func copy(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        for index in range { result.append(self[index]) }
        return result
    }
}

extension [UInt8] {
    /// Adds a number, the lowest byte first.
    mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
        for index in 0..<Value.bitWidth / 8 {
            append(UInt8(truncatingIfNeeded: value >> (8 * index)))
        }
    }
}
