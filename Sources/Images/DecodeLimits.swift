/// How large a picture may be; checked before memory is taken for it.
public struct DecodeLimits: Sendable, Hashable {
    /// Pixels, width times height.
    public var maximumPixelCount: Int
    /// Bytes of the encoded file.
    public var maximumByteCount: Int
    /// Scans of a progressive JPEG.
    public var maximumScanCount: Int
    /// Bytes of each PNG chunk that holds no image data: text, colour profiles, EXIF.
    public var maximumChunkByteCount: Int
    /// Bytes that a decoder may take beside the pixels, as for the coefficients of a progressive JPEG.
    public var maximumWorkingByteCount: Int

    /// Makes limits.
    public init(
        maximumPixelCount: Int, maximumByteCount: Int, maximumScanCount: Int = 256,
        maximumChunkByteCount: Int = 1 << 20, maximumWorkingByteCount: Int = 2 << 30
    ) {
        self.maximumPixelCount = maximumPixelCount
        self.maximumByteCount = maximumByteCount
        self.maximumScanCount = maximumScanCount
        self.maximumChunkByteCount = maximumChunkByteCount
        self.maximumWorkingByteCount = maximumWorkingByteCount
    }

    /// For a person's own files: 178,956,970 pixels, above which Pillow refuses too, and 1 GiB.
    public static let commandLine = DecodeLimits(
        maximumPixelCount: 178_956_970, maximumByteCount: 1 << 30)

    /// For files that strangers send: 50 million pixels and 64 MiB.
    public static let server = DecodeLimits(
        maximumPixelCount: 50_000_000, maximumByteCount: 64 << 20,
        maximumWorkingByteCount: 512 << 20)
}

/// What to do with a damaged file of which a picture can still be made.
public enum DamagePolicy: Sendable, Hashable {
    /// Throw an error with code `.damaged`.
    case refuse
    /// Give the picture, with gaps as the decoder fills them, and say so in `Image.damage`.
    case accept
    /// Refuse files that end before their picture does, as Pillow does, and accept other damage.
    case acceptUnlessCut
}
