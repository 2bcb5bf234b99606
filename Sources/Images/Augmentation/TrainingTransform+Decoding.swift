public import Native
public import Tensors

extension TrainingTransform {
    /// Decodes a JPEG, PNG or WebP and transforms it.
    ///
    /// The generator is used as by `apply(to:random:)`. Of a JPEG no more is decoded than the crop needs, as `decoding`
    /// permits: in full resolution that gives the pixels that decoding the whole gives. Damage behind the crop then goes
    /// unnoticed, except that a file cut short is one wherever the crop lies.
    ///
    /// - Parameters:
    ///   - bytes: a whole file.
    ///   - limits: what is refused before memory is taken for it.
    ///   - damage: what to do with a damaged file.
    ///   - name: how messages call the bytes.
    ///   - random: where the numbers come from.
    /// - Returns: `size` x `size` pixels.
    /// - Throws: `ImageError`.
    public func apply(
        decoding bytes: Memory, limits: DecodeLimits = .commandLine,
        damage: DamagePolicy = .refuse, name: String = "the image",
        random: inout RandomGenerator
    ) throws(ImageError) -> Image {
        let decoder = Decoder(bytes: bytes, limits: limits, damage: damage, name: name)
        guard try decoder.format() == .jpeg, JPEGContainer.orientation(in: bytes.bytes) == 1,
            // A file cut short is decoded whole, so that it is treated as such.
            JPEGContainer.hasEnd(in: bytes.bytes)
        else {
            let image = try Image(decoding: bytes, limits: limits, damage: damage, name: name)
            return try apply(to: image, random: &random)
        }
        let header = try decoder.headerOfJPEG()
        let view = view(width: header.width, height: header.height, random: &random)
        let denominator = decoding == .fast ? denominator(for: view.box) : 1
        let part = view.box.divided(by: denominator)
        let image = try decoder.decodeJPEG(part, header: header)
        let result: Image
        if denominator == 1 {
            result = try image.resized(
                PixelBox(wholeOf: image), width: size, height: size, isMirrored: view.isMirrored)
        } else {
            let inner = InnerBox(
                x: Double(view.box.x) / Double(denominator) - Double(part.x),
                y: Double(view.box.y) / Double(denominator) - Double(part.y),
                width: Double(view.box.width) / Double(denominator),
                height: Double(view.box.height) / Double(denominator))
            result = try image.resampled(
                inner: inner, toWidth: size, height: size, columns: 0..<size, rows: 0..<size,
                isMirrored: view.isMirrored)
        }
        return try finish(result, random: &random)
    }

    /// By how much a JPEG may be made smaller while it is decoded, so that the crop is still as large as the result.
    private func denominator(for box: PixelBox) -> Int {
        [8, 4, 2].first { size * $0 <= min(box.width, box.height) } ?? 1
    }
}

extension PixelBox {
    /// The pixels of a picture so many times smaller that this rectangle touches.
    fileprivate func divided(by denominator: Int) -> JPEGCodec.Part {
        let (left, top) = (x / denominator, y / denominator)
        let right = (x + width + denominator - 1) / denominator
        let bottom = (y + height + denominator - 1) / denominator
        return JPEGCodec.Part(
            denominator: denominator, x: left, y: top, width: right - left, height: bottom - top)
    }
}
