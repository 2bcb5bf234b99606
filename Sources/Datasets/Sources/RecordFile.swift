import Native

/// Reads record files; see `RecordFormat`.
struct RecordFile {
    /// The file's bytes.
    private let memory: Memory
    /// What messages call it.
    private let name: String

    /// Whether bytes look like a record file.
    static func recognises(_ bytes: Span<UInt8>) -> Bool {
        bytes.holds(RecordFormat.startMagic, at: 0)
    }

    /// Takes a file's bytes.
    init(_ memory: Memory, name: String) {
        self.memory = memory
        self.name = name
    }

    /// Reads and verifies everything but the pictures.
    ///
    /// - Throws: `DatasetError` with code `.malformed`, `.limitExceeded` or `.notRecognised`.
    func open() throws(DatasetError) -> LabelledSamples {
        let end = try end()
        let (classNames, namesStart) = try classNames(end)
        let bytes = memory.bytes
        var samples: [Sample] = []
        var parts: [DatasetPart?] = []
        samples.reserveCapacity(end.sampleCount)
        parts.reserveCapacity(end.sampleCount)
        // Pictures and names lie one after the other, so that together they are no larger than the file.
        var pictureStart = RecordFormat.startByteCount
        var nameStart = namesStart
        for index in 0..<end.sampleCount {
            guard let entry = RecordEntry(bytes, at: end.index.lowerBound, index: index),
                entry.label < classNames.count,
                RecordFormat.parts.indices.contains(entry.part),
                let picture = Self.range(entry.offset, entry.byteCount),
                picture.lowerBound == pictureStart,
                picture.upperBound <= end.texts.lowerBound,
                entry.nameByteCount <= DatasetLimits.nameByteCount,
                let named = Self.range(entry.nameOffset, entry.nameByteCount),
                named.lowerBound == nameStart, named.upperBound <= end.texts.upperBound,
                let text = bytes.text(named)
            else {
                throw DatasetError(
                    .malformed, "\(name): the index entry of sample \(index) makes no sense")
            }
            samples.append(Sample(name: text, label: entry.label, place: index))
            parts.append(RecordFormat.parts[entry.part])
            pictureStart = picture.upperBound
            nameStart = named.upperBound
        }
        guard pictureStart == end.texts.lowerBound, nameStart == end.texts.upperBound else {
            throw DatasetError(
                .malformed, "\(name): there are bytes of no sample between its pictures or names")
        }
        guard !samples.isEmpty else {
            throw DatasetError(.notRecognised, "\(name): expected pictures, found none")
        }
        var notes: [String] = []
        if end.shortSide > 0 {
            notes.append(
                "packed with short sides of at most \(end.shortSide) pixels, JPEG quality "
                    + "\(end.quality)")
        }
        return LabelledSamples(
            name: name, classNames: classNames, samples: samples, parts: parts,
            source: RecordSource(memory: memory, indexOffset: end.index.lowerBound), notes: notes)
    }

    /// The last section.
    private struct End {
        var texts = 0..<0
        var index = 0..<0
        var sampleCount = 0
        var classCount = 0
        var shortSide = 0
        var quality = 0
    }

    private func end() throws(DatasetError) -> End {
        let bytes = memory.bytes
        guard Self.recognises(bytes), let version = bytes.littleEndian(UInt32.self, at: 8) else {
            throw DatasetError(.malformed, "\(name): expected a record file, found other bytes")
        }
        guard version == RecordFormat.version else {
            throw DatasetError(
                .malformed,
                "\(name): expected version \(RecordFormat.version), found \(version); pack the data "
                    + "again, or take the release that wrote it")
        }
        let start = bytes.count - RecordFormat.endByteCount
        guard start >= RecordFormat.startByteCount,
            bytes.holds(RecordFormat.endMagic, at: bytes.count - 8)
        else { throw DatasetError(.malformed, "\(name): its end is missing; it was cut short") }
        let head = crc32c(bytes.extracting(0..<RecordFormat.startByteCount))
        let sum = crc32c(
            bytes.extracting(start..<start + RecordFormat.summedByteCount), continuing: head)
        func long(_ offset: Int) -> Int? {
            bytes.littleEndian(UInt64.self, at: start + offset).flatMap { Int(exactly: $0) }
        }
        func short(_ offset: Int) -> UInt32? {
            bytes.littleEndian(UInt32.self, at: start + offset)
        }
        guard short(64) == sum else {
            throw DatasetError(.malformed, "\(name): its end is damaged: the checksum differs")
        }
        var end = End()
        guard let texts = Self.range(long(0), long(8)), let index = Self.range(long(16), long(24)),
            let sampleCount = long(32), let classCount = long(40),
            texts.lowerBound >= RecordFormat.startByteCount,
            texts.upperBound == index.lowerBound, index.upperBound == start,
            index.count % RecordFormat.entryByteCount == 0,
            index.count / RecordFormat.entryByteCount == sampleCount
        else { throw DatasetError(.malformed, "\(name): its sections do not fit together") }
        try DatasetLimits.check(sampleCount, DatasetLimits.sampleCount, "pictures", in: name)
        try DatasetLimits.check(classCount, DatasetLimits.classCount, "classes", in: name)
        guard short(56) == crc32c(bytes.extracting(texts)),
            short(60) == crc32c(bytes.extracting(index))
        else {
            throw DatasetError(
                .malformed, "\(name): its texts or its index are damaged: a checksum differs")
        }
        end.texts = texts
        end.index = index
        end.sampleCount = sampleCount
        end.classCount = classCount
        end.shortSide = Int(short(48) ?? 0)
        end.quality = Int(short(52) ?? 0)
        return end
    }

