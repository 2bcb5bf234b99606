import ArgumentParser
import Datasets
import Devices
import Images
import Inference
import Native
import Runs

/// `resnet demo`: everything once, on pictures that the program draws.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Train ResNet-50 on drawn pictures, measure it, and see what it sees.",
        discussion: """
            Needs neither data nor network. Draws pictures of ten shapes, trains a new ResNet-50 v1.5 on them, \
            measures it by pictures that it has not seen, classifies some of them and shows where it looked. \
            The same command again goes on where it stopped; --fresh starts anew.
            """)

    @Option(name: .shortAndLong, help: ArgumentHelp("The run's folder.", valueName: "folder"))
    var output = "runs/demo"

    @OptionGroup var compute: ComputeOptions

    @Option(help: "Passes over the pictures (default: those of the recipe).")
    var epochs: String?

    @Option(help: "How many pictures to learn from.")
    var images = 10_000

    @Option(
        help: ArgumentHelp(
            "What training may take, as in 2GiB (default: four fifths of what is free).",
            valueName: "size"))
    var memoryLimit: ByteCount?

    @Flag(help: "Remove the run that is in the folder, and start anew.")
    var fresh = false

    @Flag(help: "Show no pictures in the terminal.")
    var noPicture = false

    @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
    var quiet = false

    mutating func validate() throws {
        try check(images, "--images", 64...1_000_000)
        if output.isEmpty {
            throw ValidationError("--output: expected a folder, found an empty text")
        }
    }

    mutating func run() async throws {
        let console = Console.current
        let session = TrainingSession(
            settings: try settings(), folder: RunFolder(output), console: console, isQuiet: quiet)
        let signals = TrainingSignals.shared
        try signals.begin()
        defer { signals.end() }
        let (result, text) = try await WorkQueue(name: "train").run {
            let plan = try session.plan()
            let result = try session.train(plan)
            if result.outcome.ending == .stopped {
                throw session.stopped(step: result.outcome.progress.step)
            }
            return (result, result.text(folder: session.folder))
        }
        try console.output(text + "\n")
        try await classify(result, session.folder, console)
        try console.output(
            """

            your own photos, in a folder for each class:
              resnet train photos/ --from resnet50.pth
            these pictures:
              resnet classify -w \(session.folder.best) \(session.folder.path)/pictures

            """)
    }

    private func settings() throws -> RunSettings {
        var recipe = try Recipe.named("shapes")
        if let epochs { try recipe.set("epochs", epochs, place: "--epochs") }
        if compute.precision != .auto {
            try recipe.set("precision", compute.precision.rawValue, place: "--precision")
        }
        if let variant = compute.variant { recipe.variant = variant }
        let device = try openDevice(compute.device, threads: compute.threads)
        var settings = RunSettings(
            data: "shapes:train=\(images),val=500,size=\(recipe.imageSize)", recipe: recipe,
            device: device)
        settings.workers = ComputeTeam.processorCount
        settings.memoryLimit = memoryLimit?.value ?? memoryForTraining()
        settings.startsFresh = fresh
        settings.command = "resnet " + CommandLine.arguments.dropFirst().joined(separator: " ")
        settings.programVersion = programVersion
        return settings
    }

    /// Classifies some pictures that were not learned from, and shows where the network looked.
    private func classify(
        _ result: TrainingSession.Result, _ folder: RunFolder, _ console: Console
    ) async throws {
        let validation = result.plan.split.validation
        var options = compute.classifierOptions
        options.topCount = 3
        let classifier = try await Classifier(weights: folder.best, options: options)
        // One of each of four classes.
        var seen: Set<Int> = []
        let chosen = validation.samples.filter {
            $0.label % 3 == 0 && seen.insert($0.label).inserted
        }
        try createFolder(atPath: "\(folder.path)/pictures")
        for sample in chosen.prefix(4) {
            guard case .pixels(let image) = try validation.source.content(of: sample) else {
                continue
            }
            let name = validation.classNames[sample.label]
            let path = "\(folder.path)/pictures/\(name).png"
            try writeFile(try encodePNG(image), toPath: path)
            let answer = try await classifier.classify(file: path)
            let map = try await classifier.classActivationMap(of: .file(path))
            let shares = answer.top.map { prediction in
                "\(prediction.label) \(fixed(prediction.probability * 100, places: 1)) %"
            }
            try console.output("\(path)  \(shares.joined(separator: "  "))\n")
            guard !noPicture, console.showsPictures else { continue }
            let pictures = [answer.picture, try map.overlay(on: answer.picture)].map {
                terminalPicture($0, columns: 32)
            }
            for (left, right) in zip(pictures[0], pictures[1]) {
                try console.output("\(left)  \(right)\n")
            }
        }
    }
}
