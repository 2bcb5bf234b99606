public import Images
public import Native

/// How large the pictures of a data set are, and of what kinds, by their headers.
public struct DatasetStatistics: Sendable {
    /// The smallest, the middle and the largest of some numbers.
    public struct Spread: Sendable, Hashable {
        /// The smallest.
        public let minimum: Int
        /// The one in the middle, of an even count the lower of the two.
        public let median: Int
        /// The largest.
        public let maximum: Int

        /// Finds them; `nil` where there are no numbers.
        package init?(_ numbers: [Int]) {
            guard !numbers.isEmpty else { return nil }
            let sorted = numbers.sorted()
            minimum = sorted[0]
            median = sorted[(sorted.count - 1) / 2]
            maximum = sorted[sorted.count - 1]
        }
    }

    /// Pictures in all.
    public let sampleCount: Int
    /// Pictures whose header cannot be read.
    public let unreadable: [SkippedSample]
    /// Pictures of each format; drawn ones have none.
    public let formats: [ImageFormat: Int]
    /// Pixels from left to right.
    public let width: Spread?
    /// Pixels from top to bottom.
    public let height: Spread?
    /// Pixels of the short side.
    public let shortSide: Spread?
    /// Bytes of the encoded pictures.
    public let byteCounts: Spread?
    /// Bytes of all encoded pictures together.
    public let totalByteCount: Int

    /// Reads the headers of all pictures.
    ///
    /// - Parameters:
    ///   - dataset: the pictures.
    ///   - workers: threads that read.
    ///   - cancellation: ends it.
    ///   - progress: called now and then, on any thread, with how many pictures are done.
    /// - Throws: `DatasetError` with code `.unreadable` where it was cancelled, `.resourceExhausted` where memory, threads
    ///   or open files are short.
    public init(
        of dataset: Dataset, workers: Int = ComputeTeam.processorCount,
        cancellation: Cancellation = Cancellation(),
        progress: @Sendable (_ done: Int) -> Void = { _ in }
    ) throws(DatasetError) {
        let found = try SampleSweep.run(
            count: dataset.samples.count, workers: workers, cancellation: cancellation,
            progress: progress,
            body: { (position: Int) throws(DatasetError) -> Facts in
                try Self.facts(dataset.samples[position], dataset.source)
            })
        var formats: [ImageFormat: Int] = [:]
        var unreadable: [SkippedSample] = []
        var sizes: [(width: Int, height: Int)] = []
        var bytes: [Int] = []
        for (sample, facts) in zip(dataset.samples, found) {
            if let reason = facts.reason {
                unreadable.append(SkippedSample(name: sample.name, reason: reason))
                continue
            }
            sizes.append((facts.width, facts.height))
            if let format = facts.format { formats[format, default: 0] += 1 }
            if let byteCount = facts.byteCount { bytes.append(byteCount) }
        }
        sampleCount = dataset.samples.count
        self.unreadable = unreadable
        self.formats = formats
        width = Spread(sizes.map { $0.width })
        height = Spread(sizes.map { $0.height })
        shortSide = Spread(sizes.map { min($0.width, $0.height) })
        byteCounts = Spread(bytes)
        totalByteCount = bytes.reduce(0, +)
    }

    private struct Facts: Sendable {
        var reason: String?
        var format: ImageFormat?
        var width = 0
        var height = 0
        var byteCount: Int?
    }

    private static func facts(
        _ sample: Sample, _ source: any SampleSource
    ) throws(DatasetError) -> Facts {
        do throws(DatasetError) {
            switch try source.lazyContent(of: sample) {
            case .pixels(let image): return Facts(width: image.width, height: image.height)
            case .encoded(let bytes):
                let header = try header(of: bytes, name: sample.name)
                return Facts(
                    format: header.format, width: header.width, height: header.height,
                    byteCount: bytes.byteCount)
            }
        } catch {
            guard error.code != .resourceExhausted else { throw error }
            return Facts(reason: sample.shortReason(error.message))
        }
    }

    private static func header(
        of bytes: Memory, name: String
    ) throws(DatasetError) -> ImageHeader {
        do throws(ImageError) {
            return try ImageHeader(of: bytes, name: name)
        } catch {
            throw DatasetError(error)
        }
    }
}
