import Foundation
import Images
import Native
import Tensors
import TestSupport
import Testing

@Suite("Decoding what a crop needs")
struct PartialDecodingTests {
    private static let jpegs = (try? Fixtures.names().filter { $0.hasSuffix(".jpg") }) ?? []

    /// Transforms a file both ways with the same numbers.
    private func both(
        _ bytes: Memory, _ transform: TrainingTransform, stream: UInt64
    ) throws -> (partial: Image, whole: Image) {
        var random = RandomGenerator(seed: 8, stream: stream)
        var same = random
        let partial = try transform.apply(decoding: bytes, random: &random)
        let whole = try transform.apply(to: try Image(decoding: bytes), random: &same)
        let (next, expected) = (random.next(), same.next())
        #expect(next == expected)
        return (partial, whole)
    }

    @Test("gives the pixels that decoding all of the picture gives", arguments: jpegs)
    func equalsWhole(name: String) throws {
        let bytes = Memory(copying: try Fixtures.bytes(name))
        let transform = try TrainingTransform(
            size: 16, crop: RandomCrop(area: 0.02...1), policy: .trivialAugmentWide,
            decoding: .exact)
        for stream in 0..<60 as Range<UInt64> {
            let (partial, whole) = try both(bytes, transform, stream: stream)
            #expect(checksum(partial.pixels) == checksum(whole.pixels), "\(stream)")
        }
    }

    @Test(
        "gives them also of progressive files that lack scans, whose blocks are smoothed by their neighbours"
    )
    func equalsWholeWithoutScans() throws {
        for name in ["64x48-444-progressive.jpg", "61x47-422-progressive.jpg"] {
            let file = try Fixtures.bytes(name)
            let scans = file.indices.dropLast().filter { file[$0] == 0xFF && file[$0 + 1] == 0xDA }
            #expect(scans.count > 3, "\(name)")
            let exact = try TrainingTransform(
                size: 16, crop: RandomCrop(area: 0.02...0.4), decoding: .exact)
            for kept in 1..<scans.count {
                let bytes = Memory(copying: Array(file[..<scans[kept]]) + [0xFF, 0xD9])
                for stream in 0..<20 as Range<UInt64> {
                    let (partial, whole) = try both(bytes, exact, stream: stream)
                    let same = checksum(partial.pixels) == checksum(whole.pixels)
                    #expect(same, "\(name), \(kept) scans, \(stream)")
                }
            }
        }
    }

    @Test(
        "gives the same pixels of real photos, and close ones where it decodes them smaller",
        .enabled(if: SharedData.path("jpegs/images") != nil, "the folder of real photos is absent"))
    func equalsWholeOnPhotos() throws {
        let folder = try #require(SharedData.path("jpegs/images"))
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let exact = try TrainingTransform(size: 64, decoding: .exact)
        let fast = try TrainingTransform(size: 64, decoding: .fast)
        var (sum, worst, count) = (0, 0.0, 0)
        for (index, file) in files.prefix(40).enumerated() {
            let bytes = try Memory(mapping: "\(folder)/\(file)")
            let (partial, whole) = try both(bytes, exact, stream: UInt64(index))
            #expect(checksum(partial.pixels) == checksum(whole.pixels), "\(file)")
            let (small, _) = try both(bytes, fast, stream: UInt64(index))
            var difference = 0
            for place in 0..<64 * 64 * 3 {
                difference += abs(Int(small.pixels.bytes[place]) - Int(whole.pixels.bytes[place]))
            }
            sum += difference
            count += 64 * 64 * 3
            worst = max(worst, Double(difference) / (64 * 64 * 3))
        }
        // In units of 1/255; measured were 1.08 and 2.67, most crops being decoded smaller.
        let mean = Double(sum) / Double(count)
        #expect(mean < 1.5 && mean > 0.1, "\(mean)")
        #expect(worst < 4, "\(worst)")
    }

    @Test(
        "makes large pictures smaller by 2, 4 and 8, mirrored or not",
        arguments: [8, 16, 20, 40, 79])
    func isClose(size: Int) throws {
        // Soft waves, which all resolutions show alike.
        let side = 320
        let pixels = (0..<side * side * 3).map { place in
            let (x, y) = (Double(place / 3 % side), Double(place / 3 / side))
            return UInt8(128 + 60 * sin(x / 23 + Double(place % 3)) + 50 * cos(y / 31))
        }
        let bytes = try encodeJPEG(
            try Image(width: side, height: side, pixels: pixels), quality: 95)
        for flip in [0, 1.0] {
            let transform = try TrainingTransform(
                size: size, crop: RandomCrop(area: 0.4...1), flipProbability: flip,
                decoding: .fast)
            for stream in 0..<20 as Range<UInt64> {
                let (partial, whole) = try both(bytes, transform, stream: stream)
                var sum = 0
                for place in 0..<size * size * 3 {
                    sum += abs(
                        Int(partial.pixels.bytes[place]) - Int(whole.pixels.bytes[place]))
                }
                // Half a pixel's shift of these waves would be 2 or more.
                let mean = Double(sum) / Double(size * size * 3)
                #expect(mean < 1.2, "stream \(stream): \(mean)")
            }
        }
    }

    @Test("refuses a file that is cut short, wherever the crop lies")
    func noticesCuts() throws {
        let whole = try Fixtures.bytes("64x48-420.jpg")
        let transform = try TrainingTransform(size: 8, crop: RandomCrop(area: 0.05...0.1))
        for end in [whole.count - 2, whole.count - 20, whole.count * 3 / 4] {
            for stream in 0..<20 as Range<UInt64> {
                var random = RandomGenerator(seed: 9, stream: stream)
                do throws(ImageError) {
                    _ = try transform.apply(
                        decoding: Memory(copying: Array(whole[..<end])), damage: .acceptUnlessCut,
                        random: &random)
                    Issue.record("\(end) bytes are taken")
                } catch {
                    #expect(error.code == .damaged)
                }
            }
        }
    }

    @Test("throws for broken files and never traps", arguments: [1, 2, 3] as [UInt64])
    func survivesDamage(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var generator = RandomGenerator(seed: seed)
        let transform = try TrainingTransform(size: 8)
        for name in Self.jpegs {
            let whole = try Fixtures.bytes(name)
            for _ in 0..<30 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[Int.random(in: 2..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                let memory = Memory(copying: bytes)
                let limits = DecodeLimits(maximumPixelCount: 1 << 22, maximumByteCount: 1 << 20)
                do throws(ImageError) {
                    let result = try transform.apply(
                        decoding: memory, limits: limits, damage: .accept, random: &generator)
                    #expect(result.width == 8 && result.height == 8)
                } catch {
                    #expect(error.code != .invalidArgument)
                }
            }
        }
    }
}
