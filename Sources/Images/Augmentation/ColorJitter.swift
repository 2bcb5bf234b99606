public import Tensors

/// Random brightness, contrast, saturation and hue, in random order.
///
/// Source: torchvision 0.28, `ColorJitter` over Pillow images; equal to the byte, given the same numbers.
public struct ColorJitter: Sendable, Hashable {
    /// The factor is uniform in `max(0, 1 - brightness)...1 + brightness`.
    public var brightness: Double
    /// The factor is uniform in `max(0, 1 - contrast)...1 + contrast`.
    public var contrast: Double
    /// The factor is uniform in `max(0, 1 - saturation)...1 + saturation`.
    public var saturation: Double
    /// The turn is uniform in `-hue...hue`, of the whole circle; at most 0.5.
    public var hue: Double

    /// Describes a jitter; 0 leaves a property as it is.
    public init(
        brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0
    ) {
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
    }

    /// Changes a picture by what is drawn; its size stays.
    ///
    /// - Throws: `ImageError` with code `.resourceExhausted`.
    public func apply(
        to image: Image, random: inout RandomGenerator
    ) throws(ImageError) -> Image {
        var order = [0, 1, 2, 3]
        for index in 0..<3 {
            order.swapAt(index, index + random.nextIndex(below: 4 - index))
        }
        let brightness = factor(brightness, &random)
        let contrast = factor(contrast, &random)
        let saturation = factor(saturation, &random)
        let turn = random.nextUniform(in: -hue..<hue)
        var result = image
        for property in order {
            switch property {
            case 0: result = try result.brightened(by: brightness)
            case 1: result = try result.contrasted(by: contrast)
            case 2: result = try result.saturated(by: saturation)
            default: if hue > 0 { result = try result.hueShifted(by: turn) }
            }
        }
        return result
    }

    private func factor(_ spread: Double, _ random: inout RandomGenerator) -> Double {
        random.nextUniform(in: max(0, 1 - spread)..<1 + spread)
    }

    func check() throws(ImageError) {
        for (name, value, most) in [
            ("brightness", brightness, 10.0), ("contrast", contrast, 10),
            ("saturation", saturation, 10), ("hue", hue, 0.5),
        ] where !(0...most).contains(value) {
            throw ImageError(
                .invalidArgument, "\(name) jitter: expected 0 to \(most), found \(value)")
        }
    }
}
