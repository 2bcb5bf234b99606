import ModelFormats
import Native
import Testing

/// Snappy is read only inside tables, so these are tables of one block that is made by hand.
@Suite("Snappy blocks of a table")
struct SnappyTests {
    private func entries(_ block: [UInt8]) throws -> [SortedTable.Entry] {
        let file = SortedTable.encode(block: block, compression: 1)
        return try SortedTable(Memory(copying: file), name: "snappy").entries
    }

    /// One entry: key "k", value of 12 bytes "abababababab", and one restart.
    private static let plain: [UInt8] =
        [0, 1, 12, UInt8(ascii: "k")] + Array("abababababab".utf8)
        + littleEndian(UInt32(0)) + littleEndian(UInt32(1))

    @Test("literals and overlapping copies of all three kinds")
    func decodes() throws {
        let literal = [UInt8(5 << 2)] + Self.plain.prefix(6)
        let tail = [UInt8(7 << 2)] + Self.plain.suffix(8)
        // Ten bytes from two before: as kinds 1, 2 and 4.
        for copy: [UInt8] in [
            [(10 - 4) << 2 | 1, 2], [9 << 2 | 2, 2, 0], [9 << 2 | 3, 2, 0, 0, 0],
        ] {
            let found = try entries([UInt8(Self.plain.count)] + literal + copy + tail)
            #expect(found == [.init(key: [0x6B], value: Array("abababababab".utf8))])
        }
        let long = [UInt8(Self.plain.count), 60 << 2, UInt8(Self.plain.count - 1)] + Self.plain
        #expect(try entries(long).count == 1)
    }

    static let broken: [(block: [UInt8], code: ModelFormatError.Code)] = [
        ([], .malformed), ([0x80], .malformed), ([4, 0], .malformed),
        ([4, 3 << 2, 1], .malformed), ([4, 1], .malformed), ([4, 0, 7, 1 | 2 << 2], .malformed),
        ([4, 0, 7, 2 << 2 | 2, 0, 0], .malformed), ([4, 0, 7, 2 << 2 | 2, 2, 0], .malformed),
        ([4, 0, 7, 9 << 2 | 2, 1, 0], .malformed), ([4, 63 << 2, 255, 255, 255, 255], .malformed),
        ([255, 255, 255, 255, 15, 0], .limitExceeded), ([4, 0, 7, 3, 1], .malformed),
        ([255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0], .limitExceeded),
    ]

    @Test("refuses damage and bombs", arguments: broken.indices)
    func refuses(index: Int) throws {
        let (block, code) = Self.broken[index]
        let error = #expect(throws: ModelFormatError.self) { try entries(block) }
        #expect(error?.code == code)
    }
}
