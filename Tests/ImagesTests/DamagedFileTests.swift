import Images
import Native
import Testing

/// A file that was damaged on its way, and the verdicts on it.
struct DamagedFile: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// What `DamagePolicy.refuse` throws; `nil` where there is nothing to refuse.
    let refused: ImageError.Code?
    /// What `DamagePolicy.accept` throws; `nil` where it gives a picture.
    let accepted: ImageError.Code?

    var testDescription: String { name }

    static func all() throws -> [DamagedFile] {
        let jpeg = try Fixtures.bytes("47x61-422.jpg")
        let progressive = try Fixtures.bytes("61x47-422-progressive.jpg")
        let restarts = try Fixtures.bytes("50x39-restart.jpg")
        let png = try Fixtures.bytes("rgb-8.png")
        let webp = try Fixtures.bytes("17x64-lossy.webp")
        let exact = try Fixtures.bytes("17x64-lossless.webp")
        let scan = try #require(jpeg.firstRange(of: [0xFF, 0xDA])).lowerBound
        let restart = try #require(restarts.firstRange(of: [0xFF, 0xD0])).lowerBound
        let data = try #require(png.firstRange(of: Array("IDAT".utf8))).lowerBound

        func file(
            _ name: String, _ bytes: some Sequence<UInt8>, _ refused: ImageError.Code?,
            _ accepted: ImageError.Code?
        ) -> DamagedFile {
            DamagedFile(
                name: name, bytes: Array(bytes), refused: refused, accepted: accepted)
        }
        func flipped(_ bytes: [UInt8], at index: Int) -> [UInt8] {
            var bytes = bytes
            bytes[index] ^= 0x10
            return bytes
        }
        let noise = [UInt8](repeating: 0x5A, count: 40)
        return [
            file("an empty file", [], .unrecognizedFormat, .unrecognizedFormat),
            file("a JPEG cut in its pixels", jpeg.prefix(scan + 200), .damaged, nil),
            file("a JPEG without its last marker", jpeg.dropLast(2), .damaged, nil),
            file("a JPEG cut in its tables", jpeg.prefix(scan - 30), .malformed, .malformed),
            file("the first three bytes of a JPEG", jpeg.prefix(3), .malformed, .malformed),
            file(
                "a progressive JPEG cut in half", progressive.prefix(progressive.count / 2),
                .damaged, nil),
            file("a JPEG with bytes behind its end", jpeg + noise, nil, nil),
            file(
                "a JPEG with bytes before its last marker",
                jpeg.dropLast(2) + noise + [0xFF, 0xD9], .damaged, nil),
            file(
                "a JPEG with bytes between segments",
                jpeg.prefix(scan) + noise + jpeg[scan...], .damaged, nil),
            file(
                "a JPEG with a zero byte in its pixels for each",
                jpeg.prefix(scan + 100) + [UInt8](repeating: 0xFF, count: 3) + [0xD9], .damaged,
                nil),
            file(
                "a JPEG that lost a restart marker",
                restarts.prefix(restart) + restarts[(restart + 2)...], .damaged, nil),
            file("a PNG cut in its pixels", png.prefix(data + 400), .malformed, .malformed),
            file(
                "a PNG with a flipped bit in its pixels", flipped(png, at: data + 300),
                .malformed, .malformed),
            file(
                "a PNG with a flipped bit in its header", flipped(png, at: 19), .malformed,
                .malformed),
            file("a PNG without its last chunk", png.dropLast(12), .damaged, nil),
            file(
                "a PNG with a flipped bit in its last chunk", flipped(png, at: png.count - 1),
                .damaged, nil),
            file(
                "a PNG with a wrong checksum in a text",
                png.prefix(33) + flipped(HandMade.chunk("tEXt", [65, 0, 65]), at: 9) + png[33...],
                .malformed, .malformed),
            file("a WebP cut in its pixels", webp.prefix(webp.count / 2), .malformed, .malformed),
            file(
                "a lossless WebP cut in its pixels", exact.prefix(exact.count / 2), .malformed,
                .malformed),
            file("the first twelve bytes of a WebP", webp.prefix(12), .malformed, .malformed),
        ]
    }
}

@Suite("Damaged files")
struct DamagedFileTests {
    @Test("get exactly these verdicts", arguments: try DamagedFile.all())
    func judges(file: DamagedFile) throws {
        #expect(verdict(file.bytes) == file.refused)
        #expect(verdict(file.bytes, damage: .accept) == file.accepted)
        if file.refused == .damaged {
            let image = try Image(decoding: Memory(copying: file.bytes), damage: .accept)
            #expect(image.damage?.isEmpty == false)
        }
    }

    @Test("are twenty")
    func counts() throws {
        #expect(try DamagedFile.all().count == 20)
    }

    @Test("that say more behind a whole picture are damaged, but give it")
    func judgesSecondScan() throws {
        let scan = HandMade.scan(from: 0, to: 63, approximation: 0)
        let bytes =
            HandMade.jpegStart(width: 8, height: 8) + HandMade.huffmanTable(class: 0, symbol: 0)
            + HandMade.huffmanTable(class: 1, symbol: 0) + scan
        let end: [UInt8] = [0xFF, 0xD9]
        #expect(verdict(bytes + end) == nil)
        #expect(verdict(bytes + scan + end) == .damaged)
        let image = try Image(decoding: Memory(copying: bytes + scan + end), damage: .accept)
        #expect(pixels(image) == [UInt8](repeating: 128, count: 192))
        #expect(image.damage != nil)
    }

    @Test("keep the rows in front of the damage")
    func keepsRows() throws {
        let bytes = try Fixtures.bytes("47x61-422.jpg")
        let whole = try Image(decoding: Memory(copying: bytes))
        let cut = try Image(
            decoding: Memory(copying: Array(bytes.prefix(bytes.count - 200))), damage: .accept)
        #expect(whole.damage == nil)
        #expect(cut.height == 61)
        let first = 47 * 3 * 16
        #expect(pixels(cut).prefix(first) == pixels(whole).prefix(first))
        #expect(pixels(cut) != pixels(whole))
    }

    private func pixels(_ image: Image) -> [UInt8] { bytes(image.pixels) }
}
