import Foundation
import Images
import Native
import Testing

/// A file that is made to harm, and what is to come of it.
struct HostileFile: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let code: ImageError.Code?
    var limits = DecodeLimits.server

    var testDescription: String { name }

    /// Files of at most a few kilobytes that promise more than a server should take; all are refused.
    static let bombs: [HostileFile] = {
        func jpeg(
            _ name: String, _ width: Int, _ height: Int, _ code: ImageError.Code,
            components: Int = 3, frame: UInt8 = 0xC0, precision: UInt8 = 8,
            limits: DecodeLimits = .server
        ) -> HostileFile {
            let start = HandMade.jpegStart(
                width: width, height: height, components: components, frame: frame,
                precision: precision)
            let padding = HandMade.segment(0xFE, [UInt8](repeating: 0, count: 500))
            let rest =
                HandMade.huffmanTable(class: 0, symbol: 0)
                + HandMade.huffmanTable(class: 1, symbol: 0)
                + HandMade.scan(from: 0, to: 63, approximation: 0, bytes: 100)
            return HostileFile(
                name: "JPEG \(name)", bytes: start + padding + rest, code: code, limits: limits)
        }
        func png(_ name: String, _ bytes: [UInt8], _ code: ImageError.Code) -> HostileFile {
            HostileFile(name: "PNG \(name)", bytes: HandMade.pngSignature + bytes, code: code)
        }
        func webp(_ name: String, _ bytes: [UInt8], _ code: ImageError.Code) -> HostileFile {
            HostileFile(name: "WebP \(name)", bytes: HandMade.riff(bytes), code: code)
        }
        let pixels = HandMade.chunk("IDAT", HandMade.stored([0, 0, 0, 0]))
        let end = HandMade.chunk("IEND", [])
        let dot = HandMade.pngHeader(width: 1, height: 1)
        let tooLong = [UInt8](repeating: 32, count: 1 << 20 | 1)
        let coded = HandMade.losslessHeader(width: 1, height: 1)
        return [
            jpeg("65,535 x 65,535", 65_535, 65_535, .limitExceeded),
            jpeg(
                "65,535 x 65,535 at the command line", 65_535, 65_535, .limitExceeded,
                limits: .commandLine),
            jpeg("65,500 x 65,500 progressive", 65_500, 65_500, .limitExceeded, frame: 0xC2),
            jpeg("65,500 x 65,500 in four inks", 65_500, 65_500, .limitExceeded, components: 4),
            jpeg("50,000,001 pixels", 50_000_001 / 1101, 1102, .limitExceeded),
            jpeg("7,000 x 7,000 in a kilobyte", 7_000, 7_000, .malformed),
            jpeg("7,000 x 7,000 progressive in a kilobyte", 7_000, 7_000, .malformed, frame: 0xC2),
            jpeg(
                "13,000 x 13,000 at the command line", 13_000, 13_000, .malformed,
                limits: .commandLine),
            jpeg("no width", 0, 8, .malformed),
            jpeg("no height", 8, 0, .malformed),
            jpeg("2 components", 8, 8, .unsupported, components: 2),
            jpeg("255 components", 8, 8, .unsupported, components: 255),
            jpeg("12 bits", 8, 8, .unsupported, precision: 12),
            jpeg("lossless coding", 8, 8, .unsupported, frame: 0xC3),
            HostileFile(
                name: "JPEG 257 scans", bytes: HandMade.manyScans(257), code: .limitExceeded),
            HostileFile(
                name: "JPEG 880 scans", bytes: HandMade.manyScans(880), code: .limitExceeded),
            png(
                "2^31 - 1 pixels a side",
                HandMade.pngHeader(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF) + pixels + end,
                .limitExceeded),
            png(
                "2^31 pixels wide",
                HandMade.pngHeader(width: 0x8000_0000, height: 1) + pixels + end, .malformed),
            png(
                "2^31 - 1 rows of a pixel",
                HandMade.pngHeader(width: 1, height: 0x7FFF_FFFF) + pixels + end, .limitExceeded),
            png(
                "50,000 x 50,000 of a bit",
                HandMade.pngHeader(width: 50_000, height: 50_000, bits: 1, colorType: 0) + pixels
                    + end, .limitExceeded),
            png(
                "7,000 x 7,000 in a kilobyte",
                HandMade.pngHeader(width: 7_000, height: 7_000, bits: 16, colorType: 6) + pixels
                    + end, .malformed),
            png("no width", HandMade.pngHeader(width: 0, height: 1) + pixels + end, .malformed),
            png(
                "over 1 MiB of text", dot + HandMade.chunk("tEXt", tooLong) + pixels + end,
                .limitExceeded),
            png(
                "over 1 MiB of colour profile",
                dot + HandMade.chunk("iCCP", tooLong) + pixels + end,
                .limitExceeded),
            png(
                "a chunk of 2^32 - 1 bytes",
                dot + HandMade.chunk("zTXt", [], length: 0xFFFF_FFFF) + pixels + end,
                .limitExceeded),
            webp(
                "16,384 x 16,384", HandMade.losslessHeader(width: 16_384, height: 16_384),
                .limitExceeded),
            webp(
                "a canvas of 2^24 pixels a side",
                HandMade.canvas(width: 1 << 24, height: 1 << 24)
                    + HandMade.frame(x: 0, y: 0, width: 1, height: 1, coded: coded),
                .limitExceeded),
            webp(
                "a frame outside its canvas",
                HandMade.canvas(width: 8, height: 8)
                    + HandMade.frame(x: 8, y: 0, width: 1, height: 1, coded: coded), .malformed),
            webp(
                "a frame larger than it says",
                HandMade.canvas(width: 8, height: 8)
                    + HandMade.frame(
                        x: 0, y: 0, width: 1, height: 1,
                        coded: HandMade.losslessHeader(width: 4_000, height: 4_000)), .malformed),
            webp("an animation without frames", HandMade.canvas(width: 8, height: 8), .malformed),
        ]
    }()
}

