/// Reads a zip file's end record, directory and local headers.
struct ZipDirectoryReader {
    private let file: String
    private let limits: ZipArchive.Limits

    /// The directory's place and size.
    private struct Directory {
        var entryCount: UInt64
        var byteCount: UInt64
        var offset: UInt64
        /// Where the record that points at the directory begins, and so where the directory must end.
        var end: Int
    }

    /// One record of the directory.
    private struct Record {
        var name: String
        var nameBytes: [UInt8]
        var flags: UInt16
        var method: UInt16
        var checksum: UInt32
        var compressedByteCount: UInt64
        var byteCount: UInt64
        var headerOffset: UInt64
    }

    private enum Signature {
        static let localHeader: UInt32 = 0x0403_4B50
        static let dataDescriptor: UInt32 = 0x0807_4B50
        static let directoryRecord: UInt32 = 0x0201_4B50
        static let end: UInt32 = 0x0605_4B50
        static let end64: UInt32 = 0x0606_4B50
        static let end64Locator: UInt32 = 0x0706_4B50
    }

    private enum Flag {
        static let isEncrypted: UInt16 = 1 << 0
        static let hasDataDescriptor: UInt16 = 1 << 3
        static let isPatch: UInt16 = 1 << 5
        static let isStronglyEncrypted: UInt16 = 1 << 6
        static let isMasked: UInt16 = 1 << 13
    }

    init(file: String, limits: ZipArchive.Limits) {
        self.file = file
        self.limits = limits
    }

