import ModelFormats
import Native
import Testing

@Suite("PyTorch's older forms")
struct OlderFormsTests {
    /// Replaces one occurrence of some bytes.
    private func replacing(
        _ old: [UInt8], by new: [UInt8], in file: [UInt8]
    ) throws -> [UInt8] {
        let place = try #require(
            file.indices.first { file.count - $0 >= old.count && file[$0...].starts(with: old) })
        return Array(file[..<place]) + new + Array(file[(place + old.count)...])
    }

    @Test("of another version are refused")
    func version() throws {
        let file = try Fixtures.bytes(Fixtures.weights("legacy.pth"))
        let changed = try replacing([0x4D, 0xE9, 3], by: [0x4D, 0xEA, 3], in: file)
        #expect(failure(reading: changed) == .unsupported)
    }

    @Test("of a big-endian machine are refused")
    func byteOrder() throws {
        let file = try Fixtures.bytes(Fixtures.weights("legacy.pth"))
        let name = Array("little_endian".utf8)
        // The key, its place in the memo, then True.
        let key =
            try #require(
                file.indices.first { file[$0...].starts(with: name) }) + name.count
        var changed = file
        #expect(changed[key + 2] == 0x88)
        changed[key + 2] = 0x89
        #expect(failure(reading: changed) == .unsupported)
    }

    @Test("with too few or too many elements are refused")
    func elementCount() throws {
        let file = try Fixtures.bytes(Fixtures.weights("legacy.pth"))
        // The first storage holds the 24 elements of conv1.weight.
        let count = littleEndian(Int64(24))
        #expect(
            failure(reading: try replacing(count, by: littleEndian(Int64(23)), in: file)) != nil)
        for wrong in [Int64.max, -1, 1 << 40] {
            let changed = try replacing(count, by: littleEndian(wrong), in: file)
            #expect(failure(reading: changed) == .malformed)
        }
        #expect(failure(reading: Array(file.dropLast())) == .malformed)
    }

    @Test("with a storage that nothing describes are refused")
    func unknownStorage() throws {
        let pickles = bytes(
            [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E],
            [0x80, 2, 0x4D, 0xE9, 3, 0x2E],
            Pickle.proto, Pickle.emptyDictionary, Pickle.text("little_endian"), [0x88],
            Pickle.setItem, Pickle.stop)
        let empty = bytes(Pickle.proto, Pickle.emptyDictionary, Pickle.stop)
        let keys = bytes(Pickle.proto, Pickle.emptyList, Pickle.text("7"), [0x61], Pickle.stop)
        #expect(failure(reading: pickles + empty + keys) == .missingEntry)
        #expect(failure(reading: pickles + empty + empty) == .malformed)
    }

    @Test("in a tar archive that is damaged or holds links are refused")
    func tar() throws {
        let file = try Fixtures.bytes(Fixtures.weights("tar.pth"))
        var damaged = file
        damaged[0] ^= 1
        #expect(failure(reading: damaged) == .checksumMismatch)
        var link = file
        link[156] = UInt8(ascii: "2")
        // The header's checksum counts the type: one digit more than a plain file's.
        link[153] += 2
        #expect(failure(reading: link) == .unsafeArchive)
        #expect(failure(reading: Array(file.prefix(600))) == .missingEntry)
        #expect(failure(reading: Array(file.prefix(520))) == .malformed)
    }
}
