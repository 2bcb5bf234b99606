public import Native

/// What a picture's file says of itself, read without decoding it.
public struct ImageHeader: Sendable, Hashable {
    /// What the file is, by its bytes.
    public let format: ImageFormat
    /// Pixels from left to right, after the orientation is applied.
    public let width: Int
    /// Pixels from top to bottom, after the orientation is applied.
    public let height: Int

    /// Reads the header; of an animation that of its canvas.
    ///
    /// - Parameters:
    ///   - bytes: a whole file, of which little is read.
    ///   - name: how messages call the bytes.
    /// - Throws: `ImageError` with code `.unrecognizedFormat`, `.malformed` or `.unsupported`.
    public init(of bytes: Memory, name: String = "the image") throws(ImageError) {
        guard let format = ImageFormat(detecting: bytes.bytes) else {
            throw ImageError(
                .unrecognizedFormat,
                "\(name): expected a JPEG, PNG or WebP, found \(ImageFormat.guess(bytes.bytes))")
        }
        let (width, height, orientation): (Int, Int, Int)
        do throws(NativeError) {
            switch format {
            case .jpeg:
                let header = try JPEGCodec.header(of: bytes)
                (width, height) = (header.width, header.height)
                orientation = JPEGContainer.orientation(in: bytes.bytes)
            case .png:
                let header = try PNGCodec.header(of: bytes)
                (width, height) = (header.width, header.height)
                orientation = PNGContainer(bytes.bytes).orientation
            case .webp:
                guard let container = WebPContainer.read(bytes.bytes) else {
                    throw NativeError(
                        .malformed, "expected the chunks of a WebP file, found other bytes")
                }
                if let frame = container.firstFrame {
                    (width, height) = (frame.canvasWidth, frame.canvasHeight)
                } else {
                    let header = try WebPCodec.header(of: bytes)
                    (width, height) = (header.width, header.height)
                }
                orientation = container.orientation
            }
        } catch {
            throw ImageError(
                ImageError.Code(error.code), "\(name): cannot be decoded: \(error.message)")
        }
        self.format = format
        // Orientations 5 to 8 lie on their side.
        (self.width, self.height) = orientation > 4 ? (height, width) : (width, height)
    }
}
