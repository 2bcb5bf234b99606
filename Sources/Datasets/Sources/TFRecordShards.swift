import Native

/// TFRecord files of pictures as TensorFlow's and NVIDIA's ImageNet scripts write them.
///
/// Labels are counted from 1, 0 being the background, and become one less; `firstLabel` says otherwise.
struct TFRecordShards {
    /// What messages call the data.
    let name: String
    /// The files, in order.
    let paths: [String]
    /// The label of the first class: 1, or 0.
    let firstLabel: Int

    /// Reads all records' labels.
    ///
    /// - Throws: `DatasetError` with code `.notFound`, `.unreadable`, `.notRecognised`, `.malformed` or
    ///   `.limitExceeded`.
    func open() throws(DatasetError) -> LabelledSamples {
        let (shards, classNames) = try ShardNames.mapped(paths)
        return try read(shards, known: classNames)
    }

    /// Reads files in memory.
    ///
    /// - Parameters:
    ///   - shards: the files with the names by which samples call them.
    ///   - known: what the classes are called, where a file beside them says so.
    func read(
        _ shards: [(name: String, memory: Memory)], known: [String] = []
    ) throws(DatasetError) -> LabelledSamples {
        var labels: [Int] = []
        var names: [String] = []
        var parts: [DatasetPart?] = []
        var places: [TFRecordSource.Place] = []
        var leftOut: [SkippedSample] = []
        var classNames: [Int: String] = [:]
        for (index, name) in known.enumerated() { classNames[index] = name }
        var seen: Set<Int> = []
        for (index, shard) in shards.enumerated() {
            let bytes = shard.memory.bytes
            let part = DatasetPart(inPath: shard.name)
            var unique = UniqueNames()
            for (number, record) in try TFRecordIndex(shard.memory, name: shard.name).records
                .enumerated()
            {
                let example = TensorFlowExample.read(bytes, record)
                let name = "\(shard.name)/\(example?.fileName ?? "record \(number)")"
                let written = example?.label
                // What adds a class or ends reading has to be as it was written; other labels count once a picture is
                // read, and then its record is verified.
                let isBelieved =
                    example?.picture != nil && written.map { seen.contains($0) } ?? false
                if !isBelieved, !TFRecordIndex.isIntact(bytes, record) {
                    leftOut.append(
                        SkippedSample(
                            name: "\(shard.name)/record \(number)",
                            reason: "the record is damaged: its checksum differs"))
                    continue
                }
                guard let example, let picture = example.picture, let written else {
                    let reason =
                        example == nil
                        ? "the record is no tf.Example"
                        : "the record lacks "
                            + (example?.picture == nil ? "image/encoded" : "image/class/label")
                    leftOut.append(
                        SkippedSample(name: "\(shard.name)/record \(number)", reason: reason))
                    continue
                }
                guard written >= firstLabel, written - firstLabel < DatasetLimits.classCount else {
                    throw DatasetError(
                        .malformed,
                        "\(shard.name): record \(number) has the label \(written), and the first "
                            + "class's is \(firstLabel)"
                            + (written == 0
                                ? ", as 0 is the background; files that count from 0 have to be "
                                    + "opened as such" : ""))
                }
                let label = written - firstLabel
                if !isBelieved, let text = example.className, classNames[label] == nil {
                    classNames[label] = text
                }
                seen.insert(written)
                labels.append(label)
                names.append(unique.take(name, number: number))
                parts.append(part)
                places.append(
                    TFRecordSource.Place(shard: index, record: record, picture: picture))
                try DatasetLimits.check(
                    places.count, DatasetLimits.sampleCount, "pictures", in: self.name)
            }
        }
        guard !places.isEmpty else {
            throw DatasetError(
                .notRecognised,
                "\(name): expected records with image/encoded and image/class/label, found "
                    + (leftOut.first.map { "\(leftOut.count) others: \($0.reason)" } ?? "none"))
        }
        let table = try LabelTable(
            numbers: labels, names: classNames, minimumCount: known.count, name: name)
        var samples: [Sample] = []
        samples.reserveCapacity(places.count)
        for index in places.indices {
            samples.append(Sample(name: names[index], label: labels[index], place: index))
        }
        return LabelledSamples(
            name: name, classNames: table.classNames, samples: samples, parts: parts,
            source: TFRecordSource(shards: shards.map { $0.memory }, places: places),
            leftOut: leftOut)
    }
}

/// Pictures in TFRecord files.
struct TFRecordSource: SampleSource {
    /// Where a record and its picture lie.
    struct Place {
        let shard: Int
        let record: Range<Int>
        let picture: Range<Int>
    }

    /// The files.
    let shards: [Memory]
    /// The records, by the samples' places.
    let places: [Place]

    /// Reads a picture, and verifies its record's sum.
    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        if places.indices.contains(sample.place) {
            let place = places[sample.place]
            let memory = shards[place.shard]
            guard TFRecordIndex.isIntact(memory.bytes, place.record) else {
                throw DatasetError(
                    .badSample, "\(sample.name): the record is damaged: its checksum differs")
            }
        }
        return try lazyContent(of: sample)
    }

    func lazyContent(of sample: Sample) throws(DatasetError) -> SampleContent {
        guard places.indices.contains(sample.place) else {
            throw DatasetError(.notFound, "\(sample.name): not of this data set")
        }
        let place = places[sample.place]
        guard
            let bytes = shards[place.shard].slice(
                offset: place.picture.lowerBound, byteCount: place.picture.count)
        else { throw DatasetError(.badSample, "\(sample.name): it reaches outside its file") }
        return .encoded(bytes)
    }

    func byteCount(of sample: Sample) -> Int? {
        places.indices.contains(sample.place) ? places[sample.place].picture.count : nil
    }
}