    private func classNames(_ end: End) throws(DatasetError) -> (names: [String], end: Int) {
        let bytes = memory.bytes
        var names: [String] = []
        var position = end.texts.lowerBound
        for _ in 0..<end.classCount {
            guard let count = bytes.littleEndian(UInt32.self, at: position),
                let range = Self.range(position + 4, Int(count)),
                range.upperBound <= end.texts.upperBound, let text = bytes.text(range)
            else { throw DatasetError(.malformed, "\(name): its class names make no sense") }
            names.append(text)
            position = range.upperBound
        }
        return (names, position)
    }

    /// A range; `nil` where there is none, or its end is no number.
    private static func range(_ start: Int?, _ count: Int?) -> Range<Int>? {
        guard let start, let count, start >= 0, count >= 0 else { return nil }
        let (end, isTooLarge) = start.addingReportingOverflow(count)
        return isTooLarge ? nil : start..<end
    }
}

/// One entry of a record file's index.
struct RecordEntry {
    var offset: Int
    var byteCount: Int
    var nameOffset: Int
    var nameByteCount: Int
    var label: Int
    var sum: UInt32
    var part: Int

    /// Reads an entry; `nil` where it is outside the bytes, or holds a number beyond `Int`.
    init?(_ bytes: Span<UInt8>, at start: Int, index: Int) {
        let position = start + index * RecordFormat.entryByteCount
        guard
            let offset = bytes.littleEndian(UInt64.self, at: position).flatMap({ Int(exactly: $0) }
            ),
            let byteCount = bytes.littleEndian(UInt64.self, at: position + 8)
                .flatMap({ Int(exactly: $0) }),
            let nameOffset = bytes.littleEndian(UInt64.self, at: position + 16)
                .flatMap({ Int(exactly: $0) }),
            let nameByteCount = bytes.littleEndian(UInt32.self, at: position + 24),
            let label = bytes.littleEndian(UInt32.self, at: position + 28),
            let sum = bytes.littleEndian(UInt32.self, at: position + 32),
            let part = bytes.littleEndian(UInt32.self, at: position + 36)
        else { return nil }
        self.offset = offset
        self.byteCount = byteCount
        self.nameOffset = nameOffset
        self.nameByteCount = Int(nameByteCount)
        self.label = Int(label)
        self.sum = sum
        self.part = Int(part)
    }
}

/// Pictures in a record file.
struct RecordSource: SampleSource {
    /// The file.
    let memory: Memory
    /// Where its index begins.
    let indexOffset: Int

    /// Reads a picture, and verifies its sum.
    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        let (bytes, sum) = try picture(sample)
        guard crc32c(bytes.bytes) == sum else {
            throw DatasetError(
                .badSample, "\(sample.name): the picture is damaged: its checksum differs")
        }
        return .encoded(bytes)
    }

    func lazyContent(of sample: Sample) throws(DatasetError) -> SampleContent {
        .encoded(try picture(sample).bytes)
    }

    func byteCount(of sample: Sample) -> Int? { (try? picture(sample))?.bytes.byteCount }

    private func picture(
        _ sample: Sample
    ) throws(DatasetError) -> (bytes: Memory, sum: UInt32) {
        guard let entry = RecordEntry(memory.bytes, at: indexOffset, index: sample.place),
            let bytes = memory.slice(offset: entry.offset, byteCount: entry.byteCount)
        else { throw DatasetError(.notFound, "\(sample.name): not of this data set") }
        return (bytes, entry.sum)
    }
}
