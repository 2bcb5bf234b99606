import Foundation
import Images
import Native
import Tensors
import Testing

/// One line of `augmentations.tsv`: what torchvision over Pillow makes of a picture.
private struct Result: Sendable {
    let picture: String
    let operation: String
    let numbers: [Double]
    let checksum: UInt32

    static func read() throws -> [Result] {
        let path = Fixtures.folder.appending(path: "augmentations.tsv")
        return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map { line in
            let fields = line.split(separator: "\t")
            return Result(
                picture: String(fields[0]), operation: String(fields[1]),
                numbers: try fields[2].split(separator: ",").map { try #require(Double($0)) },
                checksum: try #require(UInt32(fields[3], radix: 16)))
        }
    }

    func apply(to image: Image) throws -> Image {
        let number = numbers[0]
        let operation: AugmentationOperation
        switch self.operation {
        case "ShearX": operation = .shearX(number)
        case "ShearY": operation = .shearY(number)
        case "TranslateX": operation = .translateX(number)
        case "TranslateY": operation = .translateY(number)
        case "Rotate": operation = .rotate(number)
        case "Brightness": operation = .brightness(number)
        case "Color": operation = .color(number)
        case "Contrast": operation = .contrast(number)
        case "Sharpness": operation = .sharpness(number)
        case "Posterize": operation = .posterize(Int(number))
        case "Solarize": operation = .solarize(number)
        case "AutoContrast": operation = .autoContrast
        case "Equalize": operation = .equalize
        case "Invert": operation = .invert
        case "Hue": return try image.hueShifted(by: number)
        default:
            let values = numbers.map { Int($0) }
            let box = PixelBox(x: values[0], y: values[1], width: values[2], height: values[3])
            return try image.resized(
                box, width: values[4], height: values[5], isMirrored: values[6] == 1)
        }
        return try operation.apply(to: image)
    }
}

/// The pictures of the table, as `Scripts/fixtures/augmentations.py` has them.
private func picture(_ name: String) throws -> Image {
    switch name {
    case "noise": return try noise(width: 97, height: 83)
    case "square": return try noise(width: 40, height: 40)
    case "plain":
        let pixels = (0..<84).flatMap { _ in [UInt8]([200, 30, 99]) }
        return try Image(width: 12, height: 7, pixels: pixels)
    default: return try Image(contentsOf: Fixtures.path(name))
    }
}

/// Bytes of a multiplicative hash of their places, dimmed from row to row.
private func noise(width: Int, height: Int) throws -> Image {
    let pixels = (0..<width * height * 3).map { place in
        let value = (UInt32(place) &* 2_654_435_761) >> 24
        return UInt8(value >> UInt32(place / (width * 3) % 4))
    }
    return try Image(width: width, height: height, pixels: pixels)
}

@Suite("Augmentations")
struct AugmentationTests {
    @Test(
        "equal torchvision's over Pillow to the byte",
        arguments: ["noise", "64x48-420.jpg", "9x9-420.jpg", "square", "plain"])
    func equalsPillow(name: String) throws {
        let image = try picture(name)
        let results = try Result.read().filter { $0.picture == name }
        #expect(results.count > 80)
        for result in results {
            let sum = checksum(try result.apply(to: image).pixels)
            #expect(sum == result.checksum, "\(result.operation) \(result.numbers)")
        }
    }

    @Test("have the strengths of torchvision's tables")
    func hasStrengths() throws {
        let path = Fixtures.folder.appending(path: "strengths.tsv")
        let table = try String(contentsOf: path, encoding: .utf8)
        var seen = 0
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: "\t")
            let bits = fields[3].split(separator: ",")
            let space =
                fields[0] == "trivial"
                ? AugmentationSpace.wide
                : AugmentationSpace.narrow(
                    strengthCount: fields[0] == "auto" ? 10 : 31, width: 97, height: 83)
            let kind = try #require(
                AugmentationSpace.Kind.allCases.first {
                    "\($0)".lowercased() == fields[1].lowercased()
                })
            for (strength, bits) in bits.enumerated() {
                let value = Float(bitPattern: try #require(UInt32(bits, radix: 16)))
                let isSigned = fields[2] == "1"
                for isNegative in [false, true] {
                    let found = magnitude(
                        space.operation(kind, strength: strength, isNegative: isNegative))
                    let expected = isNegative && isSigned ? -value : value
                    #expect(found == expected, "\(fields[0]) \(fields[1]) \(strength)")
                }
            }
            seen += 1
        }
        #expect(seen == 42)
    }

