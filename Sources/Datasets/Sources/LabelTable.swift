/// Labels as a data set writes them, as numbers with names.
///
/// Where every label is a whole number, it is the class's number. Else labels are names, and classes are numbered in the
/// order of the names' bytes.
struct LabelTable {
    /// The class of each sample.
    let labels: [Int]
    /// What the classes are called, by label.
    let classNames: [String]

    /// Makes sense of labels.
    ///
    /// - Parameters:
    ///   - texts: one a sample.
    ///   - known: what classes are called, where the data says so beside the samples; empty where not.
    ///   - name: how messages call the data.
    /// - Throws: `DatasetError` with code `.limitExceeded` or `.malformed`.
    init(_ texts: [String], known: [String] = [], name: String) throws(DatasetError) {
        if let numbers = Self.numbers(texts) {
            self = try LabelTable(
                numbers: numbers,
                names: Dictionary(
                    uniqueKeysWithValues: known.enumerated().map {
                        ($0.offset, $0.element)
                    }), minimumCount: known.count, name: name)
            return
        }
        let names =
            known.isEmpty
            ? Set(texts).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } : known
        try DatasetLimits.check(names.count, DatasetLimits.classCount, "classes", in: name)
        let table = Dictionary(
            names.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        var labels: [Int] = []
        labels.reserveCapacity(texts.count)
        for text in texts {
            guard let label = table[text] else {
                throw DatasetError(
                    .malformed,
                    "\(name): expected one of \(names.count) class names, found \"\(text)\"")
            }
            labels.append(label)
        }
        self.labels = labels
        classNames = names
    }

    /// Takes numbers with the names that are known of some.
    ///
    /// - Throws: `DatasetError` with code `.limitExceeded`.
    init(
        numbers: [Int], names: [Int: String], minimumCount: Int = 0, name: String
    ) throws(DatasetError) {
        let count = max((numbers.max() ?? -1) + 1, minimumCount)
        try DatasetLimits.check(count, DatasetLimits.classCount, "classes", in: name)
        labels = numbers
        classNames = (0..<count).map { names[$0] ?? "class \($0)" }
    }

    /// The texts as numbers; `nil` where one is no number, or too large a one.
    static func numbers(_ texts: [String]) -> [Int]? {
        var numbers: [Int] = []
        numbers.reserveCapacity(texts.count)
        for text in texts {
            guard let number = number(text) else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// A number as it is written: digits alone.
    static func number(_ text: String) -> Int? {
        let digits = text.utf8
        guard !digits.isEmpty, digits.count <= 9,
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int(text)
    }
}

/// A text without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
    var rest = text[...]
    while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
    while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
    return String(rest)
}
