/// Walks over the fields of a message in protocol buffers' wire format, in bytes of strangers.
///
/// Messages are decoded by swift-protobuf. This one looks at them before, so that limits hold before memory is taken, and
/// so that megabytes of elements can stay in a mapped file.
///
/// Source: protobuf.dev/programming-guides/encoding.
struct WireReader {
    /// A field of a message.
    struct Field {
        /// The field's number.
        let number: Int
        /// All its bytes, from the key on.
        let range: Range<Int>
        /// The bytes of a text, a message or packed numbers; `nil` for a single number.
        let content: Range<Int>?
    }

    private var position: Int
    private let end: Int
    /// Whether something was found that no message can be.
    private(set) var isBroken = false

    /// Starts to read the message that lies in a range.
    ///
    /// - Precondition: the range is within the bytes that `next` is given.
    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field; `nil` at the end and where `isBroken`.
    mutating func next(_ bytes: Span<UInt8>) -> Field? {
        guard position < end, !isBroken else { return nil }
        let start = position
        guard let key = number(bytes), key >> 3 > 0, key >> 3 < 1 << 29 else { return broken() }
        var content: Range<Int>?
        switch key & 7 {
        case 0:
            guard number(bytes) != nil else { return broken() }
        case 1, 5:
            let width = key & 7 == 1 ? 8 : 4
            guard end - position >= width else { return broken() }
            position += width
        case 2:
            guard let count = number(bytes), count <= UInt64(end - position) else {
                return broken()
            }
            content = position..<position + Int(count)
            position += Int(count)
        default: return broken()
        }
        return Field(number: Int(key >> 3), range: start..<position, content: content)
    }

    private mutating func broken() -> Field? {
        isBroken = true
        return nil
    }

    private mutating func number(_ bytes: Span<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            // The tenth byte has room for one bit.
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}

extension [UInt8] {
    /// Appends a number of variable length.
    package mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends the key and the length of a text, a message or packed numbers, which follow.
    package mutating func append(field number: Int, byteCount: Int) {
        append(varint: UInt64(number) << 3 | 2)
        append(varint: UInt64(byteCount))
    }
}
