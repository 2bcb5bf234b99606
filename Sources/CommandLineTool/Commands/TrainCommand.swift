import ArgumentParser
import Datasets
import Devices
import Inference
import Native
import Runs

/// `resnet train`: learns from labelled pictures.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a network on your pictures, from scratch or from trained weights.",
        discussion: """
            DATA is a folder with a folder of pictures for each class (in train and val, or split here), a list, \
            tar shards, TFRecords, a record file, or shapes, which are drawn. Nothing is ever written to it.

            A run lives in a folder. The same command again goes on where it stopped, to the same bytes in float32; \
            --fresh starts anew. Ctrl-C, SIGTERM and SIGUSR2 save and stop (exit status 75), SIGUSR1 saves and goes \
            on.

            Recipes: \(Recipe.names.joined(separator: ", ")).
            """)

    @Argument(help: ArgumentHelp("What to learn from.", valueName: "data"))
    var data: String

    @Option(
        help: ArgumentHelp(
            "Trained weights to start from: a file, or a published name.", valueName: "file|name"))
    var from: String?

    @Option(
        help: ArgumentHelp(
            "How to train: a name or a .yaml file (default: finetune with --from, else nvidia-pytorch-90; shapes for the drawn shapes).",
            valueName: "name|file"))
    var recipe: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The run's folder (default: runs/ and the data's name).", valueName: "folder"))
    var output: String?

    @OptionGroup var changes: RecipeOptions
    @OptionGroup var reading: ReadingOptions
    @OptionGroup var compute: ComputeOptions

    @Option(
        name: [.customShort("j"), .long],
        help: "How many threads decode (default: as many as there are processors).")
    var workers: Int?

    @Option(help: "Epochs between two looks at the validation pictures.")
    var valInterval = 1

    @Option(
        help: ArgumentHelp(
            "The part of the data to measure by, where it is not split.", valueName: "share"))
    var validationShare: Double?

    @Option(help: ArgumentHelp("The share of pictures that may be unreadable.", valueName: "share"))
    var maxBad = 0.01

    @Option(
        help: ArgumentHelp("Stop after so many validations without a better one.", valueName: "n"))
    var patience: Int?

    @Option(
        name: .customLong("stop-at-top1"),
        help: ArgumentHelp("Stop at this validation accuracy.", valueName: "percent"))
    var stopAtTop1: Double?

    @Option(help: ArgumentHelp("Stop after so much training time, as in 2h.", valueName: "time"))
    var maxTime: TimeSpan?

    @Option(help: ArgumentHelp("Save and stop after so many steps in all.", valueName: "n"))
    var maxSteps: Int?

    @Option(
        help: ArgumentHelp("Save after so much time, beside every validation.", valueName: "time"))
    var checkpointInterval: TimeSpan?

    @Option(help: ArgumentHelp("Save after so many steps, too.", valueName: "n"))
    var checkpointSteps: Int?

    @Option(
        help: ArgumentHelp(
            "Steps between two lines of metrics (default: ten an epoch).", valueName: "n"))
    var logInterval: Int?

    @Option(
        help: ArgumentHelp(
            "What training may take, as in 2GiB (default: four fifths of what is free).",
            valueName: "size"))
    var memoryLimit: ByteCount?

    @Flag(help: "Remove the run that is in the folder, and start anew.")
    var fresh = false

    @Flag(help: "Print the plan, with every number, and stop.")
    var dryRun = false

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
    var quiet = false

    mutating func validate() throws {
        try check(workers, "--workers", 1...1024)
        try check(valInterval, "--val-interval", 1...1_000_000)
        try check(patience, "--patience", 1...1_000_000)
        try check(maxSteps, "--max-steps", 1...Int.max)
        try check(checkpointSteps, "--checkpoint-steps", 1...Int.max)
        try check(logInterval, "--log-interval", 1...Int.max)
        for (name, value, range) in [
            ("--validation-share", validationShare, 0.0...0.9), ("--max-bad", maxBad, 0.0...1.0),
            ("--stop-at-top1", stopAtTop1, 0.0...100.0),
        ] {
            guard let value, !range.contains(value) else { continue }
            throw ValidationError(
                "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
        guard [.text, .json].contains(format) else {
            throw ValidationError("--format: expected text or json, found \(format.rawValue)")
        }
    }

    mutating func run() async throws {
        let console = Console.current
        let signals = TrainingSignals.shared
        try signals.begin()
        defer { signals.end() }
        let session = TrainingSession(
            settings: try await settings(), folder: RunFolder(output ?? "runs/\(dataName)"),
            console: console, isQuiet: quiet || format == .json)
        let isDryRun = dryRun
        let format = format
        let text = try await WorkQueue(name: "train").run {
            let plan = try session.plan()
            if isDryRun {
                let writer = try PlanWriter(plan, folder: session.folder)
                return format == .json ? writer.json.pretty + "\n" : writer.text
            }
            let result = try session.train(plan)
            if result.outcome.ending == .stopped {
                throw session.stopped(step: result.outcome.progress.step)
            }
            return format == .json
                ? result.json(folder: session.folder).pretty + "\n"
                : result.text(folder: session.folder)
        }
        try console.output(text)
    }

    /// What the run's folder is called after.
    private var dataName: String {
        let parts = data.split(separator: "/")
        let last = parts.last.map(String.init) ?? "run"
        return String(last.prefix { $0 != ":" }.drop { $0 == "." })
    }

    private func settings() async throws -> RunSettings {
        let isDrawn = data == "shapes" || data.hasPrefix("shapes:")
        let base = recipe ?? (from != nil ? "finetune" : isDrawn ? "shapes" : "nvidia-pytorch-90")
        var recipe = try Recipe.named(base)
        try changes.apply(to: &recipe)
        if compute.precision != .auto {
            try recipe.set("precision", compute.precision.rawValue, place: "--precision")
        }
        if let variant = compute.variant { recipe.variant = variant }
        if recipe.computesFeaturesOnce, from == nil {
            throw ValidationError("--recipe \(base): needs trained weights; give --from")
        }
        let device = try openDevice(compute.device, threads: compute.threads)
        var settings = RunSettings(data: data, recipe: recipe, device: device)
        if let from { settings.weights = try await loadModel(from, variant: compute.variant) }
        settings.workers = workers ?? ComputeTeam.processorCount
        settings.memoryLimit =
            memoryLimit?.value ?? machineMemory().map { $0.available / 5 * 4 }
        settings.dataOptions = reading.options
        settings.dataOptions.seed = UInt64(recipe.seed)
        if let validationShare { settings.dataOptions.validationShare = validationShare }
        settings.maximumBadShare = maxBad
        settings.validationInterval = valInterval
        settings.logInterval = logInterval
        if let checkpointInterval { settings.checkpointSeconds = checkpointInterval.seconds }
        settings.checkpointSteps = checkpointSteps
        settings.limits.patience = patience
        settings.limits.stopAtTop1 = stopAtTop1.map { $0 / 100 }
        settings.limits.maximumSeconds = maxTime?.seconds
        settings.limits.maximumSteps = maxSteps
        settings.startsFresh = fresh && !dryRun
        settings.command = "resnet " + CommandLine.arguments.dropFirst().joined(separator: " ")
        settings.programVersion = programVersion
        return settings
    }
}
