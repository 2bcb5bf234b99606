import ArgumentParser
import Datasets
import Devices
import FoundationEssentials
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
    var validationShare: Percentage?

    @Option(help: ArgumentHelp("The share of pictures that may be unreadable.", valueName: "share"))
    var maxBad = Percentage(share: 0.01)

    @Option(
        help: ArgumentHelp("Stop after so many validations without a better one.", valueName: "n"))
    var patience: Int?

    @Option(
        name: .customLong("stop-at-top1"),
        help: ArgumentHelp("Stop at this validation accuracy.", valueName: "percent"))
    var stopAtTop1: Double?

    @Option(help: ArgumentHelp("Stop after so much training time, as in 2h.", valueName: "time"))
    var maxTime: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "Save and end after so many steps in all, without measuring.", valueName: "n"))
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
        for (name, text) in [("data", data), ("--output", output ?? "runs")] where text.isEmpty {
            throw ValidationError("\(name): expected a path or a name, found an empty text")
        }
        try check(workers, "--workers", 1...1024)
        try check(valInterval, "--val-interval", 1...1_000_000)
        try check(patience, "--patience", 1...1_000_000)
        try check(maxSteps, "--max-steps", 1...Int.max)
        try check(checkpointSteps, "--checkpoint-steps", 1...Int.max)
        try check(logInterval, "--log-interval", 1...Int.max)
        if let share = validationShare?.share, share > 0.9 {
            throw ValidationError("--validation-share: expected 0 to 0.9, found \(share)")
        }
        if let stopAtTop1, !(0...100).contains(stopAtTop1) {
            throw ValidationError("--stop-at-top1: expected 0 to 100, found \(stopAtTop1)")
        }
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        let console = Console.current
        let session = TrainingSession(
            settings: try await settings(), folder: RunFolder(output ?? "runs/\(dataName)"),
            console: console, isQuiet: quiet || format == .json)
        // Not before: a download ends at once.
        let signals = TrainingSignals.shared
        try signals.begin()
        defer { signals.end() }
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

    /// What the run's folder is called after: the last name of the data's absolute path, or the name of what is drawn.
    private var dataName: String {
        if Shapes.isName(data) { return "shapes" }
        let isAbsolute = data.hasPrefix("/")
        let path = isAbsolute ? data : FileManager.default.currentDirectoryPath + "/" + data
        var names: [Substring] = []
        for name in path.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        let name = names.last?.drop { $0 == "." } ?? ""
        return name.isEmpty ? "run" : String(name)
    }

    private func settings() async throws -> RunSettings {
        let drawn = Shapes.isName(data) ? "shapes" : "nvidia-pytorch-90"
        let base = recipe ?? (from != nil ? "finetune" : drawn)
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
        settings.memoryLimit = memoryLimit?.value ?? memoryForTraining()
        settings.dataOptions = reading.options
        settings.dataOptions.seed = UInt64(recipe.seed)
        if let validationShare { settings.dataOptions.validationShare = validationShare.share }
        settings.maximumBadShare = maxBad.share
        settings.validationInterval = valInterval
        settings.logInterval = logInterval
        if let checkpointInterval { settings.checkpointSeconds = checkpointInterval.seconds }
        settings.checkpointSteps = checkpointSteps
        settings.limits.patience = patience
        settings.limits.stopAtTop1 = stopAtTop1.map { $0 / 100 }
        settings.limits.maximumSeconds = maxTime?.seconds
        settings.limits.maximumSteps = maxSteps
        // A plan alone removes nothing.
        settings.startsFresh = fresh
        settings.command = "resnet " + CommandLine.arguments.dropFirst().joined(separator: " ")
        settings.programVersion = programVersion
        return settings
    }
}
