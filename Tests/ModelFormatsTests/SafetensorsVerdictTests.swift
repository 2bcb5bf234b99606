import Foundation
import ModelFormats
import Native
import Testing

@Suite("Safetensors verdicts")
struct SafetensorsVerdictTests {
    /// One file with what the Python package makes of it; see `Scripts/fixtures/safetensors_cases.py`.
    struct Case {
        let name: String
        let isAccepted: Bool
        let digest: UInt32
        let file: [UInt8]
    }

    private static let generated = ProcessInfo.processInfo.environment["RESNET_SAFETENSORS_CASES"]

    @Test("equal the Python package's on the trickiest files")
    func trickyCases() throws {
        let cases = try Self.cases("\(Fixtures.folder)/safetensors-cases.bin")
        #expect(cases.count > 400)
        compare(cases)
    }

    @Test(
        "equal the Python package's on generated files",
        .enabled(
            if: generated != nil,
            "RESNET_SAFETENSORS_CASES names no file of cases; see Scripts/compare-safetensors"))
    func generatedCases() throws {
        let cases = try Self.cases(try #require(Self.generated))
        #expect(cases.count > 0)
        compare(cases)
    }

    private func compare(_ cases: [Case]) {
        for item in cases {
            let found = Self.verdict(item.file)
            let wanted = item.isAccepted ? item.digest : nil
            #expect(
                found == wanted,
                "\(item.name): \(String(decoding: item.file.dropFirst(8).prefix(300), as: UTF8.self))"
            )
        }
    }

    /// The digest of an accepted file's contents.
    private static func verdict(_ file: [UInt8]) -> UInt32? {
        let memory = Memory(copying: file)
        guard let header = try? SafetensorsHeader(memory, name: "case") else { return nil }
        let sorted = header.entries.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        var digest: UInt32 = 0
        for entry in sorted {
            let extents = entry.shape.map(String.init).joined(separator: ",")
            let text = "\(entry.name)\0\(entry.elementType.rawValue)\0\(extents)\0"
            digest = crc32(Memory(copying: Array(text.utf8)), continuing: digest)
            guard
                let elements = memory.slice(
                    offset: header.dataOffset + entry.range.lowerBound,
                    byteCount: entry.range.count)
            else { return nil }
            digest = crc32(elements, continuing: digest)
        }
        return digest
    }

    private static func cases(_ path: String) throws -> [Case] {
        var rest = try Fixtures.bytes(path)[...]
        func take(_ count: Int) throws -> [UInt8] {
            try #require(rest.count >= count)
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func number() throws -> UInt32 {
            try take(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        var cases: [Case] = []
        while !rest.isEmpty {
            let name = String(decoding: try take(Int(try take(1)[0])), as: UTF8.self)
            let isAccepted = try take(1)[0] == 1
            let digest = try number()
            let file = try take(Int(try number()))
            cases.append(Case(name: name, isAccepted: isAccepted, digest: digest, file: file))
        }
        return cases
    }
}
