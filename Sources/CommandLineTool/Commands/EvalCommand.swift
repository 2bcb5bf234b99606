import ArgumentParser
import Datasets
import Devices
import Execution
import Images
import Inference
import ModelFormats
import Native
import ResNetModel
import Runs
import Tensors

/// `resnet eval`: measures a network by labelled pictures.
struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a network by labelled pictures.",
        discussion: """
            DATA is a folder with a folder for each class, perhaps within train and val; a list as CSV or TSV; tar \
            shards; TFRecords; or a packed file (see `resnet data`). Every picture that can be read is counted once, \
            whatever the batch. The data's classes may be some of the network's: they are matched by WordNet's \
            numbers, by name or by index.

            Probabilities are those at the temperature that the weight file holds. --calibrate fits it to the data \
            and puts it there; so calibrate on pictures that are neither trained on nor measured by.
            """)

    @Argument(
        help: ArgumentHelp(
            "A weight file, or the name of pretrained weights, unless -w says it; then the data.",
            valueName: "weights> <data"))
    var subjects: [String]

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A weight file, or the name of pretrained weights.", valueName: "file|name"))
    var weights: String?

    @OptionGroup var reading: ReadingOptions
    @OptionGroup var pictures: PictureOptions
    @OptionGroup var compute: ComputeOptions

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    @Option(
        help: ArgumentHelp(
            "Which pictures of data that is in parts; of data that is in none, held-out takes those that training "
                + "with the default seed and share would not have learnt from.",
            valueName: "validation|test|training|all|held-out"))
    var part = Part.validation

    @Flag(help: "List every class with its precision, recall and F1.")
    var perClass = false

    @Option(
        help: ArgumentHelp(
            "Write how often each class was taken for each, classes in rows and what they were taken for in "
                + "columns.", valueName: "file.csv"))
    var confusion: String?

    @Option(
        help: ArgumentHelp(
            "Write a page with the matrix, the calibration, and the worst pictures with their maps.",
            valueName: "file.html"))
    var report: String?

    @Flag(exclusivity: .exclusive)
    var views = Views.middle

    @Flag(help: "Fit a temperature to the data, and put it into the weight file.")
    var calibrate = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "With --calibrate: write weights and temperature to a new file.",
            valueName: "file.safetensors"))
    var output: String?

    @Option(help: "Look at so many pictures, taken at even distances, instead of all.")
    var limit: Int?

    @Option(name: .shortAndLong, help: "How many pictures to compute together.")
    var batch = 32

    @Option(
        name: [.customShort("j"), .long],
        help: "How many threads decode (default: as many as there are processors).")
    var workers: Int?

    @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
    var quiet = false

    /// Which pictures are looked at.
    enum Part: String, ExpressibleByArgument, CaseIterable {
        case validation
        case test
        case training
        case all
        case heldOut = "held-out"
    }

    /// Which views of a picture are averaged.
    enum Views: String, EnumerableFlag {
        case middle
        case tta
        case ttaFiveCrop
        case ttaTenCrop

        static func name(for value: Views) -> NameSpecification {
            value == .middle ? .customLong("no-tta") : .long
        }

        static func help(for value: Views) -> ArgumentHelp? {
            switch value {
            case .middle: "Look at the middle of each picture alone."
            case .tta: "Average the middle and its mirror image."
            case .ttaFiveCrop: "Average the four corners and the middle."
            case .ttaTenCrop: "Average those five and their mirror images."
            }
        }

        var augmentation: TestTimeAugmentation {
            switch self {
            case .middle: .none
            case .tta: .flip
            case .ttaFiveCrop: .fiveCrop
            case .ttaTenCrop: .tenCrop
            }
        }
    }

    mutating func validate() throws {
        try check(batch, "--batch", 1...1024)
        try check(workers, "--workers", 1...1024)
        try check(limit, "--limit", 1...Int.max)
        try check(format, among: [.text, .json])
        guard subjects.count == (weights == nil ? 2 : 1) else {
            throw ValidationError(
                "expected weights and data, as in `resnet eval best.safetensors photos`, found "
                    + "\(subjects.count + (weights == nil ? 0 : 1)) names")
        }
        guard !calibrate || views == .middle else {
            throw ValidationError(
                "--calibrate: the temperature is for single views; leave --tta out")
        }
        guard output == nil || calibrate else {
            throw ValidationError("--output: goes with --calibrate alone")
        }
    }

    mutating func run() async throws {
        let console = Console.current
        let command = self
        let cancellation = Cancellation()
        let queue = try WorkQueue(name: "evaluate")
        let text = try await withTaskCancellationHandler {
            try await queue.run { try command.evaluate(console, cancellation) }
        } onCancel: {
            cancellation.cancel()
        }
        try console.output(text)
    }

    /// Does it all; blocks.
    ///
    /// - Returns: what is printed.
    private func evaluate(_ console: Console, _ cancellation: Cancellation) throws -> String {
        let named = weights ?? subjects[0]
        let path = try weightPath(named)
        let model = try LoadedModel(
            contentsOf: path, selection: pictures.selection, variant: compute.variant)
        if calibrate, output == nil { try StoredTemperature.check(model.container, path: path) }
        let device = try openDevice(compute.device, threads: compute.threads)
        if !quiet {
            for warning in device.warnings + model.warnings {
                console.note("resnet: warning: \(warning)")
            }
        }
        let names = try ClassNames.choose(
            given: pictures.classNames(), metadata: model.metadata,
            count: model.architecture.classCount)
        let opened = try openData(cancellation)
        if !quiet, let warning = try familiarity(of: opened, to: model, cancellation) {
            console.note("resnet: warning: \(warning)")
        }
        let mapping = try LabelMapping(from: opened, to: names)
        let dataset = limited(mapping.apply(to: opened))
        let transform = try pictures.transform(for: model, named: named)
        let precision = compute.precision.elementType(on: device)
        let evaluator = try Evaluator(
            model: model, device: device, precision: precision, transform: transform,
            batch: min(batch, max(1, dataset.samples.count)),
            workers: workers ?? ComputeTeam.processorCount)
        let progress = ProgressLine(
            "eval", unit: "images", total: dataset.samples.count, isQuiet: quiet,
            console: console)
        defer { progress.clear() }
        func advance(_ done: Int, _ total: Int) throws {
            if cancellation.isCancelled { throw CancellationError() }
            progress.update(done: done)
        }

        var calibration: Calibration?
        let result: EvaluationResult
        if calibrate {
            let calibrated = try evaluator.calibrate(dataset, progress: advance)
            (result, calibration) = (calibrated.result, calibrated.calibration)
        } else {
            result = try evaluator.evaluate(
                dataset, temperature: model.stated.temperature ?? 1,
                testTimeAugmentation: views.augmentation, progress: advance)
        }
        progress.clear()
        let summary = EvaluationSummary(
            weights: path, architecture: model.architecture.name,
            device: device.backend.deviceDescription,
            precision: precision == .bfloat16 ? .bf16 : .fp32, transform: transform,
            matched: mapping.explanation, result: result, calibration: calibration,
            storedIn: try calibration.map { try store($0, model: model, path: path) })
        if let confusion { try writeResult(summary.confusionTable, to: confusion) }
        if let report {
            let worst = try evaluator.worstPictures(of: result, in: dataset)
            try writeResult(summary.page(worst: worst), to: report)
        }
        return format == .json ? try summary.json() : summary.text(perClass: perClass)
    }

    /// Opens the data.
    private func openData(_ cancellation: Cancellation) throws -> Dataset {
        let path = subjects[subjects.count - 1]
        if part == .heldOut {
            return try DatasetSplit.open(
                path, options: reading.options, cancellation: cancellation
            ).validation
        }
        return try Dataset.open(
            path, part: DatasetPart(rawValue: part.rawValue) ?? .validation,
            options: reading.options)
    }

    /// What a user should know where the weights were trained on these pictures, which their file tells by a digest.
    private func familiarity(
        of dataset: Dataset, to model: LoadedModel, _ cancellation: Cancellation
    ) throws -> String? {
        let digests = (model.metadata["data_digest"] ?? "").split(separator: "-").map(String.init)
        guard digests.count == 2 else { return nil }
        let own = try dataset.digest()
        guard own != digests[1] else { return nil }
        let path = subjects[subjects.count - 1]
        if own == digests[0] { return "\(path): the weights were trained on these pictures" }
        // Of data that cannot be split nothing is known.
        guard part == .validation || part == .all,
            let split = try? DatasetSplit.open(
                path, options: reading.options, cancellation: cancellation),
            try split.training.digest() == digests[0],
            dataset.samples.count > split.validation.samples.count
        else { return nil }
        return "\(path): the weights were trained on \(split.training.samples.count) of these "
            + "\(dataset.samples.count) pictures; --part held-out takes the others"
    }

    /// Some of the pictures, at even distances, so that every class has its share.
    private func limited(_ dataset: Dataset) -> Dataset {
        let count = dataset.samples.count
        guard let limit, limit < count else { return dataset }
        return dataset.selecting(
            (0..<limit).map { position in
                let (high, low) = position.multipliedFullWidth(by: count)
                return limit.dividingFullWidth((high, low)).quotient
            })
    }

    /// Puts a temperature where the user wants it, and says where that is.
    private func store(
        _ calibration: Calibration, model: LoadedModel, path: String
    ) throws -> String {
        if let output {
            try StoredTemperature.write(model, temperature: calibration.temperature, to: output)
        } else {
            try StoredTemperature.store(calibration.temperature, in: path)
        }
        return output ?? path
    }
}
