package import Native

/// A zip file's entries, checked against each other before any is read.
///
/// Source: APPNOTE 6.3.10. Stricter than it: entries may not overlap, the local headers must say what the
/// directory says, nothing may stand between the directory and its end record, and sizes are bounded. Two
/// readers that disagree about an archive are how a hidden entry gets past a check.
package struct ZipArchive: Sendable {
    /// What an archive may hold.
    package struct Limits: Sendable {
        /// Entries.
        package var entryCount = 10_000
        /// Times that an entry may be larger than its compressed form.
        package var ratio = 100
        /// Bytes of all entries together.
        package var byteCount = 1 << 32

        /// The limits for weights.
        package init() {}
    }

    /// One entry as the directory describes it.
    package struct Entry: Sendable {
        /// The name, with `/` between folders.
        package let name: String
        /// The CRC-32 of the bytes.
        package let checksum: UInt32
        /// The number of bytes in the archive.
        package let compressedByteCount: Int
        /// The number of bytes.
        package let byteCount: Int
        /// Whether the bytes are deflated; they stand as they are otherwise.
        package let isDeflated: Bool
        /// Where the bytes are in the archive.
        let dataOffset: Int
    }

    /// The entries in the directory's order.
    package let entries: [Entry]
    private let indexOfName: [String: Int]
    private let memory: Memory
    private let file: String

    /// Reads and checks an archive's directory and local headers.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed`, `.unsupported` (encrypted, another compression),
    ///   `.limitExceeded`, or `.unsafeArchive`.
    package init(
        _ memory: Memory, name file: String, limits: Limits = Limits()
    ) throws(ModelFormatError) {
        var reader = ZipDirectoryReader(file: file, limits: limits)
        entries = try reader.read(memory.bytes)
        var indexOfName: [String: Int] = [:]
        for (index, entry) in entries.enumerated() {
            guard indexOfName.updateValue(index, forKey: entry.name) == nil else {
                throw ModelFormatError(
                    .unsafeArchive, "\(file): two entries are named \(entry.name)")
            }
        }
        self.indexOfName = indexOfName
        self.memory = memory
        self.file = file
    }

    /// The entry of a name.
    package func entry(_ name: String) -> Entry? { indexOfName[name].map { entries[$0] } }

    /// An entry's bytes, checked: a part of the archive's memory where they are stored as they are.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed` or `.checksumMismatch`.
    package func read(_ entry: Entry) throws(ModelFormatError) -> Memory {
        guard
            let stored = memory.slice(
                offset: entry.dataOffset, byteCount: entry.compressedByteCount)
        else { throw ModelFormatError(.malformed, "\(file): \(entry.name) is cut short") }
        var bytes = stored
        if entry.isDeflated {
            do {
                bytes = try inflate(stored, toByteCount: entry.byteCount)
            } catch {
                throw ModelFormatError(
                    error.code == .malformed ? .malformed : .limitExceeded,
                    "\(file): \(entry.name): \(error.message)")
            }
        }
        let found = crc32(bytes)
        guard found == entry.checksum else {
            throw ModelFormatError(
                .checksumMismatch,
                "\(file): \(entry.name): expected CRC-32 \(String(entry.checksum, radix: 16)), found "
                    + "\(String(found, radix: 16)); the file is damaged, fetch it again")
        }
        return bytes
    }
}
