import Native

/// The plain files of a tar archive, by their places.
///
/// Source: POSIX.1-2017, `pax` (ustar and extended headers: `path` and `size`); GNU tar 1.34 (long names, sizes in base
/// 256). Folders, links and devices are passed over; they have no data. An archive may end without its two empty blocks, but not inside a
/// file.
struct TarIndex {
    /// One file.
    struct Member: Hashable {
        /// Its path in the archive.
        let name: String
        /// Where its bytes begin.
        let offset: Int
        /// How many there are.
        let byteCount: Int
    }

    /// Bytes of an extended header or of a long name at most.
    private static let headerByteCount = 1 << 20
    private static let blockByteCount = 512

    /// The files, in the archive's order.
    let members: [Member]

    /// Whether bytes look like an archive: the magic word of its first header.
    static func recognises(_ bytes: Span<UInt8>) -> Bool { bytes.holds("ustar", at: 257) }

    /// Reads all headers.
    ///
    /// - Parameters:
    ///   - memory: the archive.
    ///   - archive: how messages call it.
    /// - Throws: `DatasetError` with code `.malformed` or `.limitExceeded`.
    init(_ memory: Memory, name archive: String) throws(DatasetError) {
        let bytes = memory.bytes
        var members: [Member] = []
        var position = 0
        // What extended headers say of the next entry, and of all that follow.
        var next = Extended()
        var global = Extended()
        while position < bytes.count, !Self.isEmptyBlock(bytes, at: position) {
            let header = try Self.header(bytes, at: position, archive)
            let data = position + Self.blockByteCount
            let byteCount =
                header.hasNoData
                ? 0
                : header.isExtension
                    ? header.byteCount : next.size ?? global.size ?? header.byteCount
            guard byteCount <= bytes.count - data else {
                throw DatasetError(
                    .malformed,
                    "\(archive): the entry at byte \(position) is cut short: expected \(byteCount) "
                        + "bytes, found \(bytes.count - data)")
            }
            switch header.kind {
            case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
                guard byteCount <= Self.headerByteCount else {
                    throw DatasetError(
                        .limitExceeded,
                        "\(archive): expected at most \(Self.headerByteCount) bytes in the extended "
                            + "header at byte \(position), found \(byteCount)")
                }
                let range = data..<data + byteCount
                switch header.kind {
                case UInt8(ascii: "x"): try next.read(bytes, range, archive)
                case UInt8(ascii: "g"): try global.read(bytes, range, archive)
                case UInt8(ascii: "L"): next.path = Self.text(bytes, range)
                default: break
                }
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
                let name = next.path ?? global.path ?? header.name
                if !name.hasSuffix("/") {
                    try DatasetLimits.check(
                        name.utf8.count, DatasetLimits.nameByteCount, "bytes in a path", in: archive
                    )
                    members.append(Member(name: name, offset: data, byteCount: byteCount))
                }
                next = Extended()
            default: next = Extended()
            }
            try DatasetLimits.check(members.count, DatasetLimits.sampleCount, "files", in: archive)
            // The check above proved that this overflows no more than the file's end.
            position = data + (byteCount + 511) / 512 * 512
        }
        self.members = members
    }

    private struct Header {
        var name: String
        var byteCount: Int
        var kind: UInt8

        /// Whether the entry describes the next one, so that what is said of that one is not meant for it.
        var isExtension: Bool { [0x78, 0x67, 0x4C, 0x4B].contains(kind) }

        /// Whether the entry is a link, a device, a folder or a pipe: nothing follows it, whatever size it gives.
        var hasNoData: Bool { (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(kind) }
    }

