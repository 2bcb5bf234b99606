public import Native

/// Encodes a picture as a PNG, without loss.
///
/// - Throws: `ImageError` with code `.resourceExhausted`.
public func encodePNG(_ image: Image) throws(ImageError) -> Memory {
    do {
        return try PNGCodec.encode(image.pixels, width: image.width, height: image.height)
    } catch {
        throw ImageError(
            ImageError.Code(error.code),
            "\(image.width) x \(image.height) pixels as PNG: \(error.message)")
    }
}

/// Encodes a picture as a baseline JPEG.
///
/// - Parameters:
///   - image: sides of at most 65,500 pixels.
///   - quality: 1 to 100.
/// - Throws: `ImageError` with code `.invalidArgument`, `.limitExceeded` or `.resourceExhausted`.
public func encodeJPEG(_ image: Image, quality: Int = 90) throws(ImageError) -> Memory {
    guard (1...100).contains(quality) else {
        throw ImageError(
            .invalidArgument, "JPEG quality: expected 1 to 100, found \(quality)")
    }
    do {
        return try JPEGCodec.encode(
            image.pixels, width: image.width, height: image.height, quality: quality)
    } catch {
        throw ImageError(
            ImageError.Code(error.code),
            "\(image.width) x \(image.height) pixels as JPEG: \(error.message)")
    }
}
