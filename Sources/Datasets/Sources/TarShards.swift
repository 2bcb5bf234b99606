import Native

/// Tar archives as WebDataset writes them: `KEY.jpg` and `KEY.cls`, side by side.
///
/// Source: the WebDataset format, github.com/webdataset/webdataset, `tariterators.py`: a key is a member's path up to the first
/// dot of its last component; members of one sample stand in a row.
struct TarShards {
    /// What messages call the data.
    let name: String
    /// The archives, in order.
    let paths: [String]

    private struct Group {
        var key: String
        var picture: TarIndex.Member?
        var hasExactSuffix = false
        var label: TarIndex.Member?
        /// Whether there is another one, so that neither can be believed.
        var hasSecondLabel = false
        /// Endings of the pictures.
        var suffixes: Set<String> = []
        /// Pictures whose whole names came before.
        var repeated: [TarIndex.Member] = []
    }

    /// Reads the headers of all archives.
    ///
    /// - Throws: `DatasetError` with code `.notFound`, `.unreadable`, `.notRecognised`, `.malformed` or
    ///   `.limitExceeded`.
    func open() throws(DatasetError) -> LabelledSamples {
        let (shards, classNames) = try ShardNames.mapped(paths)
        return try read(shards, known: classNames)
    }

    /// Reads archives in memory.
    ///
    /// - Parameters:
    ///   - shards: the archives with the names by which samples call them.
    ///   - known: what the classes are called, where a file beside the archives says so.
    func read(
        _ shards: [(name: String, memory: Memory)], known: [String] = []
    ) throws(DatasetError) -> LabelledSamples {
        var names: [String] = []
        var labels: [String] = []
        var parts: [DatasetPart?] = []
        var places: [TarSource.Place] = []
        var leftOut: [SkippedSample] = []
        for (index, shard) in shards.enumerated() {
            let part = DatasetPart(inPath: shard.name)
            var unique = UniqueNames()
            let groups = Self.groups(try TarIndex(shard.memory, name: shard.name).members)
            for (number, group) in groups.enumerated() {
                for member in group.repeated {
                    leftOut.append(
                        SkippedSample(
                            name: "\(shard.name)/\(member.name)",
                            reason: "it comes twice in one sample, and the first is taken"))
                }
                guard let picture = group.picture else { continue }
                let name = unique.take("\(shard.name)/\(picture.name)", number: number)
                let text = group.label.flatMap { Self.text($0, in: shard.memory) }
                guard let label = text, !group.hasSecondLabel else {
                    leftOut.append(
                        SkippedSample(
                            name: name,
                            reason: group.label == nil
                                ? "there is no \(group.key).cls beside it"
                                : group.hasSecondLabel
                                    ? "\(group.key).cls comes twice"
                                    : "\(group.key).cls is no label"))
                    continue
                }
                names.append(name)
                labels.append(label)
                parts.append(part)
                places.append(
                    TarSource.Place(
                        shard: index, offset: picture.offset, byteCount: picture.byteCount))
                try DatasetLimits.check(
                    places.count, DatasetLimits.sampleCount, "pictures", in: self.name)
            }
        }
        guard !places.isEmpty else {
            let found =
                leftOut.isEmpty
                ? "found no picture" : "found pictures, as \(leftOut[0].name), alone"
            throw DatasetError(
                .notRecognised,
                "\(name): expected members KEY.jpg and KEY.cls as WebDataset writes them, \(found)")
        }
        let table = try LabelTable(labels, known: known, name: name)
        var samples: [Sample] = []
        samples.reserveCapacity(places.count)
        for index in places.indices {
            samples.append(
                Sample(name: names[index], label: table.labels[index], place: index))
        }
        return LabelledSamples(
            name: name, classNames: table.classNames, samples: samples, parts: parts,
            source: TarSource(shards: shards.map { $0.memory }, places: places), leftOut: leftOut)
    }

    private static func groups(_ members: [TarIndex.Member]) -> [Group] {
        var groups: [Group] = []
        for member in members {
            // By bytes: a letter may be made of a slash or a dot and what is put over it.
            let path = member.name.utf8
            let start = path.lastIndex(of: UInt8(ascii: "/")).map { path.index(after: $0) }
            let base = member.name[(start ?? path.startIndex)...]
            guard !PictureNames.isIgnored(base), !member.name.contains("__MACOSX/"),
                let dot = base.utf8.firstIndex(of: UInt8(ascii: "."))
            else { continue }
            let key = String(member.name[..<dot])
            let suffix = String(base[base.utf8.index(after: dot)...]).lowercased()
            let isNext = groups.last.map { !$0.key.utf8.elementsEqual(key.utf8) } ?? true
            if isNext { groups.append(Group(key: key)) }
            let last = groups.count - 1
            if suffix == "cls" {
                if groups[last].label != nil { groups[last].hasSecondLabel = true }
                groups[last].label = member
            } else if PictureNames.isPicture(base) {
                guard groups[last].suffixes.insert(suffix).inserted else {
                    groups[last].repeated.append(member)
                    continue
                }
                // `KEY.jpg` goes before `KEY.left.jpg`.
                let isExact = PictureNames.isPictureSuffix(suffix)
                if groups[last].picture == nil || isExact && !groups[last].hasExactSuffix {
                    groups[last].picture = member
                    groups[last].hasExactSuffix = isExact
                }
            }
        }
        return groups
    }

    /// A label as it is written; `nil` where it is empty, too long or not UTF-8.
    private static func text(_ member: TarIndex.Member, in memory: Memory) -> String? {
        guard member.byteCount <= DatasetLimits.nameByteCount else { return nil }
        let range = member.offset..<member.offset + member.byteCount
        guard let text = memory.bytes.text(range).map({ trimmed($0) }), !text.isEmpty else {
            return nil
        }
        return text
    }
}

/// Pictures in tar archives.
struct TarSource: SampleSource {
    /// Where a picture lies.
    struct Place {
        let shard: Int
        let offset: Int
        let byteCount: Int
    }

    /// The archives.
    let shards: [Memory]
    /// The pictures, by the samples' places.
    let places: [Place]

    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        guard places.indices.contains(sample.place) else {
            throw DatasetError(.notFound, "\(sample.name): not of this data set")
        }
        let place = places[sample.place]
        guard
            let bytes = shards[place.shard].slice(offset: place.offset, byteCount: place.byteCount)
        else { throw DatasetError(.badSample, "\(sample.name): it reaches outside its archive") }
        return .encoded(bytes)
    }

    func byteCount(of sample: Sample) -> Int? {
        places.indices.contains(sample.place) ? places[sample.place].byteCount : nil
    }
}