    private static func header(
        _ bytes: Span<UInt8>, at position: Int, _ archive: String
    ) throws(DatasetError) -> Header {
        guard bytes.count - position >= blockByteCount,
            let byteCount = number(bytes, at: position + 124, width: 12),
            let sum = number(bytes, at: position + 148, width: 8)
        else {
            throw DatasetError(
                .malformed, "\(archive): the tar header at byte \(position) is damaged or cut short"
            )
        }
        // Some old programs summed signed bytes.
        var unsignedSum = 8 * Int(UInt8(ascii: " "))
        var signedSum = unsignedSum
        for index in 0..<blockByteCount where !(148..<156).contains(index) {
            unsignedSum += Int(bytes[position + index])
            signedSum += Int(Int8(bitPattern: bytes[position + index]))
        }
        guard sum == unsignedSum || sum == signedSum else {
            throw DatasetError(
                .malformed,
                "\(archive): the tar header at byte \(position) is damaged: its checksum differs")
        }
        var name = text(bytes, position..<position + 100)
        if bytes.holds("ustar\0", at: position + 257), bytes[position + 345] != 0 {
            name = text(bytes, position + 345..<position + 500) + "/" + name
        }
        return Header(name: name, byteCount: byteCount, kind: bytes[position + 156])
    }

    private static func isEmptyBlock(_ bytes: Span<UInt8>, at position: Int) -> Bool {
        for index in position..<min(position + blockByteCount, bytes.count)
        where bytes[index] != 0 { return false }
        return true
    }

    /// A number in octal digits, or in base 256 where the first bit is set; `nil` for anything else.
    private static func number(_ bytes: Span<UInt8>, at start: Int, width: Int) -> Int? {
        guard bytes.count - start >= width else { return nil }
        var value = 0
        if bytes[start] == 0x80 {
            for index in start + 1..<start + width {
                guard value < 1 << 54 else { return nil }
                value = value << 8 | Int(bytes[index])
            }
            return value
        }
        var hasDigit = false
        for index in start..<start + width {
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

    /// The text before the first NUL; names of other encodings are repaired, as they are only names.
    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var end = range.lowerBound
        while end < range.upperBound, bytes[end] != 0 { end += 1 }
        return String(decoding: bytes.copy(range.lowerBound..<end), as: UTF8.self)
    }

    /// What an extended header says.
    private struct Extended {
        var path: String?
        var size: Int?

        /// Reads records of the form `LENGTH KEY=VALUE\n`, where the length counts the whole record.
        mutating func read(
            _ bytes: Span<UInt8>, _ range: Range<Int>, _ archive: String
        ) throws(DatasetError) {
            var position = range.lowerBound
            while position < range.upperBound, bytes[position] != 0 {
                guard let record = Self.record(bytes, position..<range.upperBound) else {
                    throw DatasetError(
                        .malformed,
                        "\(archive): the extended header at byte \(range.lowerBound) is damaged")
                }
                switch record.key {
                case "path": path = record.value
                case "size":
                    guard let value = Int(record.value), value >= 0 else {
                        throw DatasetError(
                            .malformed,
                            "\(archive): the extended header at byte \(range.lowerBound) gives a "
                                + "size that is no number")
                    }
                    size = value
                default: break
                }
                position = record.end
            }
        }

        private static func record(
            _ bytes: Span<UInt8>, _ range: Range<Int>
        ) -> (key: String, value: String, end: Int)? {
            var length = 0
            var position = range.lowerBound
            while position < range.upperBound, bytes[position] != UInt8(ascii: " ") {
                let digit = bytes[position]
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit), length < 1 << 24
                else { return nil }
                length = length * 10 + Int(digit - UInt8(ascii: "0"))
                position += 1
            }
            let start = position + 1
            let end = range.lowerBound + length
            guard end <= range.upperBound, start < end,
                bytes[end - 1] == UInt8(ascii: "\n")
            else { return nil }
            var equals = start
            while equals < end, bytes[equals] != UInt8(ascii: "=") { equals += 1 }
            guard equals < end else { return nil }
            let key = String(decoding: bytes.copy(start..<equals), as: UTF8.self)
            let value = String(decoding: bytes.copy(equals + 1..<end - 1), as: UTF8.self)
            return (key, value, end)
        }
    }
}
