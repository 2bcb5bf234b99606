/// One change of a picture, with how far it goes.
///
/// Source: torchvision 0.28, `transforms.autoaugment._apply_op` over Pillow images; equal to the byte.
public enum AugmentationOperation: Sendable, Hashable {
    /// No change.
    case identity
    /// Rows are shifted by this times their distance from the top.
    case shearX(Double)
    /// Columns are shifted by this times their distance from the left.
    case shearY(Double)
    /// A shift to the right, in pixels; fractions are dropped.
    case translateX(Double)
    /// A shift downwards, in pixels; fractions are dropped.
    case translateY(Double)
    /// A rotation about the middle, counter-clockwise in degrees.
    case rotate(Double)
    /// Mixed with black: 0 keeps, -1 gives black.
    case brightness(Double)
    /// Mixed with grey: 0 keeps, -1 gives grey.
    case color(Double)
    /// Mixed with the mean: 0 keeps, -1 gives plain grey.
    case contrast(Double)
    /// Mixed with a smoothed picture: 0 keeps, -1 gives the smoothed one.
    case sharpness(Double)
    /// Keeps so many bits of each channel.
    case posterize(Int)
    /// Inverts what is as bright as this or brighter.
    case solarize(Double)
    /// Stretches each channel's values to all of 0...255.
    case autoContrast
    /// Flattens each channel's histogram.
    case equalize
    /// The negative.
    case invert

    /// Changes a picture; its size stays.
    ///
    /// - Throws: `ImageError` with code `.resourceExhausted`.
    public func apply(to image: Image) throws(ImageError) -> Image {
        switch self {
        case .identity: image
        case .shearX(let slope): try image.sheared(alongRows: slope)
        case .shearY(let slope): try image.sheared(alongColumns: slope)
        case .translateX(let pixels): try image.shifted(right: Int(pixels), down: 0)
        case .translateY(let pixels): try image.shifted(right: 0, down: Int(pixels))
        case .rotate(let degrees): try image.rotated(degrees: degrees)
        case .brightness(let change): try image.brightened(by: 1 + change)
        case .color(let change): try image.saturated(by: 1 + change)
        case .contrast(let change): try image.contrasted(by: 1 + change)
        case .sharpness(let change): try image.sharpened(by: 1 + change)
        case .posterize(let bits): try image.posterized(bits: bits)
        case .solarize(let threshold): try image.solarized(threshold: threshold)
        case .autoContrast: try image.autocontrasted()
        case .equalize: try image.equalized()
        case .invert: try image.inverted()
        }
    }
}
