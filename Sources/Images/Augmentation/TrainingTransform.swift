public import Tensors

/// What a picture goes through before a network learns from it: a random part of it, its colours changed, a piece
/// covered.
///
/// In this order: crop and resize, mirror, colour jitter, policy, erasing. Everything random comes from the generator
/// that is passed in, so the same generator gives the same pixels. docs/augmentation.md has the definitions.
public struct TrainingTransform: Sendable, Hashable {
    /// How the part of a JPEG that a crop needs is decoded.
    public enum Decoding: String, Sendable, Hashable, CaseIterable {
        /// Whole, in full resolution: the pixels are Pillow's.
        case exact
        /// Only the crop, and in half, a quarter or an eighth of the resolution where the result is smaller still.
        ///
        /// A crop that keeps its resolution has Pillow's pixels; one that does not differs a little.
        case fast
    }

    /// Both sides of the result, in pixels.
    public let size: Int
    /// Which part of the picture is taken.
    public let crop: RandomCrop
    /// How often left and right change places.
    public let flipProbability: Double
    /// How colours change; `nil` leaves them.
    public let jitter: ColorJitter?
    /// Further changes.
    public let policy: AugmentationPolicy
    /// What is covered; `nil` for nothing.
    public let erasing: RandomErasing?
    /// How much of a JPEG is decoded.
    public let decoding: Decoding

    /// Describes a transform.
    ///
    /// - Throws: `ImageError` with code `.invalidArgument` where a number makes no sense.
    public init(
        size: Int = 224, crop: RandomCrop = .torchvision, flipProbability: Double = 0.5,
        jitter: ColorJitter? = nil, policy: AugmentationPolicy = .none,
        erasing: RandomErasing? = nil, decoding: Decoding = .fast
    ) throws(ImageError) {
        self.size = size
        self.crop = crop
        self.flipProbability = flipProbability
        self.jitter = jitter
        self.policy = policy
        self.erasing = erasing
        self.decoding = decoding
        try check()
    }

    /// Transforms a picture.
    ///
    /// - Parameters:
    ///   - image: of any size.
    ///   - random: where the numbers come from.
    /// - Returns: `size` x `size` pixels.
    /// - Throws: `ImageError` with code `.resourceExhausted`.
    public func apply(
        to image: Image, random: inout RandomGenerator
    ) throws(ImageError) -> Image {
        let view = view(width: image.width, height: image.height, random: &random)
        let part = try image.resized(
            view.box, width: size, height: size, isMirrored: view.isMirrored)
        return try finish(part, random: &random)
    }

    /// Draws which part of a picture is taken, and whether it is mirrored.
    func view(width: Int, height: Int, random: inout RandomGenerator) -> View {
        let box = crop.box(width: width, height: height, random: &random)
        return View(box: box, isMirrored: random.nextEvent(probability: flipProbability))
    }

    /// Does what comes after the crop.
    func finish(_ part: Image, random: inout RandomGenerator) throws(ImageError) -> Image {
        var result = part
        if let jitter { result = try jitter.apply(to: result, random: &random) }
        result = try policy.apply(to: result, random: &random)
        if let erasing { result = try erasing.apply(to: result, random: &random) }
        return result
    }

    /// Which part of a picture is taken, and whether it is mirrored.
    struct View: Sendable, Hashable {
        let box: PixelBox
        let isMirrored: Bool
    }

    private func check() throws(ImageError) {
        guard (1...65_536).contains(size) else {
            throw ImageError(.invalidArgument, "size: expected 1 to 65536 pixels, found \(size)")
        }
        try checkShare("flip probability", flipProbability...flipProbability)
        try checkShare("crop area", crop.area)
        guard crop.area.lowerBound > 0 else {
            throw ImageError(.invalidArgument, "crop area: expected more than 0")
        }
        guard crop.aspect.lowerBound >= 0.01, crop.aspect.upperBound <= 100 else {
            throw ImageError(
                .invalidArgument, "crop aspect: expected 0.01 to 100, found \(crop.aspect)")
        }
        guard (0...1000).contains(crop.tries) else {
            throw ImageError(
                .invalidArgument, "crop tries: expected 0 to 1000, found \(crop.tries)")
        }
        try jitter?.check()
        try policy.check()
        try erasing?.check()
    }
}

/// Refuses shares that are not in 0...1.
func checkShare(_ name: String, _ range: ClosedRange<Double>) throws(ImageError) {
    guard range.lowerBound >= 0, range.upperBound <= 1 else {
        let found =
            range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range)"
        throw ImageError(.invalidArgument, "\(name): expected 0 to 1, found \(found)")
    }
}
