import Native

/// What every picture goes through before a network sees it, outside training.
///
/// The short side is resized to `resize`, then the middle `crop` x `crop` pixels are taken.
/// Source: torchvision 0.28, `Resize(resize)` and `CenterCrop(crop)` over Pillow images; equal to the byte.
public struct EvaluationTransform: Sendable, Hashable {
    /// The short side after resizing, at least 1 pixel.
    public let resize: Int
    /// Both sides of the result, at least 1 pixel.
    public let crop: Int

    /// Makes the transform.
    ///
    /// - Throws: `ImageError` with code `.invalidArgument` where a side is not in 1...65,536.
    public init(resize: Int, crop: Int) throws(ImageError) {
        for (name, side) in [("resize", resize), ("crop", crop)]
        where !(1...65_536).contains(side) {
            throw ImageError(
                .invalidArgument, "\(name): expected 1 to 65536 pixels, found \(side)")
        }
        self.resize = resize
        self.crop = crop
    }

    private init() {
        resize = 256
        crop = 224
    }

    /// Short side 256, crop 224: the usual evaluation of networks trained on ImageNet.
    public static let standard = EvaluationTransform()

    /// Resizes and crops; where the resized picture is smaller than the crop, black is added evenly.
    ///
    /// - Returns: `crop` x `crop` pixels.
    /// - Throws: `ImageError` with code `.resourceExhausted`.
    public func apply(to image: Image) throws(ImageError) -> Image {
        let (width, height) = scaledSize(width: image.width, height: image.height)
        let columns = CropRange(scaledCount: width, crop: crop)
        let rows = CropRange(scaledCount: height, crop: crop)
        let part = try image.resampled(
            toWidth: width, height: height, columns: columns.taken, rows: rows.taken)
        guard part.width < crop || part.height < crop else { return part }
        return try padded(part, left: columns.padding, top: rows.padding)
    }

    /// The size of the whole picture after resizing.
    package func scaledSize(width: Int, height: Int) -> (width: Int, height: Int) {
        let (short, long) = (min(width, height), max(width, height))
        // Python's `int(resize * long / short)`: both products are exact, the quotient is rounded once.
        let scaledLong = Int(Double(resize * long) / Double(short))
        return width <= height ? (resize, scaledLong) : (scaledLong, resize)
    }

    private func padded(_ part: Image, left: Int, top: Int) throws(ImageError) -> Image {
        var target = try Image.reserve(width: crop, height: crop, isBlack: true)
        var span = target.mutableSpan(of: UInt8.self)
        let source = part.pixels.bytes
        for y in 0..<part.height {
            for x in 0..<part.width * 3 {
                span[((top + y) * crop + left) * 3 + x] = source[y * part.width * 3 + x]
            }
        }
        return Image(
            width: crop, height: crop, pixels: target.finish(), format: part.format,
            orientation: part.orientation, damage: part.damage)
    }
}

/// Where a centred crop lies along one side.
private struct CropRange {
    /// The pixels of the resized picture that are in the crop.
    let taken: Range<Int>
    /// Black pixels before them.
    let padding: Int

    init(scaledCount: Int, crop: Int) {
        guard scaledCount > crop else {
            taken = 0..<scaledCount
            padding = (crop - scaledCount) / 2
            return
        }
        // Python's `int(round((side - crop) / 2.0))`: halves go to the even neighbour.
        let start = Int((Double(scaledCount - crop) / 2).rounded(.toNearestOrEven))
        taken = start..<start + crop
        padding = 0
    }
}
