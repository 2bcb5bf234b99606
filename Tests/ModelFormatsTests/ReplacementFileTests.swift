import Native
import TestSupport
import Testing

@Suite("Replacement files")
struct ReplacementFileTests {
    @Test("take the place of the old file only when committed")
    func replaces() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1], to: "w")
        var file = try ReplacementFile(replacing: path)
        try file.write([2, 3])
        try file.write(Memory(copying: [4, 5] as [UInt8]))
        #expect(try Fixtures.bytes(path) == [1])
        #expect(try folder.names().count == 2)
        try file.commit()
        #expect(try Fixtures.bytes(path) == [2, 3, 4, 5])
        #expect(try folder.names() == ["w"])
    }

    @Test("leave nothing behind when dropped")
    func dropped() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1], to: "w")
        do {
            var file = try ReplacementFile(replacing: path)
            try file.write([2])
        }
        #expect(try Fixtures.bytes(path) == [1])
        #expect(try folder.names() == ["w"])
    }

    @Test("put the old file back where the new one cannot take its place")
    func putsBack() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([1], to: "w")
        var file = try ReplacementFile(replacing: path)
        try file.write([2])
        for name in try folder.names() where name.hasSuffix(".part") {
            try FileSystem.removeFile(folder.file(name))
        }
        var failure: NativeError?
        do throws(NativeError) {
            try file.commit(keepingOldAs: folder.file("old"))
        } catch {
            failure = error
        }
        #expect(failure?.code == .inputOutput)
        #expect(try Fixtures.bytes(path) == [1])
        #expect(try folder.names() == ["w"])
    }

    @Test("need a folder, and a name in it", arguments: ["/dev/null/w", "/", "", "."])
    func noFolder(path: String) {
        let error = #expect(throws: NativeError.self) { _ = try ReplacementFile(replacing: path) }
        #expect(error?.code == .inputOutput)
    }

    @Test("report a missing folder as missing")
    func missingFolder() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: NativeError.self) {
            _ = try ReplacementFile(replacing: folder.file("none/w"))
        }
        #expect(error?.code == .notFound)
    }
}

@Suite("Deflate and checksums")
struct DeflateTests {
    /// "hello hello hello", by Python's zlib.
    private let stream: [UInt8] = [
        0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x90, 0x00,
    ]

    @Test("inflates a stream to its exact length")
    func inflates() throws {
        let source = Memory(copying: stream)
        let result = try inflate(source, toByteCount: 17)
        #expect(crc32(result) == crc32(Memory(copying: Array("hello hello hello".utf8))))
        for wrong in [0, 16, 18, 1 << 20] {
            let error = #expect(throws: NativeError.self) {
                try inflate(source, toByteCount: wrong)
            }
            #expect(error?.code == .malformed, "\(wrong)")
        }
        for wrong in [Array(stream.dropLast()), stream + [0], [], [0xFF, 0xFF]] {
            #expect(throws: NativeError.self) {
                try inflate(Memory(copying: wrong), toByteCount: 17)
            }
        }
    }

    @Test("sums as zip files do, in one or several parts")
    func checksum() throws {
        let memory = Memory(copying: Array("123456789".utf8))
        #expect(crc32(memory) == 0xCBF4_3926)
        let first = try #require(memory.slice(offset: 0, byteCount: 4))
        let second = try #require(memory.slice(offset: 4, byteCount: 5))
        #expect(crc32(second, continuing: crc32(first)) == 0xCBF4_3926)
        let none = try #require(memory.slice(offset: 0, byteCount: 0))
        #expect(crc32(none, continuing: 5) == 5)
    }
}
