import Images
import Native
import Testing

/// Bytes that nobody meant to be a picture must end in an error or a picture, never in a trap, which would end
/// the whole test run.
@Suite("Mutated files")
struct MutationTests {
    @Test(
        "end in a verdict",
        arguments: [
            [
                "9x9-420.jpg", "9x9-444-progressive.jpg", "37x41-ycck-baseline.jpg",
                "50x39-restart.jpg",
            ],
            [
                "palette-2-clear-interlaced.png", "5x5-interlaced.png", "orientation-8.png",
                "animated.png",
            ],
            [
                "1x1-lossy.webp", "35x22-lossless.webp", "animated-offset.webp",
                "orientation-5.webp",
            ],
        ])
    func survivesMutations(names: [String]) throws {
        let seeds = try names.map { try Fixtures.bytes($0) }
        var limits = DecodeLimits.server
        // Mutated sizes make large pictures, which are slow and tested elsewhere.
        limits.maximumPixelCount = 20_000
        limits.maximumWorkingByteCount = 1 << 20
        var mutator = Mutator(seed: 42)
        var verdicts: [ImageError.Code?: Int] = [:]
        for seed in seeds {
            for count in 0..<min(seed.count, 512) {
                verdicts[judge(Array(seed.prefix(count)), limits), default: 0] += 1
            }
        }
        for index in 0..<10_000 {
            let bytes = mutator.mutate(seeds[index % seeds.count])
            verdicts[judge(bytes, limits), default: 0] += 1
        }
        // Most mutations are noticed, some change only pixels.
        #expect(verdicts[nil, default: 0] > 100)
        #expect(verdicts[.malformed, default: 0] > 100)
        #expect(verdicts[.resourceExhausted] == nil)
    }

    @Test("of EXIF data end in an orientation")
    func survivesExifMutations() {
        let seeds = [true, false].map { HandMade.exif(orientation: 6, isBigEndian: $0) }
        var mutator = Mutator(seed: 43)
        var found: Set<Int> = []
        for index in 0..<10_000 {
            let bytes = mutator.mutate(seeds[index % 2])
            found.insert(ExifOrientation.read(bytes.span))
        }
        #expect(found.isSubset(of: 1...8))
        #expect(found.count > 2)
    }

    /// Decodes under both policies and resizes what comes out.
    private func judge(_ bytes: [UInt8], _ limits: DecodeLimits) -> ImageError.Code? {
        do throws(ImageError) {
            let memory = Memory(copying: bytes)
            let image = try Image(decoding: memory, limits: limits, damage: .accept)
            #expect(image.pixels.byteCount == image.width * image.height * 3)
            #expect((1...8).contains(image.orientation))
            return nil
        } catch {
            return error.code
        }
    }
}

/// Damages bytes in the ways that break parsers.
struct Mutator {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func mutate(_ seed: [UInt8]) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2:
                bytes[index] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF].randomElement(using: &random) ?? 0
            case 3:
                // Extreme lengths, in two or four bytes.
                let value: UInt8 = Bool.random(using: &random) ? 0xFF : 0
                for offset in index..<min(index + [2, 4][index % 2], bytes.count) {
                    bytes[offset] = value
                }
            case 4: bytes.removeSubrange(index..<min(index + 1 + index % 7, bytes.count))
            default:
                let copied = bytes[index..<min(index + 1 + index % 16, bytes.count)]
                bytes.insert(
                    contentsOf: copied, at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }
}
