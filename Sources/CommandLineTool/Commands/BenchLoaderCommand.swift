import ArgumentParser
import Datasets
import FoundationEssentials
import Images
import Native

/// `resnet bench loader`: measures how fast pictures are read, decoded and augmented.
struct BenchLoaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loader", abstract: "Measure how fast pictures become batches.",
        discussion: """
            Reads, decodes and augments the pictures of a data set over and over, as training does, and computes \
            nothing. The rate is over all of the time after a warm-up.
            """)

    /// What pictures go through.
    enum Augmentation: String, ExpressibleByArgument, CaseIterable, Sendable {
        /// A random crop, mirrored or not.
        case crop
        /// The same and one operation of TrivialAugment, a tenth of the pictures with a piece covered.
        case trivial
        /// No randomness: the short side to 256 for a crop of 224, and in proportion.
        case evaluation
    }

    @Argument(help: ArgumentHelp("The pictures: see `resnet data`.", valueName: "data"))
    var data: String

    @Option(name: .shortAndLong, help: "How many pictures a batch has.")
    var batch = 64

    @Option(
        name: [.customShort("j"), .long], help: "Threads that decode; one a processor without it.")
    var workers: Int?

    @Option(help: "Pixels a side.")
    var size = 224

    @Option(help: ArgumentHelp("What pictures go through.", valueName: "crop|trivial|evaluation"))
    var augmentation = Augmentation.crop

    @Flag(help: "Decode crops of JPEG files at full resolution, however small the result is.")
    var exact = false

    @OptionGroup var reading: ReadingOptions

    @Option(help: "How long to measure.")
    var seconds = 5.0

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(batch, "--batch", 1...65_536)
        try check(size, "--size", 1...4096)
        try check(workers, "--workers", 1...1024)
        guard seconds.isFinite, seconds > 0, seconds <= 86_400 else {
            throw ValidationError(
                "--seconds: expected more than 0, at most 86400, found \(seconds)")
        }
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        let command = self
        let measurement = try await WorkQueue(name: "bench").run { try command.measure() }
        try Console.current.output(
            format == .json ? measurement.json.pretty + "\n" : measurement.text)
    }

    private var decoding: TrainingTransform.Decoding { exact ? .exact : .fast }

    private func options() throws -> LoaderOptions {
        let share = (size * 8 + 3) / 7
        let transform: LoaderOptions.Transform =
            switch augmentation {
            case .crop: .training(try TrainingTransform(size: size, decoding: decoding))
            case .trivial:
                .training(
                    try TrainingTransform(
                        size: size, policy: .trivialAugmentWide,
                        erasing: RandomErasing(probability: 0.1), decoding: decoding))
            case .evaluation: .evaluation(try EvaluationTransform(resize: share, crop: size))
            }
        return LoaderOptions(
            batch: batch, transform: transform, shuffles: true,
            workers: workers ?? LoaderOptions.defaultWorkerCount, keepsPartialBatch: false)
    }

    private func measure() throws -> LoaderMeasurement {
        let dataset = try Dataset.open(data, part: .all, options: reading.options)
        let loader = try BatchLoader(dataset, options: options())
        let clock = ContinuousClock()
        let warmUp = Duration.seconds(min(1, seconds / 2))
        var (start, count, epoch) = (clock.now, 0, 0)
        var stamps: [ContinuousClock.Instant] = []
        var isWarm = false
        loader.start(epoch: 0)
        while true {
            guard let batch = try loader.next() else {
                epoch += 1
                loader.start(epoch: epoch)
                continue
            }
            let now = clock.now
            if !isWarm {
                guard now - start >= warmUp else { continue }
                (isWarm, start) = (true, now)
                stamps = [now]
                continue
            }
            count += batch.labels.count
            stamps.append(now)
            if now - start >= .seconds(seconds) { break }
        }
        return LoaderMeasurement(
            command: self, dataset: dataset, stamps: stamps, count: count,
            skippedCount: loader.skipped.count, workers: loader.options.workers)
    }

    /// What came of it.
    fileprivate struct LoaderMeasurement: Sendable {
        let command: BenchLoaderCommand
        let dataset: Dataset
        let stamps: [ContinuousClock.Instant]
        let count: Int
        let skippedCount: Int
        let workers: Int

        private var rate: Double {
            Double(count) / ((stamps[stamps.count - 1] - stamps[0]) / .seconds(1))
        }

        var json: JSONValue {
            .members([
                "images_per_second": .rounded(rate, places: 2),
                "batch": .integer(command.batch),
                "batches": .integer(stamps.count - 1),
                "workers": .integer(workers),
                "image_size": .integer(command.size),
                "augmentation": .string(command.augmentation.rawValue),
                "decoding": .string(command.decoding.rawValue),
                "pictures": .integer(dataset.samples.count),
                "skipped": .integer(skippedCount),
                "peak_memory_bytes": peakMemoryByteCount().map { .integer($0) },
            ])
        }

        var text: String {
            let memory = peakMemoryByteCount().map { ", peak memory \(byteText($0))" } ?? ""
            let skipped = skippedCount > 0 ? ", \(skippedCount) of them bad" : ""
            return """
                \(dataset.name), \(dataset.samples.count) pictures\(skipped), batch \(command.batch), \
                \(command.size) x \(command.size), \(command.augmentation.rawValue), \
                \(command.decoding.rawValue) decoding, \(workers) workers
                \(fixed(rate, places: 1)) images/s over \(stamps.count - 1) batches\(memory)

                """
        }
    }
}
