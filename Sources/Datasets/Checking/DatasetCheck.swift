public import Images
public import Native

/// Reads and decodes every picture of a data set as training would, and tells what is wrong.
///
/// Nothing is written.
public struct DatasetCheck: Sendable {
    /// What is found.
    public struct Report: Sendable {
        /// Pictures in all, those that were left out on opening included.
        public let sampleCount: Int
        /// Pictures that cannot be used, and what looked like pictures and cannot be any; in the data's order.
        public let bad: [SkippedSample]
        /// Pictures with the same bytes.
        public let duplicates: [DuplicateGroup]

        /// The share of the pictures that are bad, 0 to 1.
        public var badShare: Double {
            bad.isEmpty ? 0 : Double(bad.count) / Double(sampleCount)
        }
        /// Groups with pictures to learn from and pictures to measure by.
        public var leaks: [DuplicateGroup] { duplicates.filter { $0.isLeak } }
        /// Groups with pictures of several classes.
        public var conflicts: [DuplicateGroup] { duplicates.filter { $0.isConflict } }
    }

    /// Pictures with the same bytes.
    public struct DuplicateGroup: Sendable, Hashable {
        /// Their names, in the data's order.
        public let names: [String]
        /// Whether some are to learn from and some to measure by, so that measuring would flatter.
        public let isLeak: Bool
        /// Whether they are of several classes, at most one of which can be right.
        public let isConflict: Bool
    }

    /// How large a picture may be.
    public var limits: DecodeLimits
    /// Threads that read and decode.
    public var workers: Int

    /// Makes a check.
    public init(limits: DecodeLimits = .commandLine, workers: Int = ComputeTeam.processorCount) {
        self.limits = limits
        self.workers = workers
    }

    /// Checks all pictures of a split, also those on neither of its two sides.
    ///
    /// - Parameters:
    ///   - split: what to check.
    ///   - cancellation: ends the check.
    ///   - progress: called now and then, on any thread, with how many pictures are done, and of how many.
    /// - Throws: `DatasetError` with code `.unreadable` where it was cancelled, `.resourceExhausted` where memory, threads
    ///   or open files are short.
    public func run(
        _ split: DatasetSplit, cancellation: Cancellation = Cancellation(),
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(DatasetError) -> Report {
        let sides = split.sides
        let samples = sides.enumerated().flatMap { side, pictures in
            pictures.dataset.samples.map { (side: side, sample: $0) }
        }
        let checker = self
        let verdicts = try SampleSweep.run(
            count: samples.count, workers: workers, cancellation: cancellation,
            progress: { progress($0, samples.count) },
            body: { (position: Int) throws(DatasetError) -> Verdict in
                let (side, sample) = samples[position]
                return try checker.verdict(sample, sides[side].dataset.source)
            })
        var bad: [SkippedSample] = []
        var groups: [String: [Int]] = [:]
        for (position, verdict) in verdicts.enumerated() {
            if let reason = verdict.reason {
                bad.append(SkippedSample(name: samples[position].sample.name, reason: reason))
            } else if let print = verdict.print {
                groups[print, default: []].append(position)
            }
        }
        let leftOut = split.training.leftOut
        bad += leftOut
        let duplicates = groups.values.filter { $0.count > 1 }
            .sorted { ($0.first ?? 0) < ($1.first ?? 0) }
            .map { positions in
                let parts = Set(positions.map { sides[samples[$0].side].part })
                return DuplicateGroup(
                    names: positions.map { samples[$0].sample.name },
                    isLeak: parts.contains(.training)
                        && (parts.contains(.validation) || parts.contains(.test)),
                    isConflict: Set(positions.map { samples[$0].sample.label }).count > 1)
            }
        return Report(
            sampleCount: samples.count + leftOut.count, bad: bad, duplicates: duplicates)
    }

    private struct Verdict: Sendable {
        /// Why the picture cannot be used.
        var reason: String?
        /// What tells it from others.
        var print: String?
    }

    /// - Throws: what says nothing of the sample.
    private func verdict(
        _ sample: Sample, _ source: any SampleSource
    ) throws(DatasetError) -> Verdict {
        do throws(DatasetError) {
            let content = try source.content(
                of: sample, maximumByteCount: limits.maximumByteCount)
            if case .encoded(let bytes) = content {
                try sample.decode(bytes, limits: limits)
                return Verdict(print: ContentPrint.whole(bytes))
            }
            return Verdict(print: try ContentPrint.of(sample, source: source))
        } catch {
            guard error.code != .resourceExhausted else { throw error }
            return Verdict(reason: sample.shortReason(error.message))
        }
    }
}

extension Sample {
    /// Decodes the sample's picture, as training does it.
    ///
    /// - Throws: `DatasetError` with code `.badSample`, or `.resourceExhausted` where there is no memory for it.
    @discardableResult
    package func decode(_ bytes: Memory, limits: DecodeLimits) throws(DatasetError) -> Image {
        do throws(ImageError) {
            return try Image(decoding: bytes, limits: limits, damage: .acceptUnlessCut, name: name)
        } catch {
            throw DatasetError(error)
        }
    }

    /// A message without the sample's name at its beginning.
    package func shortReason(_ message: String) -> String {
        message.hasPrefix(name + ": ") ? String(message.dropFirst(name.count + 2)) : message
    }
}
