import Images
import Native

/// Chooses pictures to measure by, from data that does not say which.
///
/// Of each class the same share is taken, by what the pictures' bytes are and a seed, whatever their names: who renames a file
/// or moves the data gets the same choice, and files with the same bytes are never on both sides, also where they are in
/// two classes. A class with two different pictures or more has at least one on each side.
package struct ContentSplit: Sendable {
    private let share: Double
    private let seed: UInt64

    /// Makes a choice that options describe.
    package init(options: DatasetOptions) {
        share = options.validationShare
        seed = options.seed
    }

    /// Cuts samples in two; both keep their order.
    ///
    /// - Throws: `DatasetError` with code `.unreadable` where it was cancelled, `.resourceExhausted` where memory, threads
    ///   or open files are short.
    func split(
        _ positions: [Int], of data: LabelledSamples, cancellation: Cancellation
    ) throws(DatasetError) -> (training: [Int], validation: [Int]) {
        let samples = positions.map { data.samples[$0] }
        let prints = try ContentPrint.prints(
            of: samples, source: data.source, cancellation: cancellation)
        let chosen = choose(labels: samples.map { $0.label }, prints: prints)
        return (
            zip(positions, chosen).compactMap { $1 ? nil : $0 },
            zip(positions, chosen).compactMap { $1 ? $0 : nil }
        )
    }

    /// Which samples are to measure by.
    ///
    /// - Parameters:
    ///   - labels: the samples' classes.
    ///   - prints: what tells their contents apart.
    package func choose(labels: [Int], prints: [String]) -> [Bool] {
        var classes: [Int: [String: Int]] = [:]
        for (label, print) in zip(labels, prints) {
            classes[label, default: [:]][print, default: 0] += 1
        }
        var sides: [String: Bool] = [:]
        for label in classes.keys.sorted() {
            let counts = classes[label] ?? [:]
            choose(counts, &sides)
        }
        return prints.map { sides[$0] ?? false }
    }

    /// Chooses among the pictures of one class, some of which other classes may have decided on.
    private func choose(_ counts: [String: Int], _ sides: inout [String: Bool]) {
        let total = counts.values.reduce(0, +)
        let target = max(1, Int((Double(total) * share).rounded()))
        var taken = 0
        var kept = 0
        var open: [(key: UInt64, print: String, count: Int)] = []
        for (print, count) in counts {
            switch sides[print] {
            case true: taken += count
            case false: kept += count
            case nil: open.append((key(print), print, count))
            }
        }
        open.sort { ($0.key, $0.print) < ($1.key, $1.print) }
        var chosen: Set<String> = []
        for (_, print, count) in open where taken + count <= target {
            chosen.insert(print)
            taken += count
        }
        // Each side gets one, as far as there are two.
        if taken == 0, open.count + (kept > 0 ? 1 : 0) > 1,
            let smallest = open.min(by: { $0.count < $1.count })
        {
            chosen.insert(smallest.print)
        }
        if kept == 0, chosen.count == open.count, let last = open.last { chosen.remove(last.print) }
        for (_, print, _) in open { sides[print] = chosen.contains(print) }
    }

    /// A picture's place in the order of the choice.
    private func key(_ print: String) -> UInt64 {
        var text: [UInt8] = []
        text.append(littleEndian: seed)
        text += print.utf8
        guard let digest = ContentPrint.sha256(text) else { return 0 }
        return UInt64(digest.prefix(16), radix: 16) ?? 0
    }
}

/// What tells the contents of samples apart.
package enum ContentPrint {
    /// Files up to twice as long are taken whole; of longer ones the first and the last bytes count, and the length.
    private static let edgeByteCount = 128 << 10

    /// The contents' prints, 64 hexadecimal digits each; that of a sample that cannot be read is of its name.
    ///
    /// - Throws: `DatasetError` with code `.unreadable` where it was cancelled, `.resourceExhausted` where memory, threads
    ///   or open files are short.
    static func prints(
        of samples: [Sample], source: any SampleSource, cancellation: Cancellation
    ) throws(DatasetError) -> [String] {
        // Threads cost more than a few pictures do.
        let workers = max(1, min(ComputeTeam.processorCount, samples.count / 64))
        return try SampleSweep.run(
            count: samples.count, workers: workers, cancellation: cancellation,
            progress: { _ in },
            body: { (position: Int) throws(DatasetError) -> String in
                try of(samples[position], source: source)
            })
    }

    /// A content's print; that of a sample that cannot be read is of its name.
    ///
    /// - Throws: `DatasetError` with code `.resourceExhausted`.
    static func of(
        _ sample: Sample, source: any SampleSource
    ) throws(DatasetError) -> String {
        let content: SampleContent
        do throws(DatasetError) {
            content = try source.lazyContent(of: sample)
        } catch {
            guard error.code != .resourceExhausted else { throw error }
            return sha256(Array("unreadable \(sample.name)".utf8)) ?? sample.name
        }
        switch content {
        case .encoded(let bytes): return edges(bytes, [bytes.byteCount]) ?? sample.name
        case .pixels(let image):
            return edges(image.pixels, [image.width, image.height]) ?? sample.name
        }
    }

    /// The hash of some numbers and the first and last bytes; `nil` where the library has none.
    private static func edges(_ bytes: Memory, _ numbers: [Int]) -> String? {
        var head: [UInt8] = []
        for number in numbers { head.append(littleEndian: UInt64(number)) }
        do {
            var hash = try SHA256()
            try hash.update(head.span)
            if bytes.byteCount <= 2 * edgeByteCount {
                try hash.update(bytes.bytes)
            } else {
                try hash.update(bytes.bytes.extracting(first: edgeByteCount))
                try hash.update(bytes.bytes.extracting(last: edgeByteCount))
            }
            return try hash.finish()
        } catch {
            return nil
        }
    }

    /// The hash of all the bytes, 64 hexadecimal digits; `nil` where the library has none.
    static func whole(_ bytes: Memory) -> String? {
        do {
            var hash = try SHA256()
            try hash.update(bytes.bytes)
            return try hash.finish()
        } catch {
            return nil
        }
    }

    /// A hash as hexadecimal digits; `nil` where the library has none.
    static func sha256(_ bytes: [UInt8]) -> String? {
        do {
            var hash = try SHA256()
            try hash.update(bytes.span)
            return try hash.finish()
        } catch {
            return nil
        }
    }
}
