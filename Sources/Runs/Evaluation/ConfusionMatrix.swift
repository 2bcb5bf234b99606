/// How often samples of a class were taken for another, or rightly for theirs.
///
/// Only pairs that occurred take memory, so a thousand classes cost no million numbers.
public struct ConfusionMatrix: Sendable, Hashable, Codable {
    /// One pair that occurred.
    public struct Entry: Sendable, Hashable {
        /// What the samples are.
        public let label: Int
        /// What they were taken for.
        public let predicted: Int
        /// How many there are.
        public let count: Int
    }

    private struct Place: Sendable, Hashable {
        var label: Int
        var predicted: Int
    }

    private enum CodingKeys: String, CodingKey {
        case classCount = "class_count"
        case entries
    }

    /// The number of rows, and of columns.
    public let classCount: Int
    private var counts: [Place: Int] = [:]

    /// A matrix of zeros.
    ///
    /// - Precondition: `classCount` is at least 1.
    public init(classCount: Int) {
        precondition(classCount >= 1)
        self.classCount = classCount
    }

    /// Counts a sample.
    ///
    /// - Precondition: both classes are below `classCount`.
    public mutating func add(label: Int, predicted: Int) {
        precondition((0..<classCount).contains(label) && (0..<classCount).contains(predicted))
        counts[Place(label: label, predicted: predicted), default: 0] += 1
    }

    /// How many samples of a class were taken for a class.
    public subscript(label: Int, predicted: Int) -> Int {
        counts[Place(label: label, predicted: predicted)] ?? 0
    }

    /// The pairs that occurred, by label, then by what they were taken for.
    public var entries: [Entry] {
        counts.map { Entry(label: $0.key.label, predicted: $0.key.predicted, count: $0.value) }
            .sorted { ($0.label, $0.predicted) < ($1.label, $1.predicted) }
    }

    /// How many samples each class has, by label.
    public var labelCounts: [Int] { sums { $0.label } }

    /// How many samples were taken for each class.
    public var predictedCounts: [Int] { sums { $0.predicted } }

    private func sums(by part: (Place) -> Int) -> [Int] {
        var sums = [Int](repeating: 0, count: classCount)
        for (place, count) in counts { sums[part(place)] += count }
        return sums
    }

    /// Reads `{"class_count": C, "entries": [[label, predicted, count], …]}`.
    ///
    /// - Throws: `DecodingError` where a number is out of its range.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        classCount = try container.decode(Int.self, forKey: .classCount)
        var total = 0
        for entry in try container.decode([[Int]].self, forKey: .entries) {
            guard entry.count == 3, classCount > 0, (0..<classCount).contains(entry[0]),
                (0..<classCount).contains(entry[1]), entry[2] >= 0,
                counts[Place(label: entry[0], predicted: entry[1])] == nil
            else {
                throw DecodingError.dataCorruptedError(
                    forKey: .entries, in: container,
                    debugDescription:
                        "expected [label, predicted, count], each pair once, found \(entry)")
            }
            let (sum, isTooLarge) = total.addingReportingOverflow(entry[2])
            guard !isTooLarge else {
                throw DecodingError.dataCorruptedError(
                    forKey: .entries, in: container,
                    debugDescription: "expected counts with a sum, found \(entry) after \(total)")
            }
            total = sum
            counts[Place(label: entry[0], predicted: entry[1])] = entry[2]
        }
    }

    /// Writes what `init(from:)` reads.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(classCount, forKey: .classCount)
        try container.encode(
            entries.map { [$0.label, $0.predicted, $0.count] }, forKey: .entries)
    }
}
