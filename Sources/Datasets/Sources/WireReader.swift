/// Reads protocol buffers' wire format from bytes of strangers, field by field.
///
/// It is written by hand rather than with swift-protobuf: `tf.Example` needs four messages, whose pictures shall stay where
/// they are in the mapped shard instead of being copied out with every field; and what cannot be is refused at once.
///
/// Source: protobuf.dev/programming-guides/encoding.
struct WireReader {
    /// A field of a message.
    struct Field {
        /// The field's number.
        let number: Int
        /// Its value.
        let value: Value
    }

    /// A field's value, as it is coded.
    enum Value {
        /// A number of variable length.
        case number(UInt64)
        /// Where bytes, a text, a message or packed numbers lie.
        case bytes(Range<Int>)
        /// A number of fixed length.
        case fixed
    }

    /// Where the next field begins.
    private(set) var position: Int
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
        guard let key = number(bytes), key >> 3 > 0, key >> 3 < 1 << 29 else { return broken() }
        let field = Int(key >> 3)
        switch key & 7 {
        case 0:
            guard let value = number(bytes) else { return broken() }
            return Field(number: field, value: .number(value))
        case 1, 5:
            let width = key & 7 == 1 ? 8 : 4
            guard end - position >= width else { return broken() }
            position += width
            return Field(number: field, value: .fixed)
        case 2:
            guard let count = number(bytes), count <= UInt64(end - position) else {
                return broken()
            }
            let range = position..<position + Int(count)
            position = range.upperBound
            return Field(number: field, value: .bytes(range))
        default: return broken()
        }
    }

    /// The next number of variable length, as in packed fields; `nil` at the end and where `isBroken`.
    mutating func nextNumber(_ bytes: Span<UInt8>) -> UInt64? {
        guard position < end, !isBroken else { return nil }
        guard let value = number(bytes) else {
            isBroken = true
            return nil
        }
        return value
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
