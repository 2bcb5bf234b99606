import Glibc
public import Tensors

/// Which part of a picture a network sees in training: a rectangle of random area, shape and place.
public struct RandomCrop: Sendable, Hashable {
    /// How the rectangle is drawn.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        /// Area uniform, aspect log-uniform; where no try fits, the largest centred rectangle of a permitted shape.
        ///
        /// Source: torchvision 0.28, `RandomResizedCrop.get_params`.
        case torchvision
        /// Aspect uniform, height uniform among those that the area permits; where no try fits, the whole picture.
        ///
        /// Source: TensorFlow 1.15, `sample_distorted_bounding_box` over one box that is the whole picture, of
        /// which at least `minimumCoverage` must be in the crop.
        case tensorflow
    }

    /// How the rectangle is drawn.
    public var method: Method
    /// The rectangle's share of the picture's area.
    public var area: ClosedRange<Double>
    /// Width over height.
    public var aspect: ClosedRange<Double>
    /// How often a rectangle is drawn before the fallback is taken.
    public var tries: Int

    /// Describes a crop; `TrainingTransform` checks the numbers.
    public init(
        method: Method = .torchvision, area: ClosedRange<Double> = 0.08...1,
        aspect: ClosedRange<Double> = 3.0 / 4...4.0 / 3, tries: Int = 10
    ) {
        self.method = method
        self.area = area
        self.aspect = aspect
        self.tries = tries
    }

    /// torchvision's `RandomResizedCrop`: area 0.08...1, aspect 3/4...4/3, 10 tries.
    public static let torchvision = RandomCrop()
    /// NVIDIA's DALI pipeline: as torchvision's with 100 tries.
    public static let dali = RandomCrop(tries: 100)
    /// NVIDIA's TensorFlow pipeline: area 0.05...1, aspect 0.75...1.33, 100 tries.
    public static let tensorflow = RandomCrop(
        method: .tensorflow, area: 0.05...1, aspect: 0.75...1.33, tries: 100)

    /// How much of the whole picture TensorFlow's crop has to cover, whatever its area range says.
    static let minimumCoverage = 0.1

    /// Draws the rectangle for a picture.
    ///
    /// - Parameters:
    ///   - width: the picture's, at least 1.
    ///   - height: the picture's, at least 1.
    ///   - random: where the numbers come from.
    public func box(width: Int, height: Int, random: inout RandomGenerator) -> PixelBox {
        switch method {
        case .torchvision: torchvisionBox(width, height, &random)
        case .tensorflow: tensorflowBox(width, height, &random)
        }
    }

    private func torchvisionBox(
        _ width: Int, _ height: Int, _ random: inout RandomGenerator
    ) -> PixelBox {
        let (whole, low, high) = (
            Double(width * height), log(aspect.lowerBound), log(aspect.upperBound)
        )
        for _ in 0..<tries {
            let target = whole * random.nextUniform(in: area.lowerBound..<area.upperBound)
            let ratio = exp(random.nextUniform(in: low..<high))
            // Python's `round`: halves go to the even neighbour.
            let w = Int((target * ratio).squareRoot().rounded(.toNearestOrEven))
            let h = Int((target / ratio).squareRoot().rounded(.toNearestOrEven))
            if w > 0, h > 0, w <= width, h <= height {
                let y = random.nextIndex(below: height - h + 1)
                let x = random.nextIndex(below: width - w + 1)
                return PixelBox(x: x, y: y, width: w, height: h)
            }
        }
        return Self.centred(width: width, height: height, aspect: aspect)
    }

    /// The largest rectangle in the middle whose shape is permitted.
    static func centred(width: Int, height: Int, aspect: ClosedRange<Double>) -> PixelBox {
        let ratio = Double(width) / Double(height)
        var (w, h) = (width, height)
        if ratio < aspect.lowerBound {
            h = Int((Double(width) / aspect.lowerBound).rounded(.toNearestOrEven))
        } else if ratio > aspect.upperBound {
            w = Int((Double(height) * aspect.upperBound).rounded(.toNearestOrEven))
        }
        (w, h) = (min(max(w, 1), width), min(max(h, 1), height))
        return PixelBox(x: (width - w) / 2, y: (height - h) / 2, width: w, height: h)
    }

    private func tensorflowBox(
        _ width: Int, _ height: Int, _ random: inout RandomGenerator
    ) -> PixelBox {
        let whole = Float(width * height)
        for _ in 0..<tries {
            let ratio = Float(
                random.nextUniform(in: aspect.lowerBound..<aspect.upperBound))
            let sides = sides(
                ratio, width, height, minimum: Float(area.lowerBound) * whole,
                maximum: Float(area.upperBound) * whole, &random)
            guard let sides,
                Float(sides.width * sides.height) >= Float(Self.minimumCoverage) * whole
            else { continue }
            // The last place is left out, as there.
            let y = sides.height < height ? random.nextIndex(below: height - sides.height) : 0
            let x = sides.width < width ? random.nextIndex(below: width - sides.width) : 0
            return PixelBox(x: x, y: y, width: sides.width, height: sides.height)
        }
        return PixelBox(x: 0, y: 0, width: width, height: height)
    }

    /// `GenerateRandomCrop` of TensorFlow's kernel, in its float32; `nil` where the area cannot be met.
    private func sides(
        _ ratio: Float, _ width: Int, _ height: Int, minimum: Float, maximum: Float,
        _ random: inout RandomGenerator
    ) -> (width: Int, height: Int)? {
        func rounded(_ value: Float) -> Int { Int(value.rounded(.toNearestOrEven)) }
        var h = rounded((minimum / ratio).squareRoot())
        var highest = rounded((maximum / ratio).squareRoot())
        if rounded(Float(highest) * ratio) > width {
            highest = Int((Float(width) + 0.5 - 1e-7) / ratio)
            if rounded(Float(highest) * ratio) > width { highest -= 1 }
        }
        highest = min(highest, height)
        h = min(h, highest)
        if h < highest { h += random.nextIndex(below: highest - h + 1) }
        var w = rounded(Float(h) * ratio)
        if Float(w * h) < minimum {
            h += 1
            w = rounded(Float(h) * ratio)
        }
        if Float(w * h) > maximum {
            h -= 1
            w = rounded(Float(h) * ratio)
        }
        let found = Float(w * h)
        guard found >= minimum, found <= maximum, (1...width).contains(w), (1...height).contains(h)
        else { return nil }
        return (w, h)
    }
}
