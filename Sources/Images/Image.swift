public import Native

/// A decoded picture: 8-bit RGB.
public struct Image: Sendable {
    /// Pixels from left to right, after the orientation is applied.
    public let width: Int
    /// Pixels from top to bottom, after the orientation is applied.
    public let height: Int
    /// `width * height * 3` bytes: rows from top to bottom, pixels from left to right, red, green, blue.
    public let pixels: Memory
    /// What the picture was decoded from; `nil` where it was made of pixels.
    public let format: ImageFormat?
    /// The EXIF orientation, 1...8, that was applied to the stored pixels; 1 where there was none.
    public let orientation: Int
    /// What was wrong with the file, where `DamagePolicy.accept` let it pass.
    public let damage: String?

    init(
        width: Int, height: Int, pixels: Memory, format: ImageFormat?, orientation: Int = 1,
        damage: String? = nil
    ) {
        self.width = width
        self.height = height
        self.pixels = pixels
        self.format = format
        self.orientation = orientation
        self.damage = damage
    }

    /// Makes a picture of pixels in memory.
    ///
    /// - Parameters:
    ///   - width: at least 1.
    ///   - height: at least 1.
    ///   - pixels: `width * height * 3` bytes, as in `Image.pixels`.
    /// - Throws: `ImageError` with code `.invalidArgument` where the numbers do not fit together.
    public init(width: Int, height: Int, pixels: Memory) throws(ImageError) {
        let byteCount = try Image.byteCount(width: width, height: height)
        guard pixels.byteCount == byteCount else {
            throw ImageError(
                .invalidArgument,
                "\(width) x \(height) pixels: expected \(byteCount) bytes, found \(pixels.byteCount)"
            )
        }
        self.init(width: width, height: height, pixels: pixels, format: nil)
    }

    /// Makes a picture of an array of pixels.
    ///
    /// - Throws: `ImageError` with code `.invalidArgument` where the numbers do not fit together.
    public init(width: Int, height: Int, pixels: [UInt8]) throws(ImageError) {
        try self.init(width: width, height: height, pixels: Memory(copying: pixels))
    }

    /// The bytes that a picture takes.
    ///
    /// - Throws: `ImageError` with code `.invalidArgument` where a side is below 1 or over 2^31 - 1, or the
    ///   product is no `Int`.
    static func byteCount(width: Int, height: Int) throws(ImageError) -> Int {
        let sides = 1...Int(Int32.max)
        let (pixelCount, isTooLarge) = width.multipliedReportingOverflow(by: height)
        let (byteCount, isStillTooLarge) = pixelCount.multipliedReportingOverflow(by: 3)
        guard sides.contains(width), sides.contains(height), !isTooLarge, !isStillTooLarge else {
            throw ImageError(
                .invalidArgument,
                "expected a picture of 1 x 1 pixels or more, found \(width) x \(height)")
        }
        return byteCount
    }

    /// Memory for a picture, of which every pixel must be written unless it is asked to be black.
    ///
    /// - Throws: `ImageError` with code `.invalidArgument` or `.resourceExhausted`.
    static func reserve(
        width: Int, height: Int, isBlack: Bool = false
    ) throws(ImageError) -> MutableMemory {
        let byteCount = try byteCount(width: width, height: height)
        do {
            return isBlack
                ? try MutableMemory(reserving: byteCount)
                : try MutableMemory(uncleared: byteCount)
        } catch {
            throw ImageError(.resourceExhausted, "\(width) x \(height) pixels: \(error.message)")
        }
    }
}
