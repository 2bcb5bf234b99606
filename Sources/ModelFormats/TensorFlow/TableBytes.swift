/// Reads numbers and bytes from the front of a list, one after another; `nil` at its end.
struct TableBytes {
    private let list: [UInt8]
    private let end: Int
    /// Where the next byte is.
    private(set) var position: Int

    /// Starts at the front of a list.
    init(_ list: [UInt8]) {
        self.list = list
        position = 0
        end = list.count
    }

    /// Starts at the front of a part of a list.
    ///
    /// - Precondition: the range is within the list.
    init(_ list: [UInt8], _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= list.count)
        self.list = list
        position = range.lowerBound
        end = range.upperBound
    }

    /// Whether all has been read.
    var isAtEnd: Bool { position == end }

    /// One byte.
    mutating func byte() -> UInt8? {
        guard position < end else { return nil }
        position += 1
        return list[position - 1]
    }

    /// Some bytes.
    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= end - position else { return nil }
        position += count
        return list[position - count..<position]
    }

    /// A number of up to seven bytes, the lowest first.
    mutating func littleEndian(byteCount: Int) -> Int? {
        guard let bytes = bytes(byteCount) else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// A number of variable length, seven bits a byte, the lowest first.
    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64, let byte = byte() {
            // The tenth byte has room for one bit.
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }

    /// A number of variable length that is a count of bytes, at most those of the list.
    mutating func count() -> Int? {
        guard let number = number(), number <= UInt64(end) else { return nil }
        return Int(number)
    }
}
