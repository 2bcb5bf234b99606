/// Reads a protocol buffer's fields one after the other; damaged bytes end it.
struct WireReader {
    /// A field's number and what it holds.
    enum Field {
        case number(Int, UInt64)
        case bytes(Int, ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field; `nil` at the end, or where the bytes are not a field.
    mutating func next() -> Field? {
        guard let key = varint(), key >> 3 > 0, key >> 3 < 1 << 29 else { return nil }
        let number = Int(key >> 3)
        switch key & 7 {
        case 0: return varint().map { .number(number, $0) }
        case 1: return fixed(8).map { .number(number, $0) }
        case 2:
            guard let count = varint(), count <= UInt64(rest.count) else { return nil }
            let bytes = rest.prefix(Int(count))
            rest = rest.dropFirst(Int(count))
            return .bytes(number, bytes)
        case 5: return fixed(4).map { .number(number, $0) }
        default: return nil
        }
    }

    /// Numbers packed behind each other.
    static func packed(_ bytes: ArraySlice<UInt8>) -> [UInt64] {
        var reader = WireReader(bytes)
        var numbers: [UInt64] = []
        while let number = reader.varint() { numbers.append(number) }
        return numbers
    }

    private mutating func varint() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    private mutating func fixed(_ count: Int) -> UInt64? {
        guard rest.count >= count else { return nil }
        var number: UInt64 = 0
        for (place, byte) in rest.prefix(count).enumerated() {
            number |= UInt64(byte) << UInt64(8 * place)
        }
        rest = rest.dropFirst(count)
        return number
    }
}
