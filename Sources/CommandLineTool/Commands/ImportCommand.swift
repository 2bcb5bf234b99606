import ArgumentParser
import Exports
import Inference
import ModelFormats
import Native
import ResNetModel

/// `resnet import`: turns any file of weights into safetensors.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Turn any weight file into safetensors.",
        discussion: """
            Reads what every command here reads, told by its bytes: safetensors, PyTorch's files, ONNX models, \
            checkpoints and SavedModels of TensorFlow. The tensors get torchvision's names, and keep their bits where \
            the network has them: biases of convolutions and other epsilons than 1e-5, as Keras's and some ONNX \
            models have, go into batch norms, rounded once.
            """)

    @Argument(help: ArgumentHelp("The weight file, or the name of pretrained weights."))
    var input: String

    @Argument(help: "The safetensors file to write.")
    var output: String

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
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        try checkResult(output, [output], madeOf: try weightPath(input))
        let model = try await loadModel(input, variant: variant, selection: ema ? .ema : .default)
        for warning in model.warnings { Console.current.note("resnet: warning: \(warning)") }
        let output = output
        var options = ExportOptions()
        options.programVersion = programVersion
        options.published = publishedWeights(input).flatMap { PublishedFacts($0) }
        let exportOptions = options
        let exported = try await WorkQueue(name: "export").run {
            try ExportFormat.safetensors.export(model, to: output, options: exportOptions)
        }
        let report = ExportReport(
            format: "safetensors", model: model, exported: exported, verification: nil)
        try Console.current.output(
            format == .json ? report.json.pretty + "\n" : report.text)
    }
}