@Suite("Files made to harm", .serialized)
struct HostileFileTests {
    @Test("are refused before memory is taken for them", arguments: HostileFile.bombs)
    func refusesBombs(bomb: HostileFile) {
        #expect(verdict(bomb.bytes, limits: bomb.limits) == bomb.code)
        let limit = 10 << 20
        let growth = peakGrowth(within: limit) { _ = verdict(bomb.bytes, limits: bomb.limits) }
        #expect(growth < limit)
    }

    @Test("are thirty")
    func countsBombs() {
        #expect(HostileFile.bombs.count == 30)
    }

    @Test("a kilobyte that promises 65,535 x 65,535 pixels costs at most 5 ms and 10 MB")
    func refusesBombQuickly() throws {
        let bomb = try #require(HostileFile.bombs.first)
        #expect(bomb.bytes.count <= 1024)
        let bytes = Memory(copying: bomb.bytes)
        let clock = ContinuousClock()
        // The shortest of several, because other processes may take the processor.
        let durations = (0..<10).map { _ in
            clock.measure { _ = try? Image(decoding: bytes) }
        }
        let shortest = try #require(durations.min())
        #expect(shortest < .milliseconds(5))
        let limit = 10 << 20
        #expect(peakGrowth(within: limit) { _ = try? Image(decoding: bytes) } < limit)
    }

    @Test("text that unpacks to 16 MB is never unpacked")
    func skipsText() {
        let chunks =
            HandMade.chunk("zTXt", Array("a\0\0".utf8) + HandMade.deflatedZeros)
            + HandMade.chunk("iCCP", Array("a\0\0".utf8) + HandMade.deflatedZeros)
        let bytes = HandMade.png(extra: chunks)
        #expect(verdict(bytes) == nil)
        let limit = 8 << 20
        #expect(peakGrowth(within: limit) { _ = verdict(bytes) } < limit)
    }

    @Test("256 scans are allowed")
    func allowsScans() {
        #expect(verdict(HandMade.manyScans(256)) == nil)
    }

    @Test("coefficients beyond the memory allowed are refused")
    func limitsWorkingMemory() throws {
        let bytes = try Fixtures.bytes("17x301-444-progressive.jpg")
        var limits = DecodeLimits.server
        limits.maximumWorkingByteCount = 20_000
        #expect(verdict(bytes, limits: limits) == .limitExceeded)
        limits.maximumWorkingByteCount = 200_000
        #expect(verdict(bytes, limits: limits) == nil)
    }

    @Test("the limits of bytes and pixels count to the last one")
    func countsLimits() throws {
        let bytes = try Fixtures.bytes("47x61-422.jpg")
        var limits = DecodeLimits.server
        limits.maximumPixelCount = 47 * 61
        limits.maximumByteCount = bytes.count
        #expect(verdict(bytes, limits: limits) == nil)
        limits.maximumPixelCount -= 1
        #expect(verdict(bytes, limits: limits) == .limitExceeded)
        limits.maximumPixelCount += 1
        limits.maximumByteCount -= 1
        #expect(verdict(bytes, limits: limits) == .limitExceeded)
    }

    @Test("the usual limits are Pillow's and 50 million pixels")
    func namesLimits() {
        #expect(DecodeLimits.commandLine.maximumPixelCount == 178_956_970)
        #expect(DecodeLimits.server.maximumPixelCount == 50_000_000)
        #expect(DecodeLimits.server.maximumScanCount == 256)
        #expect(DecodeLimits.server.maximumChunkByteCount == 1 << 20)
    }
}

/// The least by which a body makes the highest memory of this process grow, in bytes, of calls until one stays within
/// a limit.
///
/// Tests beside this one take memory too, for a second at a time. What the body itself takes, it takes in each call.
private func peakGrowth(within limit: Int, _ body: () -> Void) -> Int {
    var least = Int.max
    for attempt in 0..<200 {
        if attempt > 0 { usleep(20_000) }
        // Makes the kernel forget the highest amount so far.
        try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .ascii)
        let before = memoryField("VmRSS:")
        body()
        least = min(least, memoryField("VmHWM:") - before)
        if least < limit { break }
    }
    return least
}

/// A line of the kernel's account of this process, in bytes.
private func memoryField(_ name: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
    let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
    return kilobytes.flatMap { Int($0) }.map { $0 << 10 } ?? 0
}
