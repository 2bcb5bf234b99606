/// Labelled pictures in a fixed order.
///
/// The same data, opened again, has the same samples in the same order, whatever order the file system lists them in.
public struct Dataset: Sendable {
    /// What messages call it: the path or the name that the user gave.
    public let name: String
    /// What the classes are called, by label.
    public let classNames: [String]
    /// Its pictures.
    public let samples: [Sample]
    /// What reads the pictures.
    public let source: any SampleSource
    /// What looked like samples when the data was opened, and cannot be any: pictures without a label, and the like.
    public let leftOut: [SkippedSample]
    /// Sentences on what was found, for people.
    public let notes: [String]

    /// Puts a data set together.
    ///
    /// - Precondition: labels are below the number of class names.
    public init(
        name: String, classNames: [String], samples: [Sample], source: any SampleSource,
        leftOut: [SkippedSample] = [], notes: [String] = []
    ) {
        precondition(samples.allSatisfy { classNames.indices.contains($0.label) })
        self.name = name
        self.classNames = classNames
        self.samples = samples
        self.source = source
        self.leftOut = leftOut
        self.notes = notes
    }

    /// Some of its pictures.
    ///
    /// - Parameter positions: positions in `samples`, in the order wanted.
    public func selecting(_ positions: [Int]) -> Dataset {
        Dataset(
            name: name, classNames: classNames, samples: positions.map { samples[$0] },
            source: source, leftOut: leftOut, notes: notes)
    }

    /// How many pictures each class has, by label.
    public var classCounts: [Int] {
        var counts = [Int](repeating: 0, count: classNames.count)
        for sample in samples { counts[sample.label] += 1 }
        return counts
    }
}

/// The pictures to learn from, and those to measure by; both have the same classes.
public struct DatasetSplit: Sendable {
    /// Pictures that are for the same.
    public struct Side: Sendable {
        /// What they are for; `nil` where the data does not say so of them, and of others does.
        public let part: DatasetPart?
        /// The pictures.
        public let dataset: Dataset

        /// Makes a side.
        public init(_ part: DatasetPart?, _ dataset: Dataset) {
            self.part = part
            self.dataset = dataset
        }
    }

    /// What is learnt from.
    public let training: Dataset
    /// What is measured by.
    public let validation: Dataset
    /// What is neither learnt from nor measured by: `test` pictures beside those of `val`, and pictures of no part.
    public let others: [Side]
    /// Sentences on how the split came about, for people.
    public let notes: [String]

    /// Puts a split together.
    ///
    /// - Precondition: all have the same class names.
    public init(
        training: Dataset, validation: Dataset, others: [Side] = [], notes: [String] = []
    ) {
        precondition(training.classNames == validation.classNames)
        precondition(others.allSatisfy { $0.dataset.classNames == training.classNames })
        self.training = training
        self.validation = validation
        self.others = others
        self.notes = notes
    }

    /// All pictures: those to learn from, those to measure by, and the others.
    public var sides: [Side] {
        [Side(.training, training), Side(.validation, validation)] + others
    }
}
