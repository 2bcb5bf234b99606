import Native

/// Writes zip files, correct ones and ones that lie.
struct ZipBuilder {
    /// One entry, with everything that may be told wrongly.
    struct Entry {
        var name: [UInt8]
        var stored: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        var checksum: UInt32
        var byteCount: UInt32
        /// What the local header says instead, where it lies.
        var localName: [UInt8]?
        var localByteCount: UInt32?
        var localMethod: UInt16?
        /// Bytes after the data.
        var descriptor: [UInt8] = []
        /// The place of the local header that the directory gives, where not its own.
        var headerOffset: UInt32?
        /// The size that the directory gives, where not that of `stored`.
        var compressedByteCount: UInt32?
        /// The directory's extra field.
        var extra: [UInt8] = []

        init(_ name: String, _ bytes: [UInt8]) {
            self.name = Array(name.utf8)
            stored = bytes
            checksum = crc32(Memory(copying: bytes))
            byteCount = UInt32(bytes.count)
        }
    }

    var entries: [Entry] = []
    /// The number of entries that the end record gives, where it lies.
    var entryCount: UInt16?
    /// Bytes between the directory and the end record.
    var gap: [UInt8] = []
    /// What the 64-bit end record adds to the number of entries; `nil` for no such record.
    var zip64Surplus: UInt64?

    func build() -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = UInt32(file.count)
            let compressed = entry.compressedByteCount ?? UInt32(entry.stored.count)
            let byteCount = entry.byteCount
            let localName = entry.localName ?? entry.name
            file += littleEndian(UInt32(0x0403_4B50)) + littleEndian(UInt16(20))
            file += littleEndian(entry.flags) + littleEndian(entry.localMethod ?? entry.method)
            file += littleEndian(UInt32(0))
            if entry.flags & 8 != 0 {
                file += [UInt8](repeating: 0, count: 12)
            } else {
                file += littleEndian(entry.checksum) + littleEndian(compressed)
                file += littleEndian(entry.localByteCount ?? byteCount)
            }
            file += littleEndian(UInt16(localName.count)) + littleEndian(UInt16(0)) + localName
            file += entry.stored + entry.descriptor
            directory += littleEndian(UInt32(0x0201_4B50)) + littleEndian(UInt16(20))
            directory += littleEndian(UInt16(20)) + littleEndian(entry.flags)
            directory += littleEndian(entry.method) + littleEndian(UInt32(0))
            directory += littleEndian(entry.checksum) + littleEndian(compressed)
            directory += littleEndian(byteCount) + littleEndian(UInt16(entry.name.count))
            directory += littleEndian(UInt16(entry.extra.count))
            directory += [UInt8](repeating: 0, count: 10)
            directory += littleEndian(entry.headerOffset ?? offset) + entry.name + entry.extra
        }
        let start = file.count
        let count = entryCount ?? UInt16(truncatingIfNeeded: entries.count)
        file += directory + gap
        if let zip64Surplus {
            let end = UInt64(file.count)
            let entryCount = UInt64(entries.count) + zip64Surplus
            file += littleEndian(UInt32(0x0606_4B50)) + littleEndian(UInt64(44))
            file += littleEndian(UInt32(0)) + [UInt8](repeating: 0, count: 8)
            file += littleEndian(entryCount) + littleEndian(entryCount)
            file += littleEndian(UInt64(directory.count)) + littleEndian(UInt64(start))
            file += littleEndian(UInt32(0x0706_4B50)) + littleEndian(UInt32(0))
            file += littleEndian(end) + littleEndian(UInt32(1))
        }
        file += littleEndian(UInt32(0x0605_4B50)) + littleEndian(UInt32(0))
        file += littleEndian(count) + littleEndian(count)
        file += littleEndian(UInt32(directory.count)) + littleEndian(UInt32(start))
        return file + littleEndian(UInt16(0))
    }
}
