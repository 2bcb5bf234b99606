import ModelFormats
import Native
import Testing

@Suite("Tables of sorted keys")
struct SortedTableTests {
    private static let entries = (0..<5000).map { index in
        let digits = String(index + 10_000)
        return SortedTable.Entry(
            key: Array("variable/\(digits)/weights".utf8),
            value: [UInt8](repeating: UInt8(index % 251), count: index % 150))
    }

    @Test("come back as they were written, in several blocks")
    func roundTrip() throws {
        let file = SortedTable.encode(Self.entries)
        #expect(file.count > 300_000)
        let found = try SortedTable(Memory(copying: file), name: "table").entries
        #expect(found == Self.entries)
        let empty = try SortedTable(Memory(copying: SortedTable.encode([])), name: "empty")
        #expect(empty.entries == [])
    }

    @Test("any byte that is changed in a block is noticed")
    func checksums() throws {
        let file = SortedTable.encode(Array(Self.entries.prefix(40)))
        for place in stride(from: 0, to: file.count - 60, by: 7) {
            var broken = file
            broken[place] ^= 0x10
            #expect(throws: ModelFormatError.self, "\(place)") {
                try SortedTable(Memory(copying: broken), name: "broken")
            }
        }
    }

    @Test("refuses blocks named twice")
    func twice() throws {
        let end: [UInt8] = littleEndian(UInt32(0)) + littleEndian(UInt32(1))
        let block: [UInt8] = [0, 1, 0, 1] + end
        let place: [UInt8] = [0, UInt8(block.count)]
        let once: [UInt8] = [0, 1, 2, 1] + place
        let again: [UInt8] = [0, 1, 2, 2] + place
        let plain = SortedTable.encode(block: block, compression: 0, index: once + end)
        #expect(try SortedTable(Memory(copying: plain), name: "once").entries.count == 1)
        let doubled = SortedTable.encode(block: block, compression: 0, index: once + again + end)
        let error = #expect(throws: ModelFormatError.self) {
            try SortedTable(Memory(copying: doubled), name: "twice")
        }
        #expect(error?.message.contains("one twice") == true)
    }

    @Test("refuses keys that are out of order or repeated")
    func order() throws {
        let first = SortedTable.Entry(key: [1], value: [])
        let second = SortedTable.Entry(key: [2], value: [])
        for keys in [[first, second], [second, second]] {
            var block: [UInt8] = []
            for entry in keys.reversed() { block += [0, 1, 0] + entry.key }
            block += littleEndian(UInt32(0)) + littleEndian(UInt32(1))
            let plain = [UInt8(block.count), UInt8((block.count - 1) << 2)] + block
            let error = #expect(throws: ModelFormatError.self) {
                try SortedTable(
                    Memory(copying: SortedTable.encode(block: plain, compression: 1)), name: "order"
                )
            }
            #expect(error?.code == .malformed)
        }
    }

    @Test("refuses more entries than there may be, in a block of values, of places or of neither")
    func limits() throws {
        let end: [UInt8] = littleEndian(UInt32(0)) + littleEndian(UInt32(1))
        // Empty keys and values: three bytes each in the file, and many more in memory.
        let many = [UInt8](repeating: 0, count: 3 * (SortedTable.Limits.entryCount + 1)) + end
        func code(_ block: [UInt8], index: [UInt8]? = nil, meta: [UInt8]? = nil)
            -> ModelFormatError.Code?
        {
            let file = SortedTable.encode(block: block, compression: 0, index: index, meta: meta)
            do throws(ModelFormatError) {
                _ = try SortedTable(Memory(copying: file), name: "many")
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(end) == nil)
        #expect(code(many) == .limitExceeded)
        #expect(code(end, index: many) == .limitExceeded)
        #expect(code(end, meta: many) == .limitExceeded)
    }

    @Test("refuses other compressions and files cut short")
    func others() throws {
        let file = SortedTable.encode(Array(Self.entries.prefix(3)))
        let cut = #expect(throws: ModelFormatError.self) {
            try SortedTable(Memory(copying: Array(file.dropLast())), name: "cut")
        }
        #expect(cut?.code == .malformed)
        // A block of kind 4 whose checksum is right.
        var contents = SortedTable.encode(block: [0], compression: 1)
        contents[1] = 4
        let covered = Array(contents[0..<2])
        contents.replaceSubrange(2..<6, with: littleEndian(maskedCRC32C(covered.span)))
        let other = contents
        let error = #expect(throws: ModelFormatError.self) {
            try SortedTable(Memory(copying: other), name: "other")
        }
        #expect(error?.code == .unsupported)
    }
}
