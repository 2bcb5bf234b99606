import Images
import Tensors

/// A data set that is drawn rather than read: ten kinds of figures, of any size, without end.
///
/// Place, size, angle and colours are random, the background is textured, and bits of other things lie about. So a picture's
/// class is not in any of its pixels, but in how they lie together. The same seed gives the same pictures.
public struct Shapes: Sendable {
    /// What the classes are called, by label.
    public static let classNames = Figure.allCases.map { $0.rawValue }

    /// How many pictures there are to learn from.
    public var training: Int
    /// How many pictures there are to measure by; none of them is in the former.
    public var validation: Int
    /// Width and height, in pixels.
    public var size: Int
    /// What the pictures come of.
    public var seed: UInt64

    /// Describes a set.
    public init(
        training: Int = 4000, validation: Int = 500, size: Int = 64, seed: UInt64 = 42
    ) {
        self.training = training
        self.validation = validation
        self.size = size
        self.seed = seed
    }

    /// The set as data sets, which draw their pictures when they are asked for.
    ///
    /// Every class comes equally often, but for the rest of a division.
    ///
    /// - Precondition: counts are 0 to 100 million, the size is in 8...4096.
    public static func split(
        training: Int, validation: Int, size: Int, seed: UInt64 = 42
    ) -> DatasetSplit {
        let shapes = Shapes(training: training, validation: validation, size: size, seed: seed)
        precondition(
            countRange.contains(training) && countRange.contains(validation)
                && sizeRange.contains(size), "\(shapes.name) cannot be drawn")
        return DatasetSplit(
            training: shapes.dataset("train", first: 0, count: training),
            // Another half of the stream numbers.
            validation: shapes.dataset("val", first: 1 << 34, count: validation),
            notes: [
                "\(shapes.name): \(training) and \(validation) drawn pictures of \(size) pixels"
            ])
    }

    /// The set that a name describes: `shapes`, or `shapes:train=4000,val=500,size=64,seed=42` with any of these.
    ///
    /// - Returns: `nil` where the name is another.
    /// - Throws: `DatasetError` with code `.invalidOption` where it is one that cannot be drawn.
    public static func open(_ name: String) throws(DatasetError) -> DatasetSplit? {
        guard let shapes = try Shapes(name: name) else { return nil }
        return split(
            training: shapes.training, validation: shapes.validation, size: shapes.size,
            seed: shapes.seed)
    }

    /// Whether a name is one of sets that are drawn, rather than a path, whatever lies there.
    package static func isName(_ name: String) -> Bool {
        name == "shapes" || name.hasPrefix("shapes:")
    }

    /// What the set is called; `init(name:)` reads it.
    public var name: String {
        "shapes:train=\(training),val=\(validation),size=\(size),seed=\(seed)"
    }

    private static let countRange = 0...DatasetLimits.sampleCount
    private static let sizeRange = 8...4096

    /// Reads a description.
    private init?(name: String) throws(DatasetError) {
        self.init()
        if name == "shapes" { return }
        guard name.hasPrefix("shapes:") else { return nil }
        for part in name.dropFirst("shapes:".count).split(separator: ",") {
            let words = part.split(separator: "=", maxSplits: 1)
            let value = words.count == 2 ? UInt64(words[1]) : nil
            let range: ClosedRange<Int>? =
                switch words.first {
                case "train", "val": Self.countRange
                case "size": Self.sizeRange
                case "seed": 0...Int.max
                default: nil
                }
            guard let value, let range, let number = Int(exactly: value), range.contains(number)
            else {
                throw DatasetError(
                    .invalidOption,
                    "\(name): expected shapes:train=4000,val=500,size=64,seed=42 with at most "
                        + "\(DatasetLimits.sampleCount) pictures and sizes of 8 to 4096, found \(part)"
                )
            }
            switch words[0] {
            case "train": training = number
            case "val": validation = number
            case "size": size = number
            default: seed = value
            }
        }
    }

    private func dataset(_ part: String, first: Int, count: Int) -> Dataset {
        let samples = (0..<count).map { index in
            let label = index % Self.classNames.count
            return Sample(
                name: "\(part)/\(Self.classNames[label])/\(index)", label: label,
                place: first + index)
        }
        return Dataset(
            name: name, classNames: Self.classNames, samples: samples,
            source: ShapeSource(size: size, seed: seed))
    }
}

/// Draws the pictures of a set of shapes.
private struct ShapeSource: SampleSource {
    let size: Int
    let seed: UInt64

    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        guard Figure.allCases.indices.contains(sample.label) else {
            throw DatasetError(.notFound, "\(sample.name): there is no figure \(sample.label)")
        }
        var random = RandomStreams.drawing(seed: seed, index: sample.place)
        let drawing = Drawing(figure: Figure.allCases[sample.label], random: &random)
        do {
            return .pixels(try drawing.picture(size: size))
        } catch {
            throw DatasetError(
                DatasetError(error).code, "\(sample.name): \(error.message)")
        }
    }
}
