public import Native

extension Image {
    /// Decodes a JPEG, PNG or WebP, whichever the bytes are, and turns it upright.
    ///
    /// Grey becomes equal channels, alpha is dropped, CMYK is converted as Pillow does, 16-bit samples keep
    /// their high byte (where Pillow clips 16-bit grey instead), the first frame of an animation is taken.
    /// Pixels are those of Pillow's `ImageOps.exif_transpose(Image.open(...)).convert("RGB")`.
    ///
    /// - Parameters:
    ///   - bytes: a whole file.
    ///   - limits: what is refused before memory is taken for it.
    ///   - damage: what to do with a damaged file of which a picture can still be made.
    ///   - name: how messages call the bytes.
    /// - Throws: `ImageError`.
    public init(
        decoding bytes: Memory, limits: DecodeLimits = .commandLine,
        damage: DamagePolicy = .refuse, name: String = "the image"
    ) throws(ImageError) {
        let decoder = Decoder(bytes: bytes, limits: limits, damage: damage, name: name)
        let format = try decoder.format()
        let stored =
            switch format {
            case .jpeg: try decoder.decodeJPEG()
            case .png: try decoder.decodePNG()
            case .webp: try decoder.decodeWebP()
            }
        self = try stored.upright()
    }

    /// Decodes a file, whatever its name.
    ///
    /// - Throws: `ImageError`, with code `.notFound` or `.unreadable` where there are no bytes to decode.
    public init(
        contentsOf path: String, limits: DecodeLimits = .commandLine, damage: DamagePolicy = .refuse
    ) throws(ImageError) {
        let bytes: Memory
        do {
            bytes = try Memory(mapping: path)
        } catch {
            throw ImageError(error.code == .notFound ? .notFound : .unreadable, error.message)
        }
        try self.init(decoding: bytes, limits: limits, damage: damage, name: path)
    }
}

/// One file on its way to a picture, not yet upright.
struct Decoder {
    let bytes: Memory
    let limits: DecodeLimits
    let damage: DamagePolicy
    let name: String

    /// What the bytes are, by their first ones.
    func format() throws(ImageError) -> ImageFormat {
        guard bytes.byteCount <= limits.maximumByteCount else {
            throw ImageError(
                .limitExceeded,
                "\(name): expected at most \(limits.maximumByteCount) bytes, found "
                    + "\(bytes.byteCount)")
        }
        guard let format = ImageFormat(detecting: bytes.bytes) else {
            throw ImageError(
                .unrecognizedFormat,
                "\(name): expected a JPEG, PNG or WebP, found \(ImageFormat.guess(bytes.bytes))")
        }
        return format
    }

    /// What a JPEG says of its picture, if it is one that may be decoded.
    func headerOfJPEG() throws(ImageError) -> CodecHeader {
        let header = try naming { () throws(NativeError) in try JPEGCodec.header(of: bytes) }
        try check(width: header.width, height: header.height)
        try check(minimumByteCount: header.minimumByteCount)
        return header
    }

    /// A part of a JPEG, as it is stored.
    func decodeJPEG(_ part: JPEGCodec.Part, header: CodecHeader) throws(ImageError) -> Image {
        var pixels = try Image.reserve(width: part.width, height: part.height)
        let report: CodecReport
        do {
            report = try JPEGCodec.decode(
                part, of: bytes, header: header, maximumScanCount: limits.maximumScanCount,
                maximumWorkingByteCount: limits.maximumWorkingByteCount,
                stopsAtWarning: damage == .refuse, into: &pixels)
        } catch {
            throw named(error)
        }
        try check(report)
        return Image(
            width: part.width, height: part.height, pixels: pixels.finish(), format: .jpeg,
            damage: report.firstWarning)
    }

    func decodeJPEG() throws(ImageError) -> Image {
        let header = try headerOfJPEG()
        var pixels = try Image.reserve(width: header.width, height: header.height)
        let report: CodecReport
        do {
            report = try JPEGCodec.decode(
                bytes, header: header, maximumScanCount: limits.maximumScanCount,
                maximumWorkingByteCount: limits.maximumWorkingByteCount,
                stopsAtWarning: damage == .refuse, into: &pixels)
        } catch {
            throw named(error)
        }
        try check(report)
        return Image(
            width: header.width, height: header.height, pixels: pixels.finish(), format: .jpeg,
            orientation: JPEGContainer.orientation(in: bytes.bytes), damage: report.firstWarning)
    }

