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

    @OptionGroup var pictures: PictureOptions
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

    @Option(name: .shortAndLong, help: "How many pictures to compute together.")
    var batch = 8

    @Flag(help: "Show no picture in the terminal.")
    var noPicture = false

    @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
    var quiet = false

    @Argument(help: ArgumentHelp("What to classify.", valueName: "file|folder|pattern|url|-"))
    var inputs: [String]

    mutating func validate() throws {
        try check(top, "--top", 1...65_536)
        try check(batch, "--batch", 1...1024)
    }

    mutating func run() async throws {
        let start = ContinuousClock.now
        let console = Console.current
        let files = try WorkQueue(name: "files")
        let (inputs, pictures) = (inputs, pictures)
        let items = try await files.run { expandInputs(inputs) }
        let classifier = try await makeClassifier(
            names: try await files.run { try pictures.classNames() },
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
        options.selection = pictures.selection
        let model = try await loadModel(
            weights, variant: compute.variant, selection: options.selection)
        options.transform = try pictures.transform(for: model, named: weights)
        return try await Classifier(model: model, options: options)
    }

    /// How wide a picture can be shown; `nil` where none is.
    private func pictureColumns(_ console: Console, _ inputCount: Int) -> Int? {
        guard format == .text, inputCount <= 8, console.showsPictures else { return nil }
        return max(8, min(36, (console.columns ?? 80) / 2 - 2))
    }
}
