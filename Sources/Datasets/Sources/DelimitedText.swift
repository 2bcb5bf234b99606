import Native

/// Reads rows of fields between commas, semicolons or tabs, quoted or not.
///
/// Source: RFC 4180; besides, lines may end in a line feed alone, empty lines are passed over, and a byte order mark is
/// dropped.
struct DelimitedText {
    /// Bytes of one field at most, and fields of a row.
    private static let fieldByteCount = 1 << 20
    private static let fieldCount = 4096

    /// The number of the line that the last row began in, from 1.
    private(set) var line = 0

    private let memory: Memory
    private let name: String
    private let delimiter: UInt8
    private var position: Int
    private var nextLine = 1

    /// Starts reading.
    ///
    /// - Parameters:
    ///   - memory: the text, in UTF-8.
    ///   - name: how messages call it.
    init(_ memory: Memory, name: String) {
        self.memory = memory
        self.name = name
        let bytes = memory.bytes
        position = bytes.holds("\u{FEFF}", at: 0) ? 3 : 0
        // Whichever of the three the first line has; tabs first, as they hardly occur in names.
        var counts: [UInt8: Int] = [:]
        var index = position
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            counts[bytes[index], default: 0] += 1
            index += 1
        }
        delimiter =
            [UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: ";")]
            .first { counts[$0] != nil } ?? UInt8(ascii: ",")
    }

    /// The fields of the next row; `nil` at the end.
    ///
    /// - Throws: `DatasetError` with code `.malformed` or `.limitExceeded`.
    mutating func next() throws(DatasetError) -> [String]? {
        // A copy, which shares the bytes, so that this value can change while they are looked at.
        let memory = memory
        let bytes = memory.bytes
        while position < bytes.count, isLineEnd(bytes[position]) {
            if bytes[position] == UInt8(ascii: "\n") { nextLine += 1 }
            position += 1
        }
        guard position < bytes.count else { return nil }
        line = nextLine
        var fields: [String] = []
        while true {
            let field = try field(bytes)
            fields.append(field)
            guard fields.count <= Self.fieldCount else {
                throw DatasetError(
                    .limitExceeded,
                    "\(name), line \(line): expected at most \(Self.fieldCount) fields")
            }
            guard position < bytes.count, bytes[position] == delimiter else { return fields }
            position += 1
        }
    }

    private mutating func field(_ bytes: Span<UInt8>) throws(DatasetError) -> String {
        var field: [UInt8] = []
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            position += 1
            while true {
                guard position < bytes.count else {
                    throw DatasetError(
                        .malformed, "\(name), line \(line): a quoted field does not end")
                }
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: "\"") {
                    guard position < bytes.count, bytes[position] == byte else { break }
                    position += 1
                }
                if byte == UInt8(ascii: "\n") { nextLine += 1 }
                try append(byte, to: &field)
            }
            guard
                position == bytes.count || bytes[position] == delimiter
                    || isLineEnd(bytes[position])
            else {
                throw DatasetError(
                    .malformed,
                    "\(name), line \(line): expected the end of a field after its closing quote")
            }
        } else {
            while position < bytes.count, bytes[position] != delimiter,
                !isLineEnd(bytes[position])
            {
                try append(bytes[position], to: &field)
                position += 1
            }
        }
        guard let text = String(validating: field, as: UTF8.self) else {
            throw DatasetError(
                .malformed, "\(name), line \(line): expected UTF-8, found other bytes")
        }
        return text
    }

    private func append(_ byte: UInt8, to field: inout [UInt8]) throws(DatasetError) {
        guard field.count < Self.fieldByteCount else {
            throw DatasetError(
                .limitExceeded,
                "\(name), line \(line): expected at most \(Self.fieldByteCount) bytes in a field")
        }
        field.append(byte)
    }

    private func isLineEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
}
