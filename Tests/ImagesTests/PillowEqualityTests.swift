import Foundation
import Images
import Native
import TestSupport
import Testing

@Suite("Pictures beside Pillow and torchvision")
struct PillowEqualityTests {
    @Test(
        "decode, resize and crop to the same bytes", arguments: try Expectation.read("expected.tsv")
    )
    func equalsPillow(expected: Expectation) throws {
        let image = try Image(contentsOf: Fixtures.path(expected.name))
        #expect(image.width == expected.width)
        #expect(image.height == expected.height)
        #expect(image.orientation == expected.orientation)
        #expect(checksum(image.pixels) == expected.checksum)

        let transform = try EvaluationTransform(resize: expected.resize, crop: expected.crop)
        expectEqual(try transform.apply(to: image), expected)

        let plain = try #require(expected.plain)
        let resized = try image.resized(width: plain.width, height: plain.height)
        #expect(checksum(resized.pixels) == plain.checksum)
    }

    @Test(
        "real photos come out as the same bytes",
        .enabled(if: SharedData.path("jpegs/images") != nil, "the folder of real photos is absent"),
        arguments: try Expectation.read("shared.tsv"))
    func equalsPillowOnPhotos(expected: Expectation) throws {
        let image = try Image(contentsOf: try #require(SharedData.path(expected.name)))
        #expect(image.width == expected.width)
        #expect(image.height == expected.height)
        expectEqual(try EvaluationTransform.standard.apply(to: image), expected)
    }

    private func expectEqual(_ crop: Image, _ expected: Expectation) {
        #expect(crop.width == expected.crop)
        #expect(crop.height == expected.crop)
        let pixels = crop.pixels.bytes
        let samples = (0..<24).map { pixels[pixels.count * $0 / 24] }
        #expect(samples == expected.samples)
        #expect(checksum(crop.pixels) == expected.cropChecksum)
    }
}
