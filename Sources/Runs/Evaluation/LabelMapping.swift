public import Datasets
public import Inference

/// Which of a network's classes each class of a data set is.
///
/// A network of a thousand classes can so be measured by a folder of ten of them. Rules are tried in the order of
/// `Rule`; the first that finds a class of its own for every class of the data set that has samples is taken.
public struct LabelMapping: Sendable, Hashable {
    /// How classes were found.
    public enum Rule: String, Sendable, Hashable, CaseIterable {
        /// By their places: the names there are the same.
        case same
        /// By WordNet's numbers, as in `n01440764`.
        case synsets
        /// By their names; case, and underscores for spaces, do not matter.
        case names
        /// By one of the words that a name lists, as in `tench` of `tench, Tinca tinca`.
        case words
        /// By their indices, as in `0`, `007`.
        case indices
        /// In their order, as the network's classes have no names and are as many.
        case order
    }

    /// How classes were found.
    public let rule: Rule
    /// For each class of the data set the network's; `nil` for classes without samples that no rule was asked for.
    public let classIndices: [Int?]
    private let classNames: [String]

    /// Finds the network's class for each of the data set's.
    ///
    /// - Parameters:
    ///   - dataset: what is to be measured by.
    ///   - classes: what the network's classes are called.
    /// - Throws: `RunError` with code `.labelMismatch`, which names classes that have no counterpart.
    public init(from dataset: Dataset, to classes: ClassNames) throws(RunError) {
        classNames = classes.names
        let counts = dataset.classCounts
        // A list that gives indices has classes that it says nothing of.
        let used = counts.indices.filter { counts[$0] > 0 }
        let given = used.map { dataset.classNames[$0] }
        var best: (rule: Rule, found: [Int?])?
        for (rule, found) in Self.attempts(given, places: used, of: counts.count, classes) {
            let indices = found.compactMap { $0 }
            if indices.count == given.count, Set(indices).count == indices.count {
                var classIndices = [Int?](repeating: nil, count: counts.count)
                for (place, index) in zip(used, indices) { classIndices[place] = index }
                (self.rule, self.classIndices) = (rule, classIndices)
                return
            }
            let bestCount = best?.found.compactMap { $0 }.count ?? 0
            if indices.count > bestCount { best = (rule, found) }
        }
        throw Self.mismatch(dataset.name, given, classes, best: best)
    }

    /// The data set with the network's classes and labels.
    public func apply(to dataset: Dataset) -> Dataset {
        Dataset(
            name: dataset.name, classNames: classNames,
            samples: dataset.samples.compactMap { sample in
                classIndices[sample.label].map { label in
                    Sample(name: sample.name, label: label, place: sample.place)
                }
            }, source: dataset.source)
    }

    /// What was done, for people.
    public var explanation: String {
        let (count, total) = (classIndices.count { $0 != nil }, classNames.count)
        let part = count == total ? "all \(total) classes" : "\(count) of \(total) classes"
        return switch rule {
        case .same: "\(part), by the same names in the same places"
        case .synsets: "\(part), matched by WordNet's numbers"
        case .names: "\(part), matched by name"
        case .words: "\(part), matched by one of their names"
        case .indices: "\(part), matched by index"
        case .order: "\(part), taken in their order, as the network's have no names"
        }
    }

    /// For each rule that applies, the class that it finds for each name, if any.
    private static func attempts(
        _ given: [String], places: [Int], of count: Int, _ classes: ClassNames
    ) -> [(rule: Rule, found: [Int?])] {
        let inPlace = zip(given, places).map { name, place in
            classes.names.indices.contains(place) && classes.names[place] == name ? place : nil
        }
        var attempts: [(rule: Rule, found: [Int?])] = [(.same, inPlace)]
        func lookUp(_ rule: Rule, _ table: [String: Int?], _ key: (String) -> String) {
            attempts.append((rule, given.map { table[key($0)] ?? nil }))
        }
        let numbers = classes.synsets
        if !numbers.isEmpty {
            let synsets = unique(numbers.map { ($0.synset, $0.index) })
            // A folder may be called `n01440764-tench`.
            lookUp(.synsets, synsets) { name in String(name.prefix(9)) }
        }
        lookUp(.names, unique(classes.names.enumerated().map { (plain($0.element), $0.offset) })) {
            plain($0)
        }
        let words = classes.names.enumerated().flatMap { index, name in
            Set(name.split(separator: ",").map { plain(String($0)) }).map { ($0, index) }
        }
        // The data set's name may list words, too; the first counts.
        lookUp(.words, unique(words)) { name in
            plain(name.split(separator: ",").first.map(String.init) ?? name)
        }
        attempts.append(
            (
                .indices,
                given.map { name in
                    guard !name.isEmpty, name.utf8.allSatisfy({ (0x30...0x39).contains($0) })
                    else { return nil }
                    return Int(name).flatMap { classes.names.indices.contains($0) ? $0 : nil }
                }
            ))
        if count == classes.names.count, classes == .numbered(count) {
            attempts.append((.order, places.map { $0 }))
        }
        return attempts
    }

    /// A table in which a key that leads to two classes leads to none.
    private static func unique(_ pairs: [(key: String, index: Int)]) -> [String: Int?] {
        Dictionary(pairs.map { ($0.key, Optional($0.index)) }) { _, _ in nil }
    }

    /// A name as it is compared.
    private static func plain(_ name: String) -> String {
        name.lowercased().split { $0 == "_" || $0.isWhitespace }.joined(separator: " ")
    }

    private static func mismatch(
        _ name: String, _ given: [String], _ classes: ClassNames,
        best: (rule: Rule, found: [Int?])?
    ) -> RunError {
        let found = best?.found ?? []
        let lacking = given.enumerated()
            .filter { !found.indices.contains($0.offset) || found[$0.offset] == nil }
            .map { $0.element }
        let shown = (lacking.isEmpty ? given : lacking).prefix(3)
            .map { "\"\($0)\"" }.joined(separator: ", ")
        let problem =
            lacking.isEmpty
            ? "two of its classes are the same class of the network"
            : "\(lacking.count) of its \(given.count) classes have none"
        return RunError(
            .labelMismatch,
            "\(name): expected for each class one of the network's "
                + "\(classes.names.count) (\(classes.names.prefix(2).joined(separator: "; ")); …), "
                + "by name, WordNet number or index; \(problem): \(shown); "
                + "name the classes as the network does, or give their names with --labels")
    }
}