    func decodePNG() throws(ImageError) -> Image {
        let header = try naming { () throws(NativeError) in try PNGCodec.header(of: bytes) }
        try check(width: header.width, height: header.height)
        try check(minimumByteCount: header.minimumByteCount)
        let container = PNGContainer(bytes.bytes)
        if let chunk = container.largestOther, chunk.byteCount > limits.maximumChunkByteCount {
            throw ImageError(
                .limitExceeded,
                "\(name): expected at most \(limits.maximumChunkByteCount) bytes in a chunk "
                    + "without image data, found \(chunk.byteCount) in \(chunk.name)")
        }
        var pixels = try Image.reserve(width: header.width, height: header.height)
        let report: CodecReport
        do {
            report = try PNGCodec.decode(
                bytes, header: header, maximumChunkByteCount: limits.maximumChunkByteCount,
                into: &pixels)
        } catch {
            throw named(error)
        }
        try check(report)
        return Image(
            width: header.width, height: header.height, pixels: pixels.finish(), format: .png,
            orientation: container.orientation, damage: report.firstWarning)
    }

    func decodeWebP() throws(ImageError) -> Image {
        guard let container = WebPContainer.read(bytes.bytes) else {
            throw ImageError(
                .malformed, "\(name): expected the chunks of a WebP file, found other bytes")
        }
        var coded = bytes
        var frame: WebPContainer.Frame?
        if let first = container.firstFrame {
            guard let slice = bytes.slice(offset: first.offset, byteCount: first.byteCount) else {
                throw ImageError(.malformed, "\(name): the first frame ends outside the file")
            }
            coded = slice
            frame = first
            try check(width: first.canvasWidth, height: first.canvasHeight)
        }
        let source = coded
        let header = try naming { () throws(NativeError) in try WebPCodec.header(of: source) }
        try check(width: header.width, height: header.height)
        guard !header.isAnimated else {
            throw ImageError(.malformed, "\(name): expected a first frame, found none")
        }
        if let frame, frame.width != header.width || frame.height != header.height {
            throw ImageError(
                .malformed,
                "\(name): expected a first frame of \(frame.width) x \(frame.height) pixels, found "
                    + "\(header.width) x \(header.height)")
        }
        let width = frame?.canvasWidth ?? header.width
        let height = frame?.canvasHeight ?? header.height
        // A first frame may cover only a part of its canvas.
        var pixels = try Image.reserve(width: width, height: height, isBlack: frame != nil)
        do {
            try WebPCodec.decode(
                source, header: header, x: frame?.x ?? 0, y: frame?.y ?? 0, canvasWidth: width,
                into: &pixels)
        } catch {
            throw named(error)
        }
        return Image(
            width: width, height: height, pixels: pixels.finish(), format: .webp,
            orientation: container.orientation)
    }

    private func check(width: Int, height: Int) throws(ImageError) {
        guard width > 0, height > 0 else {
            throw ImageError(
                .malformed, "\(name): expected a picture, found \(width) x \(height) pixels")
        }
        let (pixelCount, isTooLarge) = width.multipliedReportingOverflow(by: height)
        guard !isTooLarge, pixelCount <= limits.maximumPixelCount else {
            throw ImageError(
                .limitExceeded,
                "\(name): expected at most \(limits.maximumPixelCount) pixels, found \(width) x "
                    + "\(height)")
        }
    }

    /// Refuses files that promise more pixels than their bytes can hold, before memory is taken.
    private func check(minimumByteCount: Int) throws(ImageError) {
        guard bytes.byteCount >= minimumByteCount else {
            throw ImageError(
                .malformed,
                "\(name): a picture of its size takes at least \(minimumByteCount) bytes, found "
                    + "\(bytes.byteCount); the file may be cut short")
        }
    }

    private func check(_ report: CodecReport) throws(ImageError) {
        guard let warning = report.firstWarning else { return }
        guard damage == .refuse || (damage == .acceptUnlessCut && report.isCut) else { return }
        throw ImageError(.damaged, "\(name): damaged: \(warning)")
    }

    private func naming<Result>(
        _ body: () throws(NativeError) -> Result
    ) throws(ImageError) -> Result {
        do {
            return try body()
        } catch {
            throw named(error)
        }
    }

    private func named(_ error: NativeError) -> ImageError {
        ImageError(ImageError.Code(error.code), "\(name): cannot be decoded: \(error.message)")
    }
}

extension ImageError.Code {
    /// The code for a codec's.
    init(_ code: NativeError.Code) {
        self =
            switch code {
            case .notFound: .notFound
            case .inputOutput: .unreadable
            case .resourceExhausted: .resourceExhausted
            case .unsupported: .unsupported
            case .limitExceeded: .limitExceeded
            // A codec reports nothing else.
            default: .malformed
            }
    }
}
