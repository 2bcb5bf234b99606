import Native

/// Writes record files; see `RecordFormat`.
struct RecordFileWriter: ~Copyable {
    private var file: ReplacementFile
    private let classNames: [String]
    private var offset = RecordFormat.startByteCount
    private var entries: [RecordEntry] = []
    private var names: [UInt8] = []

    /// Starts a file, which is seen under its name once it is whole.
    ///
    /// - Throws: `DatasetError` with code `.cannotWrite`.
    init(replacing path: String, classNames: [String]) throws(DatasetError) {
        file = try Self.started(path)
        self.classNames = classNames
    }

    private static func started(_ path: String) throws(DatasetError) -> ReplacementFile {
        do {
            var file = try ReplacementFile(replacing: path)
            try file.write(RecordFormat.start)
            return file
        } catch {
            throw DatasetError(.cannotWrite, error.message)
        }
    }

    /// Adds a picture.
    ///
    /// - Precondition: the label is that of one of the class names.
    /// - Throws: `DatasetError` with code `.cannotWrite`, or `.badSample` where the name is longer than readers accept; then
    ///   nothing is written.
    mutating func add(
        _ bytes: Memory, name: String, label: Int, part: DatasetPart?
    ) throws(DatasetError) {
        precondition(classNames.indices.contains(label))
        let text = Array(name.utf8)
        guard text.count <= DatasetLimits.nameByteCount else {
            throw DatasetError(
                .badSample,
                "\(name): expected a name of at most \(DatasetLimits.nameByteCount) bytes, found "
                    + "\(text.count)")
        }
        entries.append(
            RecordEntry(
                offset: offset, byteCount: bytes.byteCount, nameOffset: names.count,
                nameByteCount: text.count, label: label, sum: crc32c(bytes.bytes),
                part: RecordFormat.parts.firstIndex(of: part) ?? 0))
        names += text
        try write(bytes)
        offset += bytes.byteCount
    }

    /// Writes what describes the pictures, and gives the file its name.
    ///
    /// - Parameters:
    ///   - shortSide: what pictures were made smaller to, or 0.
    ///   - quality: the JPEG quality of those, or 0.
    /// - Returns: the file's bytes.
    /// - Throws: `DatasetError` with code `.cannotWrite`.
    consuming func finish(shortSide: Int, quality: Int) throws(DatasetError) -> Int {
        var texts: [UInt8] = []
        for name in classNames {
            let text = Array(name.utf8)
            texts.append(littleEndian: UInt32(text.count))
            texts += text
        }
        let namesStart = offset + texts.count
        texts += names
        var index: [UInt8] = []
        index.reserveCapacity(entries.count * RecordFormat.entryByteCount)
        for entry in entries {
            index.append(littleEndian: UInt64(entry.offset))
            index.append(littleEndian: UInt64(entry.byteCount))
            index.append(littleEndian: UInt64(namesStart + entry.nameOffset))
            index.append(littleEndian: UInt32(entry.nameByteCount))
            index.append(littleEndian: UInt32(entry.label))
            index.append(littleEndian: entry.sum)
            index.append(littleEndian: UInt32(entry.part))
            index.append(littleEndian: UInt64(0))
        }
        var end: [UInt8] = []
        for number in [offset, texts.count, offset + texts.count, index.count] {
            end.append(littleEndian: UInt64(number))
        }
        end.append(littleEndian: UInt64(entries.count))
        end.append(littleEndian: UInt64(classNames.count))
        end.append(littleEndian: UInt32(shortSide))
        end.append(littleEndian: UInt32(quality))
        end.append(littleEndian: crc32c(texts.span))
        end.append(littleEndian: crc32c(index.span))
        end.append(littleEndian: crc32c(end.span, continuing: crc32c(RecordFormat.start.span)))
        end.append(littleEndian: UInt32(0))
        end += Array(RecordFormat.endMagic.description.utf8)
        let byteCount = offset + texts.count + index.count + end.count
        do {
            try file.write(texts)
            try file.write(index)
            try file.write(end)
            try file.commit()
        } catch {
            throw DatasetError(.cannotWrite, error.message)
        }
        return byteCount
    }

    private mutating func write(_ bytes: Memory) throws(DatasetError) {
        do {
            try file.write(bytes)
        } catch {
            throw DatasetError(.cannotWrite, error.message)
        }
    }
}

extension RecordEntry {
    /// Describes a picture, with the name's place among the names.
    init(
        offset: Int, byteCount: Int, nameOffset: Int, nameByteCount: Int, label: Int, sum: UInt32,
        part: Int
    ) {
        self.offset = offset
        self.byteCount = byteCount
        self.nameOffset = nameOffset
        self.nameByteCount = nameByteCount
        self.label = label
        self.sum = sum
        self.part = part
    }
}
