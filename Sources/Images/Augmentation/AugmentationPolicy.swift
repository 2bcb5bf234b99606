public import Tensors

/// Which operations a picture goes through, and how far they go.
public enum AugmentationPolicy: Sendable, Hashable {
    /// None.
    case none
    /// One operation of any strength.
    ///
    /// Source: Müller and Hutter 2021, "TrivialAugment", wide space; torchvision 0.28, `TrivialAugmentWide`.
    case trivialAugmentWide
    /// Two operations, by one of 25 rules that were found for ImageNet.
    ///
    /// Source: Cubuk et al. 2019, "AutoAugment"; torchvision 0.28, `AutoAugment` with `IMAGENET`.
    case autoAugment
    /// So many operations of one strength, which is 0 to 30.
    ///
    /// Source: Cubuk et al. 2020, "RandAugment"; torchvision 0.28, `RandAugment` with 31 strengths.
    case randAugment(operationCount: Int = 2, magnitude: Int = 9)

    /// Changes a picture by what is drawn; its size stays.
    ///
    /// - Throws: `ImageError` with code `.resourceExhausted`.
    public func apply(
        to image: Image, random: inout RandomGenerator
    ) throws(ImageError) -> Image {
        var result = image
        for operation in draw(width: image.width, height: image.height, random: &random) {
            result = try operation.apply(to: result)
        }
        return result
    }

    /// Draws the operations for a picture of a size.
    public func draw(
        width: Int, height: Int, random: inout RandomGenerator
    ) -> [AugmentationOperation] {
        switch self {
        case .none: return []
        case .trivialAugmentWide:
            let space = AugmentationSpace.wide
            let kind = AugmentationSpace.Kind.searched[
                random.nextIndex(below: AugmentationSpace.Kind.searched.count)]
            let strength = random.nextIndex(below: space.strengthCount)
            return [space.operation(kind, strength: strength, isNegative: random.nextIsEven())]
        case .autoAugment:
            let rule = AugmentationSpace.imageNetRules[
                random.nextIndex(below: AugmentationSpace.imageNetRules.count)]
            let chances = [random.nextUniform(), random.nextUniform()]
            let signs = [random.nextIsEven(), random.nextIsEven()]
            let space = AugmentationSpace.narrow(strengthCount: 10, width: width, height: height)
            return zip([rule.first, rule.second], zip(chances, signs)).compactMap { step, drawn in
                guard drawn.0 <= step.probability else { return nil }
                return space.operation(step.kind, strength: step.strength, isNegative: drawn.1)
            }
        case .randAugment(let count, let magnitude):
            let space = AugmentationSpace.narrow(strengthCount: 31, width: width, height: height)
            return (0..<count).map { _ in
                let kind = AugmentationSpace.Kind.searched[
                    random.nextIndex(below: AugmentationSpace.Kind.searched.count)]
                return space.operation(
                    kind, strength: magnitude, isNegative: random.nextIsEven())
            }
        }
    }

    func check() throws(ImageError) {
        guard case .randAugment(let count, let magnitude) = self else { return }
        guard (0...16).contains(count), (0...30).contains(magnitude) else {
            throw ImageError(
                .invalidArgument,
                "RandAugment: expected 0 to 16 operations of magnitude 0 to 30, found \(count) of "
                    + "\(magnitude)")
        }
    }
}

extension RandomGenerator {
    /// One of two, with equal chances.
    mutating func nextIsEven() -> Bool { next() & 1 == 0 }
}
