/// What a file's first bytes say it is.
enum FileKind {
    case safetensors
    case zip
    case tar
    case pytorchLegacy(start: Int)
    case onnx
    /// Something that holds no weights which are read here, in words, and what to do about it.
    case other(String, advice: String)

    init(of bytes: Span<UInt8>) {
        if bytes.holds("PK\u{3}\u{4}", at: 0) || bytes.holds("PK\u{5}\u{6}", at: 0) {
            self = .zip
        } else if let start = PyTorchPickle.legacyStart(bytes) {
            self = .pytorchLegacy(start: start)
        } else if TarArchive.recognises(bytes) {
            self = .tar
        } else if Self.isSafetensors(bytes) {
            self = .safetensors
        } else if Self.isONNX(bytes) {
            self = .onnx
        } else {
            self = Self.named(bytes)
        }
    }

    /// A header that begins as one must, whether or not it goes on so.
    private static func isSafetensors(_ bytes: Span<UInt8>) -> Bool {
        guard let length = bytes.littleEndian(UInt64.self, at: 0), length >= 2,
            length <= UInt64(SafetensorsHeader.maximumByteCount)
        else { return false }
        return bytes.holds("{", at: 8)
            || (bytes.holds(" ", at: 8) && length <= UInt64(bytes.count - 8))
    }

    private static func named(_ bytes: Span<UInt8>) -> FileKind {
        guard bytes.count > 0 else {
            return .other("an empty file", advice: "fetch it again")
        }
        for known in magicWords where bytes.holds(known.bytes, at: 0) {
            return .other(known.description, advice: known.advice)
        }
        let start = bytes.copy(0..<min(bytes.count, 512))
        let text = String(decoding: start, as: UTF8.self).lowercased()
            .drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        for (prefix, description) in [
            ("<!doctype html", "an HTML page"), ("<html", "an HTML page"), ("<?xml", "an XML file"),
            ("{", "a JSON file"),
        ] where text.hasPrefix(prefix) {
            return .other(description, advice: "a download may have given an error page")
        }
        if start.allSatisfy({ $0 == 0 }) {
            return .other("zeros only", advice: "a download may have been interrupted")
        }
        if start.first == 0x80, start.count > 1, (2...5).contains(start[1]) {
            return .other("a Python pickle that torch.save did not write", advice: "")
        }
        let words = start.prefix(8).map {
            ($0 < 16 ? "0" : "") + String($0, radix: 16)
        }
        return .other("bytes that begin \(words.joined(separator: " "))", advice: "")
    }

    /// Field 1 is a small version number, from 3 on; then one of the producer's name and version, the domain, the
    /// model's version, a description, the graph, the operators' version or metadata.
    private static func isONNX(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count > 4, bytes[0] == 0x08, (3...32).contains(bytes[1]) else { return false }
        return [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72].contains(bytes[2])
    }

    private static let magicWords: [(bytes: [UInt8], description: String, advice: String)] = [
        (
            [0x89] + Array("HDF\r\n".utf8), "an HDF5 file, as Keras writes",
            "convert it to safetensors"
        ),
        (
            [0x08, 0x01, 0x12],
            "a SavedModel's graph under another name, or an ONNX model of version 1",
            "name the SavedModel's folder"
        ),
        ([0x93] + Array("NUMPY".utf8), "a NumPy array", "save named tensors as safetensors"),
        (Array("GGUF".utf8), "a GGUF file", "convert it to safetensors"),
        (Array("version https://git-lfs".utf8), "a Git LFS pointer", "run git lfs pull"),
        ([0x1F, 0x8B], "a gzip file", "unpack it first"),
        (Array("BZh".utf8), "a bzip2 file", "unpack it first"),
        ([0xFD] + Array("7zXZ".utf8), "an xz file", "unpack it first"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a Zstandard file", "unpack it first"),
        (Array("7z".utf8) + [0xBC, 0xAF], "a 7-Zip file", "unpack it first"),
        ([0xFF, 0xD8, 0xFF], "a JPEG image", "weights and images may be swapped"),
        ([0x89] + Array("PNG".utf8), "a PNG image", "weights and images may be swapped"),
        (Array("RIFF".utf8), "a WebP image or other RIFF file", ""),
        ([0x7F] + Array("ELF".utf8), "a program or library", ""),
        (Array("%PDF".utf8), "a PDF document", ""),
    ]
}
