/// The file formats that are decoded, told apart by their first bytes.
public enum ImageFormat: String, Sendable, Hashable, CaseIterable {
    /// JPEG: baseline, extended or progressive.
    case jpeg
    /// PNG; of an animated one the default picture.
    case png
    /// WebP; of an animated one the first frame.
    case webp

    /// The format that these bytes begin as, whatever their file is called; `nil` for any other.
    public init?(detecting bytes: Span<UInt8>) {
        if bytes.hasBytes([0xFF, 0xD8, 0xFF], at: 0) {
            self = .jpeg
        } else if bytes.hasBytes([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], at: 0) {
            self = .png
        } else if bytes.hasText("RIFF", at: 0), bytes.hasText("WEBP", at: 8) {
            self = .webp
        } else {
            return nil
        }
    }

    /// What bytes of another kind seem to be, for messages.
    static func guess(_ bytes: Span<UInt8>) -> String {
        if bytes.isEmpty { return "an empty file" }
        for (start, offset, name) in otherKinds where bytes.hasText(start, at: offset) {
            return name
        }
        return "bytes of another kind"
    }

    private static let otherKinds: [(start: String, offset: Int, name: String)] = [
        ("GIF8", 0, "a GIF"), ("BM", 0, "a BMP"), ("II*\0", 0, "a TIFF"), ("MM\0*", 0, "a TIFF"),
        ("ftypheic", 4, "a HEIC photo"), ("ftypheix", 4, "a HEIC photo"),
        ("ftypmif1", 4, "a HEIF photo"), ("ftypavif", 4, "an AVIF photo"), ("%PDF", 0, "a PDF"),
        ("<svg", 0, "an SVG drawing"), ("<?xml", 0, "an XML file"), ("<!DOCTYPE", 0, "a web page"),
        ("<!doctype", 0, "a web page"), ("<html", 0, "a web page"), ("<HTML", 0, "a web page"),
        ("PK\u{3}\u{4}", 0, "a zip archive"), ("RIFF", 0, "a RIFF file without a picture"),
    ]
}
