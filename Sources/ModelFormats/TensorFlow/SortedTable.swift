package import Native

/// A file of keys and values in the order of the keys, as TensorFlow's checkpoints have for an index.
///
/// Source: google/leveldb, `doc/table_format.md`; TensorFlow 2.21, `tsl/lib/io/table.cc`, which has no filters and
/// masks its checksums as TFRecord files do.
package struct SortedTable: Sendable {
    /// One key with its value.
    package struct Entry: Sendable, Hashable {
        /// The key's bytes.
        package let key: [UInt8]
        /// The value's bytes.
        package let value: [UInt8]

        /// Makes an entry.
        package init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    /// What a table may hold.
    package enum Limits {
        /// Bytes of the file; the index of ResNet-152 with two slots has less than one million.
        package static let byteCount = 32 << 20
        /// Entries, of which that one has 4,000.
        package static let entryCount = 50_000
        /// Bytes of one key.
        package static let keyByteCount = 16 << 10
        /// Bytes of one block once it is decompressed, as many as the whole file may have.
        package static let blockByteCount = byteCount
        /// Bytes of all keys and values together, and of what holds them.
        package static let contentByteCount = 32 << 20
        /// Bytes that an entry takes beside its key and its value.
        static let entryOverhead = 64
    }

    /// The entries in the order of their keys.
    package let entries: [Entry]

    private static let footerByteCount = 48
    private static let magic: UInt64 = 0xDB47_7524_8B80_FB57
    /// The byte that says how a block is compressed, and its checksum.
    private static let trailerByteCount = 5

    /// Whether bytes end as a table does.
    package static func recognises(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= footerByteCount
            && bytes.littleEndian(UInt64.self, at: bytes.count - 8) == magic
    }

    /// Reads a whole table.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed`, `.checksumMismatch`, `.unsupported` (another
    ///   compression) or `.limitExceeded`.
    package init(_ memory: Memory, name file: String) throws(ModelFormatError) {
        guard memory.byteCount <= Limits.byteCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected a table of at most \(Limits.byteCount) bytes, found "
                    + "\(memory.byteCount)")
        }
        guard Self.recognises(memory.bytes) else {
            throw ModelFormatError(
                .malformed, "\(file): expected the end of a table; the file may be cut short")
        }
        let bytes = memory.array
        let end = bytes.count - Self.footerByteCount
        var footer = TableBytes(bytes, end..<bytes.count - 8)
        guard let meta = Self.place(&footer, end), let index = Self.place(&footer, end) else {
            throw ModelFormatError(.malformed, "\(file): the table's end is damaged")
        }
        var budget = Limits.contentByteCount
        // A block about blocks, which TensorFlow leaves empty; only its checksum matters.
        _ = try Self.block(bytes, meta, &budget, file)
        var entries: [Entry] = []
        var blockEnd = 0
        for pointer in try Self.block(bytes, index, &budget, file) {
            var reader = TableBytes(pointer.value)
            guard let place = Self.place(&reader, end), reader.isAtEnd, place.lowerBound >= blockEnd
            else {
                throw ModelFormatError(
                    .malformed, "\(file): the table's index points at no block, or at one twice")
            }
            blockEnd = place.upperBound
            for entry in try Self.block(bytes, place, &budget, file) {
                if let last = entries.last, !last.key.lexicographicallyPrecedes(entry.key) {
                    throw ModelFormatError(
                        .malformed, "\(file): the table's keys are not in order")
                }
                entries.append(entry)
            }
            guard entries.count <= Limits.entryCount else {
                throw ModelFormatError(
                    .limitExceeded, "\(file): expected at most \(Limits.entryCount) entries")
            }
        }
        self.entries = entries
    }

    /// Where a block is, without what follows it; `nil` where it would not end before `end`.
    private static func place(_ reader: inout TableBytes, _ end: Int) -> Range<Int>? {
        guard let offset = reader.number(), let count = reader.number(),
            offset <= UInt64(end), count <= UInt64(end)
        else { return nil }
        let (start, byteCount) = (Int(offset), Int(count))
        guard byteCount <= end - start - trailerByteCount else { return nil }
        return start..<start + byteCount
    }

    private static func block(
        _ bytes: [UInt8], _ place: Range<Int>, _ budget: inout Int, _ file: String
    ) throws(ModelFormatError) -> [Entry] {
        let covered = Array(bytes[place.lowerBound...place.upperBound])
        var trailer = TableBytes(bytes, place.upperBound + 1..<place.upperBound + 5)
        guard let checksum = trailer.littleEndian(byteCount: 4),
            checksum == Int(maskedCRC32C(covered.span))
        else {
            throw ModelFormatError(
                .checksumMismatch,
                "\(file): the block at byte \(place.lowerBound) is damaged; fetch the file again")
        }
        let contents: [UInt8]
        switch bytes[place.upperBound] {
        case 0: contents = Array(covered.dropLast())
        case 1:
            do {
                contents = try Snappy.decode(
                    Array(covered.dropLast()), limit: min(budget, Limits.blockByteCount))
            } catch {
                throw ModelFormatError(error.code, "\(file): \(error.message)")
            }
        case let kind:
            throw ModelFormatError(
                .unsupported,
                "\(file): a block is compressed in way \(kind); expected none (0) or snappy (1)")
        }
        return try entries(contents, &budget, at: place.lowerBound, file)
    }

    /// The entries of a block: keys share beginnings with those before them.
    private static func entries(
        _ contents: [UInt8], _ budget: inout Int, at offset: Int, _ file: String
    ) throws(ModelFormatError) -> [Entry] {
        func damaged() -> ModelFormatError {
            ModelFormatError(.malformed, "\(file): the block at byte \(offset) is damaged")
        }
        var tail = TableBytes(contents, max(0, contents.count - 4)..<contents.count)
        guard let restartCount = tail.littleEndian(byteCount: 4),
            restartCount <= (contents.count - 4) / 4
        else { throw damaged() }
        var reader = TableBytes(contents, 0..<contents.count - 4 * (restartCount + 1))
        var entries: [Entry] = []
        var key: [UInt8] = []
        while !reader.isAtEnd {
            guard let shared = reader.count(), let added = reader.count(),
                let valueCount = reader.count(), shared <= key.count,
                let newBytes = reader.bytes(added), let value = reader.bytes(valueCount)
            else { throw damaged() }
            let size = shared + added + valueCount + Limits.entryOverhead
            guard shared + added <= Limits.keyByteCount, size <= budget,
                entries.count < Limits.entryCount
            else {
                throw ModelFormatError(
                    .limitExceeded,
                    "\(file): expected at most \(Limits.entryCount) entries, keys of at most "
                        + "\(Limits.keyByteCount) bytes, and at most \(Limits.contentByteCount) bytes "
                        + "in all")
            }
            budget -= size
            key = Array(key.prefix(shared)) + newBytes
            entries.append(Entry(key: key, value: Array(value)))
        }
        return entries
    }
}
