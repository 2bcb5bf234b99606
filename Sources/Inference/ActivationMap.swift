public import Images
import Native
import Tensors

/// Where in an image a class is seen: one number for each place of the last stage's activations.
///
/// Source: Zhou et al. 2016, "Learning deep features for discriminative localization", section 2. The mean of
/// the values plus the classifier's bias is the class's logit.
public struct ActivationMap: Sendable, Hashable {
    /// The class.
    public let classIndex: Int
    /// Places across; 7 for an image of 224 pixels.
    public let width: Int
    /// Places down.
    public let height: Int
    /// The class's score at each place, row by row.
    public let values: [Float]

    /// Weighs one image's activations with a class's row of the classifier.
    ///
    /// - Parameters:
    ///   - classIndex: the class.
    ///   - weights: its row, one number a feature.
    ///   - activations: `[features, height, width]`, row-major.
    package init(
        classIndex: Int, weights: [Float], activations: ArraySlice<Float>, width: Int, height: Int
    ) {
        self.classIndex = classIndex
        self.width = width
        self.height = height
        let count = width * height
        var sums = [Double](repeating: 0, count: count)
        var place = activations.startIndex
        for weight in weights {
            for index in 0..<count {
                sums[index] += Double(weight) * Double(activations[place + index])
            }
            place += count
        }
        values = sums.map { Float($0) }
    }

    /// The values between 0, the smallest, and 1, the largest; all 0 where they are the same.
    public var normalized: [Float] {
        let low = values.min() ?? 0
        let range = (values.max() ?? 0) - low
        return values.map { value in
            let share = (value - low) / range
            return share.isFinite ? share : 0
        }
    }

    /// The picture with the map over it, in colours from purple (low) to yellow (high).
    ///
    /// - Parameters:
    ///   - picture: what the model was shown.
    ///   - opacity: how much of the picture the highest place hides, 0 to 1.
    /// - Throws: `ImageError` where the picture cannot be made.
    public func overlay(
        on picture: Image, opacity: Double = 0.65
    ) throws(ImageError) -> Image {
        let normalized = normalized
        let columns = Self.steps(of: width, over: picture.width)
        let pixels = picture.pixels.bytes
        var result: [UInt8] = []
        result.reserveCapacity(picture.width * picture.height * 3)
        for row in Self.steps(of: height, over: picture.height).enumerated() {
            let (upper, lower, down) = row.element
            for (column, step) in columns.enumerated() {
                let (left, right, across) = step
                let top = Self.mix(
                    normalized[upper * width + left], normalized[upper * width + right], across)
                let bottom = Self.mix(
                    normalized[lower * width + left], normalized[lower * width + right], across)
                let value = Double(Self.mix(top, bottom, down))
                let color = ColorScale.heat[Int((value * 255).rounded())]
                let share = opacity * (0.25 + 0.75 * value)
                let at = (row.offset * picture.width + column) * 3
                for channel in 0..<3 {
                    let base = Double(pixels[at + channel])
                    let mixed = base + (Double(color[channel]) - base) * share
                    result.append(UInt8(max(0, min(255, mixed.rounded()))))
                }
            }
        }
        return try Image(width: picture.width, height: picture.height, pixels: result)
    }

    private static func mix(_ first: Float, _ second: Float, _ share: Float) -> Float {
        first + (second - first) * share
    }

    /// For each of `pixels` centres the two nearest of `places` centres, and the share of the second.
    private static func steps(
        of places: Int, over pixels: Int
    ) -> [(first: Int, second: Int, share: Float)] {
        (0..<pixels).map { pixel in
            let position = (Float(pixel) + 0.5) * Float(places) / Float(pixels) - 0.5
            let clamped = max(0, min(Float(places - 1), position))
            let first = min(Int(clamped), places - 1)
            return (first, min(first + 1, places - 1), clamped - Float(first))
        }
    }
}
