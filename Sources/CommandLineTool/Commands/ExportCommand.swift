import ArgumentParser
import Exports
import Inference
import ModelFormats
import Native
import ResNetModel

/// `resnet export`: writes a model in another program's format.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a model in a format that other programs read.",
        discussion: "Formats:\n"
            + ExportFormat.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A weight file, or the name of pretrained weights.", valueName: "file|name"))
    var weights: String

    @Option(name: .customLong("to"), help: ArgumentHelp("The format.", valueName: "format"))
    var target: String

    @Argument(help: "The file or folder to write.")
    var output: String

    @Flag(
        help: ArgumentHelp(
            "Read the weights back by our own reader, run the network with them, and print the largest "
                + "difference of the logits; end with 65 where it is beyond what the form allows. A program "
                + "in the file is not run."))
    var verify = false

    @Flag(
        help:
            "Write weights in half precision; in onnx, torchscript and triton also compute in it.")
    var half = false

    @Flag(help: "Fold batch norms into the convolutions (onnx, triton).")
    var foldBatchNorm = false

    @Flag(
        help: ArgumentHelp(
            "Put the normalisation of pictures inside: the input is uint8 [N, size, size, 3] (onnx, "
                + "torchscript, triton)."))
    var preprocessing = false

    @Flag(help: "Give probabilities instead of logits (onnx, torchscript, triton).")
    var softmax = false

    @Option(
        help: ArgumentHelp(
            "Pixels a side of a picture, in formats with a program (default: what the weight file says, "
                + "or 224)."))
    var size: Int?

    @Option(
        help: ArgumentHelp(
            "What a server calls the model (default: resnet and its depth) (triton).",
            valueName: "name"))
    var name: String?

    @Flag(help: "Make a folder for TensorRT, too (triton).")
    var tensorrt = false

    @Flag(help: "Make a folder for libtorch, too (triton).")
    var libtorch = false

    @Option(
        help: ArgumentHelp(
            "Where bottlenecks take their stride. Overrides what the file says.",
            valueName: "v1|v1.5"))
    var variant: Variant?

    @Flag(help: "Take a checkpoint's moving average of the weights.")
    var ema = false

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(size, "--size", 32...4096)
        guard ExportFormat.named(target) != nil else {
            let names = ExportFormat.all.map(\.name).joined(separator: ", ")
            throw ValidationError("--to: expected one of \(names), found \(target)")
        }
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        guard let exporter = ExportFormat.named(target) else { return }
        let (options, output, verify) = (options, output, verify)
        try checkResult(
            output, exporter.suffixes.map { output + $0 }, madeOf: try weightPath(weights))
        let model = try await loadModel(
            weights, variant: variant, selection: ema ? .ema : .default)
        for warning in model.warnings { Console.current.note("resnet: warning: \(warning)") }
        let (exported, verification) = try await WorkQueue(name: "export").run {
            () throws -> (ExportedModel, ExportVerification?) in
            var exported = try exporter.export(model, to: output, options: options)
            guard verify, let path = exported.readablePath else { return (exported, nil) }
            if exporter.holdsProgram {
                exported.notes.append("verified are the weights; the program was not run")
            }
            let size = try ExportedFacts(model, options: options).imageSize
            let verification = try ExportVerification(
                of: model, at: path, imageSize: size, isHalf: options.isHalf)
            return (exported, verification)
        }
        let report = ExportReport(
            format: exporter.name, model: model, exported: exported, verification: verification)
        try Console.current.output(
            format == .json ? report.json.pretty + "\n" : report.text)
        if let problem = verification?.problem {
            throw CommandError(.badData, "\(output): \(problem)")
        }
    }

    private var options: ExportOptions {
        var options = ExportOptions()
        options.isHalf = half
        options.foldsBatchNormalization = foldBatchNorm
        options.includesPreprocessing = preprocessing
        options.includesSoftmax = softmax
        options.includesTensorRT = tensorrt
        options.includesLibtorch = libtorch
        options.imageSize = size
        options.modelName = name
        options.published = publishedWeights(weights).flatMap { PublishedFacts($0) }
        options.programVersion = programVersion
        return options
    }
}
