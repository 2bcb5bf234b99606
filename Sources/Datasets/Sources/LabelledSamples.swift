/// What a source holds, all parts together.
struct LabelledSamples {
    /// What messages call it.
    var name: String
    /// What the classes are called, by label.
    var classNames: [String]
    /// The samples, in the data's own order.
    var samples: [Sample]
    /// The part each sample is said to be of, `nil` where nothing says so; as many as samples.
    var parts: [DatasetPart?]
    /// What reads the pictures.
    var source: any SampleSource
    /// What looked like samples and cannot be used, known from opening.
    var leftOut: [SkippedSample] = []
    /// Sentences for people.
    var notes: [String] = []

    /// Whether any sample is said to be of a part.
    var hasParts: Bool { parts.contains { $0 != nil } }

    /// The positions of the samples of a part.
    func positions(of part: DatasetPart?) -> [Int] {
        parts.indices.filter { parts[$0] == part }
    }

    /// Some of the samples as a data set, in the order given.
    func dataset(_ positions: [Int]) -> Dataset {
        Dataset(
            name: name, classNames: classNames, samples: positions.map { samples[$0] },
            source: source, leftOut: leftOut, notes: notes)
    }
}

/// Gives samples names that no other has.
struct UniqueNames {
    private var taken: Set<ExactText> = []

    /// A name, with the sample's number where it is taken.
    mutating func take(_ name: String, number: Int) -> String {
        var unique = name
        while !taken.insert(ExactText(unique)).inserted { unique += "#\(number)" }
        return unique
    }
}
