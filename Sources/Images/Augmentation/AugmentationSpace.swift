/// How far operations go at each strength.
///
/// Source: torchvision 0.28, `_augmentation_space` of `TrivialAugmentWide`, `AutoAugment` and `RandAugment`; numbers are
/// those of its float32 tables.
package struct AugmentationSpace: Sendable {
    /// An operation without its strength.
    package enum Kind: Sendable, CaseIterable {
        case identity, shearX, shearY, translateX, translateY, rotate, brightness, color, contrast
        case sharpness, posterize, solarize, autoContrast, equalize, invert

        /// The ones that are drawn blindly: all but the negative.
        package static let searched = allCases.filter { $0 != .invert }
    }

    /// One step of a rule of AutoAugment.
    struct Step: Sendable {
        let kind: Kind
        let probability: Double
        let strength: Int
    }

    /// How many strengths there are.
    package let strengthCount: Int
    private let shear: Double
    private let shiftX: Double
    private let shiftY: Double
    private let angle: Double
    private let change: Double
    private let droppedBits: Double

    /// TrivialAugment's wide space.
    package static let wide = AugmentationSpace(
        strengthCount: 31, shear: 0.99, shiftX: 32, shiftY: 32, angle: 135, change: 0.99,
        droppedBits: 6)

    /// The space of AutoAugment and RandAugment, whose shifts are in proportion to the picture.
    package static func narrow(strengthCount: Int, width: Int, height: Int) -> AugmentationSpace {
        AugmentationSpace(
            strengthCount: strengthCount, shear: 0.3, shiftX: 150.0 / 331 * Double(width),
            shiftY: 150.0 / 331 * Double(height), angle: 30, change: 0.9, droppedBits: 4)
    }

    /// An operation.
    ///
    /// - Parameters:
    ///   - kind: which.
    ///   - strength: from 0, below `strengthCount`; only some operations heed it.
    ///   - isNegative: whether one that has a direction goes the other way.
    package func operation(
        _ kind: Kind, strength: Int, isNegative: Bool
    ) -> AugmentationOperation {
        func signed(_ end: Double) -> Double {
            let magnitude = level(from: 0, to: end, strength)
            return isNegative ? -magnitude : magnitude
        }
        switch kind {
        case .identity: return .identity
        case .shearX: return .shearX(signed(shear))
        case .shearY: return .shearY(signed(shear))
        case .translateX: return .translateX(signed(shiftX))
        case .translateY: return .translateY(signed(shiftY))
        case .rotate: return .rotate(signed(angle))
        case .brightness: return .brightness(signed(change))
        case .color: return .color(signed(change))
        case .contrast: return .contrast(signed(change))
        case .sharpness: return .sharpness(signed(change))
        case .posterize:
            let divisor = Float(Double(strengthCount - 1) / droppedBits)
            return .posterize(8 - Int((Float(strength) / divisor).rounded(.toNearestOrEven)))
        case .solarize: return .solarize(level(from: 255, to: 0, strength))
        case .autoContrast: return .autoContrast
        case .equalize: return .equalize
        case .invert: return .invert
        }
    }

    /// An element of PyTorch's `linspace`: float32, symmetric about its middle, product and sum rounded once.
    private func level(from start: Double, to end: Double, _ strength: Int) -> Double {
        let (start, end) = (Float(start), Float(end))
        let step = (end - start) / Float(strengthCount - 1)
        return strength < strengthCount / 2
            ? Double(start.addingProduct(step, Float(strength)))
            : Double(end.addingProduct(-step, Float(strengthCount - 1 - strength)))
    }

    /// The 25 rules of AutoAugment for ImageNet.
    ///
    /// Source: Cubuk et al. 2019, appendix, table 9; torchvision 0.28.
    static let imageNetRules: [(first: Step, second: Step)] = [
        rule(.posterize, 0.4, 8, .rotate, 0.6, 9), rule(.solarize, 0.6, 5, .autoContrast, 0.6, 0),
        rule(.equalize, 0.8, 0, .equalize, 0.6, 0), rule(.posterize, 0.6, 7, .posterize, 0.6, 6),
        rule(.equalize, 0.4, 0, .solarize, 0.2, 4), rule(.equalize, 0.4, 0, .rotate, 0.8, 8),
        rule(.solarize, 0.6, 3, .equalize, 0.6, 0), rule(.posterize, 0.8, 5, .equalize, 1, 0),
        rule(.rotate, 0.2, 3, .solarize, 0.6, 8), rule(.equalize, 0.6, 0, .posterize, 0.4, 6),
        rule(.rotate, 0.8, 8, .color, 0.4, 0), rule(.rotate, 0.4, 9, .equalize, 0.6, 0),
        rule(.equalize, 0, 0, .equalize, 0.8, 0), rule(.invert, 0.6, 0, .equalize, 1, 0),
        rule(.color, 0.6, 4, .contrast, 1, 8), rule(.rotate, 0.8, 8, .color, 1, 2),
        rule(.color, 0.8, 8, .solarize, 0.8, 7), rule(.sharpness, 0.4, 7, .invert, 0.6, 0),
        rule(.shearX, 0.6, 5, .equalize, 1, 0), rule(.color, 0.4, 0, .equalize, 0.6, 0),
        rule(.equalize, 0.4, 0, .solarize, 0.2, 4), rule(.solarize, 0.6, 5, .autoContrast, 0.6, 0),
        rule(.invert, 0.6, 0, .equalize, 1, 0), rule(.color, 0.6, 4, .contrast, 1, 8),
        rule(.equalize, 0.8, 0, .equalize, 0.6, 0),
    ]

    private static func rule(
        _ first: Kind, _ firstProbability: Double, _ firstStrength: Int, _ second: Kind,
        _ secondProbability: Double, _ secondStrength: Int
    ) -> (first: Step, second: Step) {
        (
            Step(kind: first, probability: firstProbability, strength: firstStrength),
            Step(kind: second, probability: secondProbability, strength: secondStrength)
        )
    }
}
