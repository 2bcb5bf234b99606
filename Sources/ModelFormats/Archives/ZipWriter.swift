import Native

/// Writes a zip archive of entries that are stored as they are, each beginning at a multiple of 64 bytes, as PyTorch does it:
/// a reader that maps the file then finds tensors aligned.
///
/// Archives of 4 GiB or more are not written. The bytes depend on the entries alone: all times are zip's earliest.
///
/// Source: APPNOTE 6.3.10; the padding is PyTorch's, in an extra field `FB`.
struct ZipWriter: ~Copyable {
    private var file: ReplacementFile
    private let path: String
    private var position = 0
    private var directory: [UInt8] = []
    private var count = 0

    private static let alignment = 64
    /// Version 2.0, no flags, stored, 1980-01-01 00:00.
    private static let common: [UInt8] = [20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]

    /// Begins a file that takes its place when it is complete.
    ///
    /// - Throws: `ModelFormatError` with code `.notFound` or `.cannotWrite`.
    init(replacing path: String) throws(ModelFormatError) {
        self.path = path
        do {
            file = try ReplacementFile(replacing: path)
        } catch {
            throw ModelFormatError(writing: error)
        }
    }

    /// Adds an entry.
    ///
    /// - Throws: `ModelFormatError` with code `.limitExceeded` where the archive would become too large, or
    ///   `.cannotWrite`.
    mutating func add(_ name: String, _ bytes: Memory) throws(ModelFormatError) {
        let nameBytes = Array(name.utf8)
        let headerByteCount = 30 + nameBytes.count
        // The extra field has four bytes of its own.
        let padding = -(position + headerByteCount + 4) & (Self.alignment - 1)
        let end = position + headerByteCount + 4 + padding + bytes.byteCount
        guard end + directory.count + 4096 < Int(UInt32.max), count < Int(UInt16.max) - 1 else {
            throw ModelFormatError(
                .limitExceeded, "\(path): expected less than 4 GiB for a zip archive, found more")
        }
        var sizes: [UInt8] = []
        sizes.append(littleEndian: crc32(bytes))
        sizes.append(littleEndian: UInt32(bytes.byteCount))
        sizes.append(littleEndian: UInt32(bytes.byteCount))
        sizes.append(littleEndian: UInt16(nameBytes.count))

        var header: [UInt8] = Array("PK\u{3}\u{4}".utf8) + Self.common + sizes
        header.append(littleEndian: UInt16(4 + padding))
        header += nameBytes + Array("FB".utf8)
        header.append(littleEndian: UInt16(padding))
        header += [UInt8](repeating: UInt8(ascii: "Z"), count: padding)

        directory += Array("PK\u{1}\u{2}".utf8) + [20, 0] + Self.common + sizes
        // No extra field, no comment, disk 0, no attributes.
        directory += [UInt8](repeating: 0, count: 12)
        directory.append(littleEndian: UInt32(position))
        directory += nameBytes
        do {
            try file.write(header)
            try file.write(bytes)
        } catch {
            throw ModelFormatError(writing: error)
        }
        position = end
        count += 1
    }

    /// Writes the directory and puts the file in its place.
    ///
    /// - Throws: `ModelFormatError` with code `.cannotWrite`.
    consuming func finish() throws(ModelFormatError) {
        var end: [UInt8] = Array("PK\u{5}\u{6}".utf8) + [0, 0, 0, 0]
        end.append(littleEndian: UInt16(count))
        end.append(littleEndian: UInt16(count))
        end.append(littleEndian: UInt32(directory.count))
        end.append(littleEndian: UInt32(position))
        end += [0, 0]
        do {
            try file.write(directory + end)
            try file.commit()
        } catch {
            throw ModelFormatError(writing: error)
        }
    }
}

extension [UInt8] {
    /// Appends a number, its lowest byte first.
    mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
        for place in 0..<Value.bitWidth / 8 {
            append(UInt8(truncatingIfNeeded: value >> (8 * Value(place))))
        }
    }
}