    mutating func read(_ bytes: Span<UInt8>) throws(ModelFormatError) -> [ZipArchive.Entry] {
        let directory = try directory(bytes)
        guard directory.entryCount <= UInt64(limits.entryCount) else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected at most \(limits.entryCount) entries, found \(directory.entryCount)"
            )
        }
        let (end, overflow) = directory.offset.addingReportingOverflow(directory.byteCount)
        guard !overflow, end == UInt64(directory.end) else {
            throw unsafeArchive("the directory does not end where its end record begins")
        }
        var position = Int(directory.offset)
        var records: [Record] = []
        for _ in 0..<directory.entryCount {
            records.append(try record(bytes, at: &position, end: directory.end))
        }
        guard position == directory.end else {
            throw unsafeArchive("the directory holds more than its \(directory.entryCount) entries")
        }
        return try entries(records, bytes, directoryOffset: Int(directory.offset))
    }

    // MARK: - End records

    private func directory(_ bytes: Span<UInt8>) throws(ModelFormatError) -> Directory {
        guard let end = endRecord(bytes),
            let disk = bytes.littleEndian(UInt16.self, at: end + 4),
            let directoryDisk = bytes.littleEndian(UInt16.self, at: end + 6),
            let diskEntryCount = bytes.littleEndian(UInt16.self, at: end + 8),
            let entryCount = bytes.littleEndian(UInt16.self, at: end + 10),
            let byteCount = bytes.littleEndian(UInt32.self, at: end + 12),
            let offset = bytes.littleEndian(UInt32.self, at: end + 16)
        else {
            throw malformed("expected the end record of a zip file; the file may be cut short")
        }
        guard disk == 0 || disk == .max, directoryDisk == 0 || directoryDisk == .max,
            diskEntryCount == entryCount
        else { throw ModelFormatError(.unsupported, "\(file): a zip file in several parts") }
        var directory = Directory(
            entryCount: UInt64(entryCount), byteCount: UInt64(byteCount), offset: UInt64(offset),
            end: end)
        if bytes.littleEndian(UInt32.self, at: end - 20) == Signature.end64Locator {
            try extend(&directory, bytes, locator: end - 20)
        }
        return directory
    }

    /// The last end record whose comment reaches exactly to the end of the file.
    private func endRecord(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.count >= 22 else { return nil }
        let last = bytes.count - 22
        for position in stride(from: last, through: max(0, last - 0xFFFF), by: -1) {
            guard bytes.littleEndian(UInt32.self, at: position) == Signature.end,
                let comment = bytes.littleEndian(UInt16.self, at: position + 20),
                position + 22 + Int(comment) == bytes.count
            else { continue }
            return position
        }
        return nil
    }

    /// Takes the 64-bit sizes, which must agree with the 32-bit ones that are not set to their maximum.
    private func extend(
        _ directory: inout Directory, _ bytes: Span<UInt8>, locator: Int
    ) throws(ModelFormatError) {
        guard let position = bytes.littleEndian(UInt64.self, at: locator + 8),
            let start = Int(exactly: position),
            bytes.littleEndian(UInt32.self, at: start) == Signature.end64,
            let size = bytes.littleEndian(UInt64.self, at: start + 4),
            let disk = bytes.littleEndian(UInt32.self, at: start + 16),
            let directoryDisk = bytes.littleEndian(UInt32.self, at: start + 20),
            let diskEntryCount = bytes.littleEndian(UInt64.self, at: start + 24),
            let entryCount = bytes.littleEndian(UInt64.self, at: start + 32),
            let byteCount = bytes.littleEndian(UInt64.self, at: start + 40),
            let offset = bytes.littleEndian(UInt64.self, at: start + 48),
            start <= locator - 56, size == UInt64(locator - start - 12)
        else { throw malformed("the 64-bit end record of the zip file is damaged") }
        guard disk == 0, directoryDisk == 0, diskEntryCount == entryCount else {
            throw ModelFormatError(.unsupported, "\(file): a zip file in several parts")
        }
        guard directory.entryCount == entryCount || directory.entryCount == UInt64(UInt16.max),
            directory.byteCount == byteCount || directory.byteCount == UInt64(UInt32.max),
            directory.offset == offset || directory.offset == UInt64(UInt32.max)
        else { throw unsafeArchive("the 32-bit and 64-bit end records contradict each other") }
        directory = Directory(
            entryCount: entryCount, byteCount: byteCount, offset: offset, end: start)
    }

    // MARK: - Directory

    private func record(
        _ bytes: Span<UInt8>, at position: inout Int, end: Int
    ) throws(ModelFormatError) -> Record {
        guard position <= end - 46,
            bytes.littleEndian(UInt32.self, at: position) == Signature.directoryRecord,
            let flags = bytes.littleEndian(UInt16.self, at: position + 8),
            let method = bytes.littleEndian(UInt16.self, at: position + 10),
            let checksum = bytes.littleEndian(UInt32.self, at: position + 16),
            let compressed = bytes.littleEndian(UInt32.self, at: position + 20),
            let byteCount = bytes.littleEndian(UInt32.self, at: position + 24),
            let nameLength = bytes.littleEndian(UInt16.self, at: position + 28),
            let extraLength = bytes.littleEndian(UInt16.self, at: position + 30),
            let commentLength = bytes.littleEndian(UInt16.self, at: position + 32),
            let offset = bytes.littleEndian(UInt32.self, at: position + 42)
        else { throw malformed("the zip directory is damaged at byte \(position)") }
        let nameStart = position + 46
        let extraStart = nameStart + Int(nameLength)
        let next = extraStart + Int(extraLength) + Int(commentLength)
        guard next <= end, let name = bytes.text(nameStart..<extraStart) else {
            throw malformed("the zip directory is damaged at byte \(position)")
        }
        var record = Record(
            name: name, nameBytes: bytes.copy(nameStart..<extraStart), flags: flags,
            method: method, checksum: checksum, compressedByteCount: UInt64(compressed),
            byteCount: UInt64(byteCount), headerOffset: UInt64(offset))
        try check(name: record)
        try extend(&record, bytes, extra: extraStart..<(extraStart + Int(extraLength)))
        position = next
        return record
    }

    /// Takes the 64-bit values for those fields that are set to their maximum, in the order of the format.
    private func extend(
        _ record: inout Record, _ bytes: Span<UInt8>, extra: Range<Int>
    ) throws(ModelFormatError) {
        let maximum = UInt64(UInt32.max)
        var values = try zip64Values(bytes, extra: extra, name: record.name)[...]
        if record.byteCount == maximum, let value = values.popFirst() { record.byteCount = value }
        if record.compressedByteCount == maximum, let value = values.popFirst() {
            record.compressedByteCount = value
        }
        if record.headerOffset == maximum, let value = values.popFirst() {
            record.headerOffset = value
        }
    }

    /// The 64-bit numbers of an extra field, none where it has no such part.
    private func zip64Values(
        _ bytes: Span<UInt8>, extra: Range<Int>, name: String
    ) throws(ModelFormatError) -> [UInt64] {
        var position = extra.lowerBound
        while position + 4 <= extra.upperBound,
            let kind = bytes.littleEndian(UInt16.self, at: position),
            let length = bytes.littleEndian(UInt16.self, at: position + 2)
        {
            let end = position + 4 + Int(length)
            guard end <= extra.upperBound else {
                throw malformed("entry \(name): its extra field is damaged")
            }
            if kind == 1 {
                return stride(from: position + 4, through: end - 8, by: 8)
                    .compactMap { bytes.littleEndian(UInt64.self, at: $0) }
            }
            position = end
        }
        return []
    }

    private func check(name record: Record) throws(ModelFormatError) {
        let name = record.name
        let parts = record.nameBytes.split(separator: UInt8(ascii: "/"))
        guard !name.isEmpty, record.nameBytes.first != UInt8(ascii: "/"),
            !record.nameBytes.contains(0), !record.nameBytes.contains(UInt8(ascii: "\\")),
            !parts.contains(where: { $0.elementsEqual("..".utf8) }),
            !parts.contains(where: { $0.count == 2 && $0.last == UInt8(ascii: ":") })
        else {
            throw unsafeArchive(
                "entry \(name.debugDescription): expected a relative name without \"..\", "
                    + "backslash or NUL")
        }
    }

    // MARK: - Entries

    private func entries(
        _ records: [Record], _ bytes: Span<UInt8>, directoryOffset: Int
    ) throws(ModelFormatError) -> [ZipArchive.Entry] {
        var entries: [ZipArchive.Entry] = []
        var ranges: [(range: Range<Int>, name: String)] = []
        var total: UInt64 = 0
        for record in records {
            try check(sizes: record, total: &total)
            let (start, data) = try localHeader(of: record, bytes, limit: directoryOffset)
            let length = Int(record.compressedByteCount)
            var end = data + length
            if record.flags & Flag.hasDataDescriptor != 0 {
                end += try descriptorLength(of: record, bytes, at: end, limit: directoryOffset)
            }
            ranges.append((start..<end, record.name))
            entries.append(
                ZipArchive.Entry(
                    name: record.name, checksum: record.checksum, compressedByteCount: length,
                    byteCount: Int(record.byteCount), isDeflated: record.method == 8,
                    dataOffset: data))
        }
        ranges.sort { $0.range.lowerBound < $1.range.lowerBound }
        for (first, second) in zip(ranges, ranges.dropFirst())
        where first.range.upperBound > second.range.lowerBound {
            throw unsafeArchive("entries \(first.name) and \(second.name) overlap")
        }
        return entries
    }

    private func check(sizes record: Record, total: inout UInt64) throws(ModelFormatError) {
        let refused =
            Flag.isEncrypted | Flag.isPatch | Flag.isStronglyEncrypted | Flag.isMasked
        guard record.flags & refused == 0 else {
            throw ModelFormatError(
                .unsupported, "\(file): entry \(record.name) is encrypted or a patch")
        }
        guard record.method == 0 || record.method == 8 else {
            throw ModelFormatError(
                .unsupported,
                "\(file): entry \(record.name): compression method \(record.method) is not read; "
                    + "expected stored or deflated")
        }
        let (sum, overflow) = total.addingReportingOverflow(record.byteCount)
        guard !overflow, sum <= UInt64(limits.byteCount) else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected at most \(limits.byteCount) bytes unpacked, found more by "
                    + "entry \(record.name)")
        }
        total = sum
        guard record.method == 8 || record.compressedByteCount == record.byteCount else {
            throw unsafeArchive("entry \(record.name) is stored, but its two sizes differ")
        }
        guard record.byteCount / UInt64(limits.ratio) <= record.compressedByteCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): entry \(record.name): expected at most \(limits.ratio) bytes from one, found "
                    + "\(record.byteCount) from \(record.compressedByteCount)")
        }
    }

    /// Compares a local header with the directory; gives where it and the entry's bytes begin.
    private func localHeader(
        of record: Record, _ bytes: Span<UInt8>, limit: Int
    ) throws(ModelFormatError) -> (start: Int, data: Int) {
        guard let start = Int(exactly: record.headerOffset), start <= limit - 30,
            bytes.littleEndian(UInt32.self, at: start) == Signature.localHeader,
            let flags = bytes.littleEndian(UInt16.self, at: start + 6),
            let method = bytes.littleEndian(UInt16.self, at: start + 8),
            let checksum = bytes.littleEndian(UInt32.self, at: start + 14),
            let compressed = bytes.littleEndian(UInt32.self, at: start + 18),
            let byteCount = bytes.littleEndian(UInt32.self, at: start + 22),
            let nameLength = bytes.littleEndian(UInt16.self, at: start + 26),
            let extraLength = bytes.littleEndian(UInt16.self, at: start + 28)
        else { throw malformed("entry \(record.name): expected its local header") }
        let extraStart = start + 30 + Int(nameLength)
        let data = extraStart + Int(extraLength)
        guard data <= limit, record.compressedByteCount <= UInt64(limit - data) else {
            throw malformed("entry \(record.name) reaches into the directory")
        }
        var sizes = (compressed: UInt64(compressed), byteCount: UInt64(byteCount))
        if compressed == .max || byteCount == .max {
            let values = try zip64Values(bytes, extra: extraStart..<data, name: record.name)
            if values.count >= 2 { sizes = (compressed: values[1], byteCount: values[0]) }
        }
        let isLater = flags & Flag.hasDataDescriptor != 0
        let isBlank = isLater && checksum == 0 && sizes.compressed == 0 && sizes.byteCount == 0
        let isEqual =
            checksum == record.checksum && sizes.compressed == record.compressedByteCount
            && sizes.byteCount == record.byteCount
        guard flags == record.flags, method == record.method,
            bytes.holds(record.nameBytes, at: start + 30),
            Int(nameLength) == record.nameBytes.count, isEqual || isBlank
        else {
            throw unsafeArchive("entry \(record.name): its local header contradicts the directory")
        }
        return (start, data)
    }

    /// The length of the record after an entry that repeats its checksum and sizes: four forms are in use.
    private func descriptorLength(
        of record: Record, _ bytes: Span<UInt8>, at position: Int, limit: Int
    ) throws(ModelFormatError) -> Int {
        let hasSignature = bytes.littleEndian(UInt32.self, at: position) == Signature.dataDescriptor
        for skipped in hasSignature ? [4, 0] : [0] {
            let start = position + skipped
            guard bytes.littleEndian(UInt32.self, at: start) == record.checksum else { continue }
            if start + 20 <= limit,
                bytes.littleEndian(UInt64.self, at: start + 4) == record.compressedByteCount,
                bytes.littleEndian(UInt64.self, at: start + 12) == record.byteCount
            {
                return skipped + 20
            }
            if start + 12 <= limit, record.byteCount <= UInt64(UInt32.max),
                bytes.littleEndian(UInt32.self, at: start + 4).map(UInt64.init)
                    == record.compressedByteCount,
                bytes.littleEndian(UInt32.self, at: start + 8).map(UInt64.init) == record.byteCount
            {
                return skipped + 12
            }
        }
        throw unsafeArchive("entry \(record.name): the record after it contradicts the directory")
    }

    private func malformed(_ problem: String) -> ModelFormatError {
        ModelFormatError(.malformed, "\(file): \(problem)")
    }

    private func unsafeArchive(_ problem: String) -> ModelFormatError {
        ModelFormatError(.unsafeArchive, "\(file): \(problem)")
    }
}