    private func magnitude(_ operation: AugmentationOperation) -> Float {
        switch operation {
        case .shearX(let value), .shearY(let value), .translateX(let value),
            .translateY(let value), .rotate(let value), .brightness(let value), .color(let value),
            .contrast(let value), .sharpness(let value), .solarize(let value):
            Float(value)
        case .posterize(let bits): Float(bits)
        case .identity, .autoContrast, .equalize, .invert: 0
        }
    }

    @Test("TrivialAugment draws each of its 14 operations about equally often, both ways")
    func drawsTrivially() {
        var random = RandomGenerator(seed: 1)
        var counts: [String: Int] = [:]
        var negative = 0
        for _ in 0..<14_000 {
            let drawn = AugmentationPolicy.trivialAugmentWide.draw(
                width: 224, height: 224, random: &random)
            #expect(drawn.count == 1)
            counts["\(drawn[0])".prefix { $0 != "(" }.description, default: 0] += 1
            if case .rotate(let angle) = drawn[0], angle < 0 { negative += 1 }
        }
        #expect(counts.count == 14)
        // 1,000 expected, with a standard deviation of 30.
        #expect(counts.values.allSatisfy { (800...1200).contains($0) })
        #expect((350...650).contains(negative))
    }

    @Test("AutoAugment draws at most two operations, whose rates are those of its rules")
    func drawsByRules() {
        var random = RandomGenerator(seed: 2)
        var equalized = 0
        var none = 0
        for _ in 0..<10_000 {
            let drawn = AugmentationPolicy.autoAugment.draw(
                width: 224, height: 224, random: &random)
            #expect(drawn.count <= 2)
            if drawn.contains(.equalize) { equalized += 1 }
            if drawn.isEmpty { none += 1 }
        }
        // The means over the 25 rules of the chances for at least one equalize, 0.4096, and for nothing at all,
        // 0.1504; five standard deviations are 246 and 179.
        #expect(abs(equalized - 4096) < 246, "\(equalized)")
        #expect(abs(none - 1504) < 179, "\(none)")
    }

    @Test("RandAugment draws as many operations as asked for")
    func drawsRandomly() {
        var random = RandomGenerator(seed: 3)
        let drawn = AugmentationPolicy.randAugment(operationCount: 5, magnitude: 30)
            .draw(width: 100, height: 100, random: &random)
        #expect(drawn.count == 5)
    }

    @Test("jitter without spread changes nothing, and with spread stays within it")
    func jitters() throws {
        let image = try noise(width: 30, height: 20)
        var random = RandomGenerator(seed: 4)
        let same = try ColorJitter().apply(to: image, random: &random)
        #expect(checksum(same.pixels) == checksum(image.pixels))
        let plain = try picture("plain")
        for _ in 0..<50 {
            let result = try ColorJitter(brightness: 0.4).apply(to: plain, random: &random)
            let red = result.pixels.bytes[0]
            #expect((120...255).contains(red))
        }
    }

    @Test("erasing covers one rectangle of the permitted area, as often as asked for")
    func erases() throws {
        let side = 60
        let image = try Image(
            width: side, height: side, pixels: [UInt8](repeating: 7, count: side * side * 3))
        var random = RandomGenerator(seed: 5)
        let erasing = RandomErasing(probability: 0.5)
        var erased = 0
        for _ in 0..<400 {
            let result = try erasing.apply(to: image, random: &random)
            let pixels = bytes(result.pixels)
            let covered = (0..<side * side).filter { pixels[3 * $0] != 7 }
            guard let first = covered.first, let last = covered.last else { continue }
            erased += 1
            let width = last % side - first % side + 1
            let height = last / side - first / side + 1
            #expect(covered.count == width * height)
            // Sides are rounded.
            let share = Double(width * height) / Double(side * side)
            #expect(share > 0.015 && share < 0.35)
            let colors = [pixels[3 * first], pixels[3 * first + 1], pixels[3 * first + 2]]
            #expect(colors == [124, 116, 104])
        }
        #expect((150...250).contains(erased), "\(erased)")
    }

    @Test("erasing with noise gives each pixel its own colour, about the mean")
    func erasesWithNoise() throws {
        let image = try noise(width: 100, height: 100)
        var random = RandomGenerator(seed: 6)
        let erasing = RandomErasing(probability: 1, area: 0.3...0.33, fill: .noise)
        let (before, after) = (
            bytes(image.pixels), bytes(try erasing.apply(to: image, random: &random).pixels)
        )
        let changed = before.indices.filter { before[$0] != after[$0] }
        let mean = changed.reduce(0) { $0 + Double(after[$1]) } / Double(changed.count)
        // About 9,000 values of deviation 58 about 115.
        #expect(changed.count > 8000)
        #expect(abs(mean - 115) < 4)
    }
}
