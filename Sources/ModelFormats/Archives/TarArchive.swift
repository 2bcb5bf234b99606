import Native

/// The plain files of a tar archive, as far as the oldest form of PyTorch's files needs them.
///
/// Source: POSIX.1-2001 `ustar`. Links and devices are refused; extended headers are passed over.
struct TarArchive {
    /// One file.
    struct Entry {
        let name: String
        let bytes: Memory
    }

    static let maximumEntryCount = 10_000

    let entries: [Entry]

    /// Whether bytes look like a tar archive: the magic word of its first header.
    static func recognises(_ bytes: Span<UInt8>) -> Bool { bytes.holds("ustar", at: 257) }

    /// Reads all headers.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed`, `.checksumMismatch`, `.unsafeArchive` or
    ///   `.limitExceeded`.
    init(_ memory: Memory, name file: String) throws(ModelFormatError) {
        let bytes = memory.bytes
        var entries: [Entry] = []
        var names: Set<String> = []
        var position = 0
        while position < bytes.count, bytes[position] != 0 {
            guard let size = Self.octal(bytes, at: position + 124, width: 12),
                let checksum = Self.octal(bytes, at: position + 148, width: 8),
                bytes.count - position >= 512
            else {
                throw ModelFormatError(
                    .malformed, "\(file): the tar header at byte \(position) is damaged")
            }
            guard checksum == Self.checksum(bytes, at: position) else {
                throw ModelFormatError(
                    .checksumMismatch, "\(file): the tar header at byte \(position) is damaged")
            }
            let name = Self.text(bytes, at: position, width: 100)
            guard let contents = memory.slice(offset: position + 512, byteCount: size) else {
                throw ModelFormatError(.malformed, "\(file): \(name) is cut short")
            }
            switch bytes[position + 156] {
            case 0, UInt8(ascii: "0"):
                guard names.insert(name).inserted else {
                    throw ModelFormatError(
                        .unsafeArchive, "\(file): two entries are named \(name)")
                }
                entries.append(Entry(name: name, bytes: contents))
            case UInt8(ascii: "5"), UInt8(ascii: "x"), UInt8(ascii: "g"): break
            case let kind:
                throw ModelFormatError(
                    .unsafeArchive,
                    "\(file): \(name): expected plain files, found an entry of type \(kind)")
            }
            guard entries.count <= Self.maximumEntryCount else {
                throw ModelFormatError(
                    .limitExceeded,
                    "\(file): expected at most \(Self.maximumEntryCount) entries")
            }
            // The slice above proved that this cannot overflow by more than the padding.
            position += 512 + (size + 511) / 512 * 512
        }
        self.entries = entries
    }

    private static func octal(_ bytes: Span<UInt8>, at start: Int, width: Int) -> Int? {
        guard start + width <= bytes.count else { return nil }
        var value = 0
        var hasDigit = false
        for index in start..<(start + width) {
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                value = value << 3 | Int(bytes[index] - UInt8(ascii: "0"))
                hasDigit = true
            case 0, UInt8(ascii: " "): if hasDigit { return value }
            default: return nil
            }
        }
        return hasDigit ? value : nil
    }

    private static func checksum(_ bytes: Span<UInt8>, at start: Int) -> Int {
        var sum = 8 * Int(UInt8(ascii: " "))
        for index in 0..<512 where !(148..<156).contains(index) { sum += Int(bytes[start + index]) }
        return sum
    }

    private static func text(_ bytes: Span<UInt8>, at start: Int, width: Int) -> String {
        var end = start
        while end < start + width, bytes[end] != 0 { end += 1 }
        return String(decoding: bytes.copy(start..<end), as: UTF8.self)
    }
}
