import Images
import Native
import Testing

@Suite("The evaluation transform")
struct EvaluationTransformTests {
    @Test("resizes to 256 and crops to 224 unless told otherwise")
    func hasDefaults() {
        #expect(EvaluationTransform.standard.resize == 256)
        #expect(EvaluationTransform.standard.crop == 224)
    }

    @Test("refuses sides that make no picture", arguments: [0, -1, 65_537])
    func refusesSides(side: Int) {
        #expect(throws: ImageError.self) { try EvaluationTransform(resize: side, crop: 224) }
        #expect(throws: ImageError.self) { try EvaluationTransform(resize: 256, crop: side) }
    }

    @Test("rounds the long side down, as torchvision does")
    func scales() throws {
        let transform = EvaluationTransform.standard
        #expect(transform.scaledSize(width: 500, height: 375) == (341, 256))
        #expect(transform.scaledSize(width: 375, height: 500) == (256, 341))
        #expect(transform.scaledSize(width: 256, height: 256) == (256, 256))
        #expect(transform.scaledSize(width: 1, height: 65_500) == (256, 16_768_000))
    }

    @Test("crops from the even one of two middles, as torchvision does")
    func cropsMiddle() throws {
        // Greys 0...8 in 9 columns: crops of 4 columns begin at 2.5, so at 2; of 2 columns at 3.5, so at 4.
        let image = try Image(
            width: 9, height: 9,
            pixels: (0..<81).flatMap { [UInt8](repeating: UInt8($0 % 9), count: 3) })
        for (crop, first) in [(4, 2), (2, 4), (3, 3), (9, 0)] {
            let result = try EvaluationTransform(resize: 9, crop: crop).apply(to: image)
            #expect(bytes(result.pixels).prefix(3) == [UInt8(first), UInt8(first), UInt8(first)])
        }
    }

    @Test("puts a smaller picture on black, as torchvision does")
    func pads() throws {
        let image = try Image(width: 2, height: 1, pixels: [9, 9, 9, 8, 8, 8])
        let result = try EvaluationTransform(resize: 1, crop: 5).apply(to: image)
        var expected = [UInt8](repeating: 0, count: 75)
        expected.replaceSubrange(33..<39, with: [9, 9, 9, 8, 8, 8])
        #expect(bytes(result.pixels) == expected)
    }

    @Test("takes pictures with one very long side, of which it computes the middle only")
    func takesLongPictures() throws {
        let length = 1_000_000
        for (width, height) in [(1, length), (length, 1)] {
            let pixels = [UInt8](repeating: 77, count: 3 * length)
            let image = try Image(width: width, height: height, pixels: pixels)
            let result = try EvaluationTransform.standard.apply(to: image)
            #expect(bytes(result.pixels) == [UInt8](repeating: 77, count: 224 * 224 * 3))
        }
    }
}
