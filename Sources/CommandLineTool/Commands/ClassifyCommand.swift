import ArgumentParser
import Images
import Inference
import ModelFormats
import Native
import Pretrained
import ResNetModel

/// `resnet classify`: names what pictures show.
struct ClassifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Name what pictures show.",
        discussion: """
            An input is a JPEG, PNG or WebP file, a folder (searched to its depths), a pattern such as \
            'photos/**/*.jpg', an http or https address, or - for the standard input. A picture that cannot \
            be read is named and skipped, and the exit status is 65 at the end; 66 where all that failed are \
            inputs that do not exist.

            JSON is an array in the order of the inputs of {"path", "width", "height", "top": [{"index", \
            "label", "probability"}], "milliseconds"} or {"path", "error"}; jsonl prints the same objects, \
            one a line, as they come.
            """)

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A weight file, or the name of pretrained weights (see `resnet weights list`).",
            valueName: "file|name"))
    var weights = PretrainedWeights.defaultName

    @OptionGroup var compute: ComputeOptions

    @Option(help: "How many classes to list.")
    var top = 5

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json|jsonl|csv"))
    var format = OutputFormat.text

    @Option(
        help: ArgumentHelp(
            "Write the scores before softmax, float32 [inputs, classes] in the order of the inputs; rows of "
                + "inputs that failed hold not-a-number.", valueName: "file.npy"))
    var logits: String?

    @Option(
        help: ArgumentHelp(
            "Write for each input a picture of where its likeliest class is seen.",
            valueName: "folder"))
    var cam: String?

    @Option(
        help: ArgumentHelp(
            "Write a page with every picture, its classes and its map.", valueName: "file.html"))
    var report: String?

    @Option(
        help:
            "Pixels that the short side is scaled to (default: what the weights say, or 256)."
    )
    var resize: Int?

    @Option(
        help:
            "Pixels a side of the middle that is looked at (default: what the weights say, or 224)."
    )
    var crop: Int?

    @Option(name: .shortAndLong, help: "How many pictures to compute together.")
    var batch = 8

    @Option(
        help: ArgumentHelp(
            "Names of the classes: one a line, or JSON (default: those in the weight file, or ImageNet's).",
            valueName: "file"))
    var labels: String?

    @Flag(help: "Take a checkpoint's moving average of the weights.")
    var ema = false

    @Flag(help: "Show no picture in the terminal.")
    var noPicture = false

    @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
    var quiet = false

    @Argument(help: ArgumentHelp("What to classify.", valueName: "file|folder|pattern|url|-"))
    var inputs: [String]

    mutating func validate() throws {
        try check(top, "--top", 1...65_536)
        try check(batch, "--batch", 1...1024)
        try check(resize, "--resize", 1...4096)
        try check(crop, "--crop", 1...4096)
    }

    mutating func run() async throws {
        let start = ContinuousClock.now
        let console = Console.current
        let files = try WorkQueue(name: "files")
        let (inputs, labels) = (inputs, labels)
        let items = try await files.run { expandInputs(inputs) }
        let classifier = try await makeClassifier(
            names: try await files.run { try labels.map(ClassNames.init(contentsOf:)) },
            inputCount: items.count)
        if !quiet {
            for warning in classifier.warnings { console.note("resnet: warning: \(warning)") }
            if classifier.temperature != 1 {
                console.note(
                    "resnet: probabilities are calibrated: temperature "
                        + "\(fixed(classifier.temperature, places: 3)), as the weight file says")
            }
        }
        let outputs = ArtifactWriter(
            classifier: classifier, logitsPath: logits, mapFolder: cam, reportPath: report,
            start: start)
        try await files.run { try outputs.checkDestinations() }

        var session = ClassifySession(
            items: items, console: console,
            writer: ResultWriter(
                format: format, top: top, inputCount: items.count,
                pictureColumns: noPicture ? nil : pictureColumns(console, items.count),
                console: console),
            progress: ProgressLine(
                "classify", unit: "images", total: items.count, isQuiet: quiet || items.count < 9,
                console: console))
        try await session.run(classifier, outputs: outputs, files: files)
    }

    private func makeClassifier(names: ClassNames?, inputCount: Int) async throws -> Classifier {
        var options = compute.classifierOptions
        options.classNames = names
        options.topCount = top
        options.batchSize = max(1, min(batch, inputCount))
        options.selection = ema ? .ema : .default
        let model = try await loadModel(
            weights, variant: compute.variant, selection: options.selection)
        options.transform = try evaluationTransform(
            for: model, named: weights, resize: resize, crop: crop)
        return try await Classifier(model: model, options: options)
    }

    /// How wide a picture can be shown; `nil` where none is.
    private func pictureColumns(_ console: Console, _ inputCount: Int) -> Int? {
        guard format == .text, inputCount <= 8, console.showsPictures else { return nil }
        return max(8, min(36, (console.columns ?? 80) / 2 - 2))
    }
}
