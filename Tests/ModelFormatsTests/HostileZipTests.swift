import ModelFormats
import Native
import Tensors
import TestSupport
import Testing

@Suite("Hostile archives")
struct HostileZipTests {
    struct Attack: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let file: [UInt8]
        let code: ModelFormatError.Code

        init(
            _ name: String, _ code: ModelFormatError.Code,
            change: (inout ZipBuilder) -> Void
        ) {
            testDescription = name
            self.code = code
            var zip = HostileZipTests.harmless
            change(&zip)
            file = zip.build()
        }
    }

    private static let harmless = ZipBuilder(entries: [
        .init("archive/data.pkl", Pickle.weights(Pickle.tensor())),
        .init("archive/data/0", [UInt8](repeating: 0, count: 24)),
    ])

    /// A deflate stream of one stored block.
    private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt16(bytes.count)
        return [1] + littleEndian(count) + littleEndian(~count) + bytes
    }

    static let attacks: [Attack] = [
        Attack("two entries on the same bytes", .unsafeArchive) { zip in
            zip.entries[1].name = zip.entries[0].name
            zip.entries[1].headerOffset = 0
            zip.entries[1].stored = zip.entries[0].stored
            zip.entries[1].checksum = zip.entries[0].checksum
            zip.entries[1].byteCount = zip.entries[0].byteCount
        },
        Attack("an entry inside another", .unsafeArchive) { zip in
            // The first entry's bytes are a whole local header of the second.
            let inner = ZipBuilder(entries: [zip.entries[1]]).build()
            zip.entries[0].stored = inner
            zip.entries[0].byteCount = UInt32(inner.count)
            zip.entries[0].checksum = crc32(Memory(copying: inner))
            zip.entries[1].headerOffset = 30 + UInt32("archive/data.pkl".utf8.count)
        },
        Attack("1000 bytes from one", .limitExceeded) { zip in
            zip.entries[1].method = 8
            zip.entries[1].byteCount = 1000 * UInt32(zip.entries[1].stored.count)
        },
        Attack("5 GiB announced", .limitExceeded) { zip in
            zip.entries[1].method = 8
            zip.entries[1].byteCount = .max
            zip.entries[1].extra = littleEndian(UInt16(1)) + littleEndian(UInt16(8))
            zip.entries[1].extra += littleEndian(UInt64(5) << 30)
        },
        Attack("2^64 bytes announced", .limitExceeded) { zip in
            zip.entries[1].byteCount = .max
            zip.entries[1].extra = littleEndian(UInt16(1)) + littleEndian(UInt16(8))
            zip.entries[1].extra += littleEndian(UInt64.max)
        },
        Attack("20,000 entries", .limitExceeded) { zip in
            zip.entries += (0..<20_000).map { ZipBuilder.Entry("archive/\($0)", []) }
        },
        Attack("more entries announced than there are", .malformed) { zip in zip.entryCount = 3 },
        Attack("fewer entries announced than there are", .unsafeArchive) { zip in
            zip.entryCount = 1
        },
        Attack("a name that climbs", .unsafeArchive) { zip in
            zip.entries[1].name = Array("archive/../../data/0".utf8)
        },
        Attack("an absolute name", .unsafeArchive) { zip in
            zip.entries[1].name = Array("/archive/data/0".utf8)
        },
        Attack("a drive letter", .unsafeArchive) { zip in
            zip.entries[1].name = Array("C:/data/0".utf8)
        },
        Attack("a backslash", .unsafeArchive) { zip in
            zip.entries[1].name = Array("archive\\data\\0".utf8)
        },
        Attack("NUL in a name", .unsafeArchive) { zip in
            zip.entries[1].name = Array("archive/data/0\0.txt".utf8)
        },
        Attack("an empty name", .unsafeArchive) { zip in zip.entries[1].name = [] },
        Attack("a name that is no text", .malformed) { zip in zip.entries[1].name = [0xFF] },
        Attack("the same name twice", .unsafeArchive) { zip in
            zip.entries.append(zip.entries[1])
        },
        Attack("two pickles", .unsafeArchive) { zip in
            zip.entries.append(.init("other/data.pkl", zip.entries[0].stored))
        },
        Attack("another name in the local header", .unsafeArchive) { zip in
            zip.entries[1].localName = Array("archive/data/1".utf8)
        },
        Attack("another size in the local header", .unsafeArchive) { zip in
            zip.entries[1].localByteCount = 23
        },
        Attack("another method in the local header", .unsafeArchive) { zip in
            zip.entries[1].localMethod = 8
        },
        Attack("two sizes of a stored entry", .unsafeArchive) { zip in
            zip.entries[1].compressedByteCount = 20
        },
        Attack("a wrong checksum", .checksumMismatch) { zip in zip.entries[1].checksum ^= 1 },
        Attack("a wrong checksum of the pickle", .checksumMismatch) { zip in
            zip.entries[0].checksum ^= 1
        },
        Attack("sizes after the entry that differ", .unsafeArchive) { zip in
            zip.entries[1].flags = 8
            zip.entries[1].descriptor = littleEndian(zip.entries[1].checksum)
            zip.entries[1].descriptor += littleEndian(UInt32(24)) + littleEndian(UInt32(25))
        },
        Attack("no sizes after the entry", .unsafeArchive) { zip in zip.entries[1].flags = 8 },
        Attack("a stream that gives more than announced", .malformed) { zip in
            zip.entries[1].method = 8
            zip.entries[1].stored = deflated([UInt8](repeating: 0, count: 1000))
        },
        Attack("a stream that gives less than announced", .malformed) { zip in
            zip.entries[1].method = 8
            zip.entries[1].stored = deflated([UInt8](repeating: 0, count: 23))
        },
        Attack("an encrypted entry", .unsupported) { zip in zip.entries[1].flags = 1 },
        Attack("another compression", .unsupported) { zip in zip.entries[1].method = 14 },
        Attack("a header beyond the end", .malformed) { zip in
            zip.entries[1].headerOffset = 1 << 30
        },
        Attack("an entry that reaches into the directory", .malformed) { zip in
            zip.entries[1].byteCount += 40
            zip.entries[1].compressedByteCount = zip.entries[1].byteCount
        },
        Attack("bytes between directory and end", .unsafeArchive) { zip in zip.gap = [1, 2, 3] },
        Attack("two end records that differ", .unsafeArchive) { zip in zip.zip64Surplus = 1 },
        Attack("a pickle of a big-endian machine", .unsupported) { zip in
            zip.entries.append(.init("archive/byteorder", Array("big".utf8)))
        },
        Attack("no pickle", .missingEntry) { zip in zip.entries.removeFirst() },
        Attack("no entries", .missingEntry) { zip in zip.entries = [] },
    ]

    @Test("are refused for the right reason", arguments: attacks)
    func refused(attack: Attack) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(attack.file, to: "attack.pth")
        let error = #expect(throws: ModelFormatError.self) {
            try WeightFile(contentsOf: path)
        }
        #expect(error?.code == attack.code, "\(error?.message ?? "")")
        #expect(try folder.names() == ["attack.pth"])
    }

    @Test("are not refused for being archives: the harmless ones are read")
    func harmlessOnes() throws {
        var zip = Self.harmless
        zip.entries[1].method = 8
        let numbers = [0, 1, 2, 3, 4, 5].flatMap { littleEndian(Float($0).bitPattern) }
        zip.entries[1].stored = Self.deflated(numbers)
        zip.entries[1].checksum = crc32(Memory(copying: numbers))
        for surplus in [nil, 0] as [UInt64?] {
            zip.zip64Surplus = surplus
            let file = try WeightFile(reading: Memory(copying: zip.build()), name: "x")
            #expect(file.tensors[0].tensor.floats() == [0, 1, 2, 3, 4, 5])
        }
    }
}
