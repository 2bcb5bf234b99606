public import Native

extension DatasetSplit {
    /// Opens what a path or name leads to.
    ///
    /// Known are: class folders, with `train` and `val` around them or without; a CSV or TSV list; tar archives as WebDataset
    /// writes them; TFRecord files as TensorFlow's and NVIDIA's scripts write them; a record file; and `shapes`, which is
    /// drawn. See docs/datasets.md.
    ///
    /// Where the data says which pictures are to measure by, those are; `test` pictures where there are no `val` ones.
    /// Else a share of each class is taken, by seed and content: see `ContentSplit`.
    ///
    /// - Parameters:
    ///   - path: the path or name.
    ///   - options: how to open it.
    ///   - cancellation: ends the reading of pictures by which a share is taken.
    /// - Throws: `DatasetError`, with code `.notRecognised` where nothing can be learnt from it: no pictures to learn from
    ///   or to measure by, or fewer than two classes; `.unreadable` where it was cancelled.
    public static func open(
        _ path: String, options: DatasetOptions = DatasetOptions(),
        cancellation: Cancellation = Cancellation()
    ) throws(DatasetError) -> DatasetSplit {
        if let shapes = try Shapes.open(path) { return shapes }
        return try LabelledSamples.open(path, options: options)
            .split(options, cancellation: cancellation)
    }
}

extension Dataset {
    /// Opens what a path or name leads to as one set.
    ///
    /// - Parameters:
    ///   - path: as `DatasetSplit.open` takes it.
    ///   - part: which pictures. `.validation` gives those of `test` where there are none of `val`, and all where there
    ///     are neither. Data that is in no parts is given whole.
    ///   - options: how to open it.
    /// - Throws: `DatasetError`, with code `.notRecognised` where the data is in parts and has no such one.
    public static func open(
        _ path: String, part: DatasetPart = .validation,
        options: DatasetOptions = DatasetOptions()
    ) throws(DatasetError) -> Dataset {
        try LabelledSamples.openOrDraw(path, options: options).dataset(part)
    }
}

extension LabelledSamples {
    /// Both sides of a split whose samples have one source.
    init(_ split: DatasetSplit) {
        let (training, validation) = (split.training, split.validation)
        let parts =
            training.samples.map { _ in DatasetPart.training }
            + validation.samples.map { _ in DatasetPart.validation }
        self.init(
            name: training.name, classNames: training.classNames,
            samples: training.samples + validation.samples, parts: parts, source: training.source,
            notes: split.notes)
    }

    /// Opens what a path leads to, or draws what a name describes.
    static func openOrDraw(
        _ path: String, options: DatasetOptions
    ) throws(DatasetError) -> LabelledSamples {
        if let shapes = try Shapes.open(path) { return LabelledSamples(shapes) }
        return try open(path, options: options)
    }

    /// The pictures of a part, or all where there are no parts.
    func dataset(_ part: DatasetPart) throws(DatasetError) -> Dataset {
        guard part != .all, hasParts else { return dataset(Array(samples.indices)) }
        var chosen = positions(of: part)
        if chosen.isEmpty, part == .validation { chosen = positions(of: .test) }
        if chosen.isEmpty, part == .validation {
            var whole = self
            whole.notes.append(
                "no part to measure by: all \(samples.count) pictures are, \(partText)")
            return whole.dataset(Array(samples.indices))
        }
        guard !chosen.isEmpty else {
            throw DatasetError(
                .notRecognised,
                "\(name): expected \(part.rawValue) pictures, found \(partText)")
        }
        return dataset(chosen)
    }

    /// Pictures to learn from and to measure by.
    func split(
        _ options: DatasetOptions, cancellation: Cancellation
    ) throws(DatasetError) -> DatasetSplit {
        let used = Set(samples.map { $0.label }).count
        guard used > 1 else {
            throw DatasetError(
                .notRecognised,
                "\(name): expected two classes or more to tell apart, found one: "
                    + (samples.first.map { classNames[$0.label] } ?? "none"))
        }
        var notes = notes
        var training = positions(of: .training)
        var validation = positions(of: .validation)
        var others: [DatasetSplit.Side] = []
        if validation.isEmpty {
            validation = positions(of: .test)
        } else if parts.contains(.test) {
            others.append(DatasetSplit.Side(.test, dataset(positions(of: .test))))
        }
        // Without any parts, all pictures are to be split; so are those to learn from where there are no others.
        if !hasParts { training = Array(samples.indices) }
        guard !training.isEmpty else {
            throw DatasetError(
                .notRecognised, "\(name): expected pictures to learn from, found \(partText)")
        }
        if validation.isEmpty {
            let split = ContentSplit(options: options)
            (training, validation) = try split.split(
                training, of: self, cancellation: cancellation)
            notes.append(
                "no part to measure by: \(validation.count) of "
                    + "\(training.count + validation.count) pictures taken for it, by content, seed "
                    + "\(options.seed)")
        } else {
            notes += classNotes(training, validation)
        }
        let rest = hasParts ? positions(of: nil) : []
        if !rest.isEmpty {
            notes.append("\(rest.count) pictures are of no part: left out")
            others.append(DatasetSplit.Side(nil, dataset(rest)))
        }
        guard !validation.isEmpty else {
            throw DatasetError(
                .notRecognised,
                "\(name): expected two different pictures of a class or more, so that one can be "
                    + "measured by; found \(training.count) pictures of \(used) classes")
        }
        return DatasetSplit(
            training: dataset(training), validation: dataset(validation), others: others,
            notes: notes)
    }

    /// Which parts there are, for messages.
    private var partText: String {
        let parts = DatasetPart.allCases.compactMap { part -> String? in
            let count = positions(of: part).count
            return count > 0 ? "\(count) of \(part.rawValue)" : nil
        }
        let rest = positions(of: nil).count
        return (parts + (rest > 0 ? ["\(rest) of no part"] : [])).joined(separator: ", ")
    }

    /// What is odd about the classes of two parts.
    private func classNotes(_ training: [Int], _ validation: [Int]) -> [String] {
        let learnt = Set(training.map { samples[$0].label })
        let measured = Set(validation.map { samples[$0].label })
        var notes: [String] = []
        for label in measured.subtracting(learnt).sorted().prefix(10) {
            notes.append("\(classNames[label]) is measured by and not learnt")
        }
        for label in learnt.subtracting(measured).sorted().prefix(10) {
            notes.append("\(classNames[label]) is learnt and not measured by")
        }
        return notes
    }
}
