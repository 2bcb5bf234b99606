import Images
import Native
import Tensors
import Testing

@Suite("The training transform")
struct TrainingTransformTests {
    @Test("crops shares of the area and shapes as asked for", arguments: RandomCrop.Method.allCases)
    func crops(method: RandomCrop.Method) {
        var random = RandomGenerator(seed: 1)
        let crop = RandomCrop(method: method, area: 0.2...0.6, tries: 100)
        for _ in 0..<2000 {
            let box = crop.box(width: 500, height: 375, random: &random)
            #expect(box.fits(width: 500, height: 375))
            let share = Double(box.width * box.height) / (500 * 375)
            let aspect = Double(box.width) / Double(box.height)
            // Sides are rounded to whole pixels.
            #expect(share > 0.19 && share < 0.61)
            #expect(aspect > 0.74 && aspect < 1.35)
        }
    }

    @Test("spreads torchvision's crops evenly over areas and logarithms of shapes")
    func spreads() {
        var random = RandomGenerator(seed: 2)
        let crop = RandomCrop(area: 0.1...0.3)
        var (shares, wide) = (0.0, 0)
        let count = 4000
        for _ in 0..<count {
            let box = crop.box(width: 1000, height: 1000, random: &random)
            shares += Double(box.width * box.height) / 1e6
            if box.width > box.height { wide += 1 }
        }
        // Standard errors: 0.0009 and 32.
        #expect(abs(shares / Double(count) - 0.2) < 0.005)
        #expect(abs(wide - count / 2) < 160)
    }

    @Test("falls back to the middle, or to the whole, where nothing fits")
    func fallsBack() {
        var random = RandomGenerator(seed: 3)
        let wide = RandomCrop(area: 0.9...1).box(width: 400, height: 100, random: &random)
        #expect(wide == PixelBox(x: 133, y: 0, width: 133, height: 100))
        let high = RandomCrop(area: 0.9...1).box(width: 100, height: 400, random: &random)
        #expect(high == PixelBox(x: 0, y: 133, width: 100, height: 133))
        let square = RandomCrop(tries: 0).box(width: 50, height: 50, random: &random)
        #expect(square == PixelBox(x: 0, y: 0, width: 50, height: 50))
        let whole = RandomCrop(method: .tensorflow, area: 0.9...1)
            .box(width: 400, height: 100, random: &random)
        #expect(whole == PixelBox(x: 0, y: 0, width: 400, height: 100))
        let dot = RandomCrop.torchvision.box(width: 1, height: 1, random: &random)
        #expect(dot == PixelBox(x: 0, y: 0, width: 1, height: 1))
    }

    @Test("TensorFlow's crops cover a tenth of the picture, whatever the area says")
    func covers() {
        var random = RandomGenerator(seed: 4)
        for _ in 0..<1000 {
            let box = RandomCrop.tensorflow.box(width: 300, height: 300, random: &random)
            #expect(box.width * box.height >= 9000)
        }
    }

    @Test("mirrors as often as asked for", arguments: [0, 0.5, 1])
    func mirrors(probability: Double) throws {
        let image = try Image(width: 2, height: 1, pixels: [10, 10, 10, 200, 200, 200])
        let transform = try TrainingTransform(
            size: 2, crop: RandomCrop(area: 1...1, aspect: 2...2),
            flipProbability: probability)
        var random = RandomGenerator(seed: 5)
        var mirrored = 0
        for _ in 0..<400 {
            let result = try transform.apply(to: image, random: &random)
            if result.pixels.bytes[0] > 100 { mirrored += 1 }
        }
        #expect(abs(Double(mirrored) - 400 * probability) <= 60)
    }

    @Test("gives the same pixels for the same numbers, and others for others")
    func repeats() throws {
        let image = try Image(contentsOf: Fixtures.path("64x48-420.jpg"))
        let transform = try TrainingTransform(
            size: 32, jitter: ColorJitter(brightness: 0.4, hue: 0.1),
            policy: .trivialAugmentWide, erasing: RandomErasing(probability: 0.5, fill: .noise))
        let sums = try (0..<20 as Range<UInt64>).map { stream in
            try (0..<2).map { _ in
                var random = RandomGenerator(seed: 7, stream: stream)
                let result = try transform.apply(to: image, random: &random)
                #expect(result.width == 32 && result.height == 32)
                return checksum(result.pixels)
            }
        }
        for pair in sums { #expect(pair[0] == pair[1]) }
        #expect(Set(sums.map { $0[0] }).count == 20)
    }

    @Test("refuses numbers that make no sense")
    func refuses() {
        expectRefusal { () throws(ImageError) in _ = try TrainingTransform(size: 0) }
        expectRefusal { () throws(ImageError) in _ = try TrainingTransform(flipProbability: 2) }
        expectRefusal { () throws(ImageError) in
            _ = try TrainingTransform(crop: RandomCrop(area: 0...1))
        }
        expectRefusal { () throws(ImageError) in
            _ = try TrainingTransform(crop: RandomCrop(area: 0.5...1.5))
        }
        expectRefusal { () throws(ImageError) in
            _ = try TrainingTransform(crop: RandomCrop(aspect: 0...1))
        }
        expectRefusal { () throws(ImageError) in
            _ = try TrainingTransform(crop: RandomCrop(tries: -1))
        }
        expectRefusal { () throws(ImageError) in
            _ = try TrainingTransform(jitter: ColorJitter(hue: 0.6))
        }
        expectRefusal { () throws(ImageError) in
            _ = try TrainingTransform(policy: .randAugment(operationCount: 2, magnitude: 31))
        }
        expectRefusal { () throws(ImageError) in
            _ = try TrainingTransform(erasing: RandomErasing(probability: -1))
        }
        expectRefusal { () throws(ImageError) in
            let image = try Image(width: 2, height: 2, pixels: [UInt8](repeating: 0, count: 12))
            _ = try image.resized(
                PixelBox(x: 1, y: 0, width: 2, height: 1), width: 4, height: 4)
        }
    }

    private func expectRefusal(
        _ body: () throws(ImageError) -> Void, _ location: SourceLocation = #_sourceLocation
    ) {
        do throws(ImageError) {
            try body()
            Issue.record("nothing is refused", sourceLocation: location)
        } catch {
            #expect(error.code == .invalidArgument, sourceLocation: location)
        }
    }
}
