/// A message in Protocol Buffers' wire format, being put together.
///
/// Source: the format's description at protobuf.dev, "Encoding". A whole library is not worth the five fields
/// that are written here.
struct WireMessage {
    /// The bytes so far.
    private(set) var bytes: [UInt8] = []

    /// Adds an integer field; negative ones take ten bytes, as `int64` does.
    mutating func add(_ field: Int, integer value: Int) {
        add(key: field, wireType: 0)
        add(varint: UInt64(bitPattern: Int64(value)))
    }

    /// Adds a `double` field.
    mutating func add(_ field: Int, double value: Double) {
        add(key: field, wireType: 1)
        add(littleEndian: value.bitPattern)
    }

    /// Adds a `float` field.
    mutating func add(_ field: Int, float value: Float) {
        add(key: field, wireType: 5)
        add(littleEndian: value.bitPattern)
    }

    /// Adds a `string` field.
    mutating func add(_ field: Int, text: String) { add(field, bytes: Array(text.utf8)) }

    /// Adds a field that is a message.
    mutating func add(_ field: Int, message: WireMessage) { add(field, bytes: message.bytes) }

    private mutating func add(_ field: Int, bytes value: [UInt8]) {
        add(key: field, wireType: 2)
        add(varint: UInt64(value.count))
        bytes += value
    }

    private mutating func add(key field: Int, wireType: UInt64) {
        add(varint: UInt64(field) << 3 | wireType)
    }

    private mutating func add(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func add(littleEndian value: some FixedWidthInteger) {
        bytes.appendLittleEndian(value)
    }
}

extension [UInt8] {
    /// Appends an integer, its lowest byte first.
    mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        for place in 0..<value.bitWidth / 8 {
            append(UInt8(truncatingIfNeeded: value >> (8 * place)))
        }
    }
}
