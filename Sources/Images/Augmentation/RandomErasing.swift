import Glibc
import Native
public import Tensors

/// Covers a random rectangle.
///
/// Source: Zhong et al. 2020, "Random erasing data augmentation"; torchvision 0.28, `RandomErasing`, which covers after
/// pixels are normalised: its value 0 is the mean colour here.
public struct RandomErasing: Sendable, Hashable {
    /// What covers.
    public enum Fill: String, Sendable, Hashable, CaseIterable {
        /// The mean colour of ImageNet, 124 116 104: 0 after normalising, but for rounding.
        case mean
        /// Black.
        case black
        /// Noise of the mean and deviation of ImageNet, each pixel and channel by itself.
        case noise
    }

    /// How often anything is covered.
    public var probability: Double
    /// The rectangle's share of the picture's area.
    public var area: ClosedRange<Double>
    /// Height over width.
    public var aspect: ClosedRange<Double>
    /// What covers.
    public var fill: Fill

    /// Describes an erasing.
    public init(
        probability: Double, area: ClosedRange<Double> = 0.02...0.33,
        aspect: ClosedRange<Double> = 0.3...3.3, fill: Fill = .mean
    ) {
        self.probability = probability
        self.area = area
        self.aspect = aspect
        self.fill = fill
    }

    private static let mean = [0.485, 0.456, 0.406]
    private static let deviation = [0.229, 0.224, 0.225]

    /// Covers what is drawn.
    ///
    /// - Throws: `ImageError` with code `.resourceExhausted`.
    public func apply(
        to image: Image, random: inout RandomGenerator
    ) throws(ImageError) -> Image {
        guard random.nextEvent(probability: probability),
            let box = box(width: image.width, height: image.height, random: &random)
        else { return image }
        var noise = random
        let (fill, width) = (fill, image.width)
        return try image.filled { source, target in
            for place in source.indices { target[place] = source[place] }
            for y in box.y..<box.y + box.height {
                for place in 3 * (y * width + box.x)..<3 * (y * width + box.x + box.width) {
                    let channel = place % 3
                    let share =
                        switch fill {
                        case .mean: Self.mean[channel]
                        case .black: 0.0
                        case .noise:
                            Self.mean[channel] + Self.deviation[channel] * noise.nextNormal()
                        }
                    target[place] = UInt8(min(max((share * 255).rounded(), 0), 255))
                }
            }
        }
    }

    /// Draws the rectangle; `nil` where ten of them do not fit.
    package func box(
        width: Int, height: Int, random: inout RandomGenerator
    ) -> PixelBox? {
        let (low, high) = (log(aspect.lowerBound), log(aspect.upperBound))
        for _ in 0..<10 {
            let target =
                Double(width * height)
                * random.nextUniform(in: area.lowerBound..<area.upperBound)
            let ratio = exp(random.nextUniform(in: low..<high))
            let h = Int((target * ratio).squareRoot().rounded(.toNearestOrEven))
            let w = Int((target / ratio).squareRoot().rounded(.toNearestOrEven))
            guard h < height, w < width, h > 0, w > 0 else { continue }
            let y = random.nextIndex(below: height - h + 1)
            let x = random.nextIndex(below: width - w + 1)
            return PixelBox(x: x, y: y, width: w, height: h)
        }
        return nil
    }

    func check() throws(ImageError) {
        try checkShare("erasing probability", probability...probability)
        try checkShare("erased area", area)
        guard aspect.lowerBound >= 0.01, aspect.upperBound <= 100 else {
            throw ImageError(
                .invalidArgument, "erased aspect: expected 0.01 to 100, found \(aspect)")
        }
    }
}
