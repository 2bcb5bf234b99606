public import ArgumentParser
public import Devices
import Images
public import Inference
import ModelFormats
import Native
import Pretrained
public import ResNetModel

extension Precision: ExpressibleByArgument {}

extension DeviceSelection: ExpressibleByArgument {
    /// Reads what a user writes.
    public init?(argument: String) { self.init(argument) }
    /// What help shows as the default.
    public var defaultValueDescription: String { text }
}

extension Variant: ExpressibleByArgument {}

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case text
    case json
    case jsonl
    case csv
}

/// What commands that compute have in common.
struct ComputeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What to compute in: float32, bfloat16, float16 on GPUs, or the one that is fast here.",
            valueName: "fp32|bf16|fp16|auto"))
    var precision = Precision.auto

    @Option(
        help: ArgumentHelp(
            "What to compute on: GPUs, all or by number as in gpu:0,1; the processor at its best; through XLA; "
                + "or in plain Swift, for comparison.",
            valueName: "auto|cpu|gpu|xla-cpu|reference"))
    var device = DeviceSelection.auto

    @Option(help: "How many threads compute (default: as many as there are processors).")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Where bottlenecks take their stride: v1 on the 1x1, v1.5 on the 3x3 convolution. Overrides "
                + "what the file says.", valueName: "v1|v1.5"))
    var variant: Variant?

    mutating func validate() throws {
        try check(threads, "--threads", 1...1024)
    }

    /// The options of a classifier.
    var classifierOptions: Classifier.Options {
        var options = Classifier.Options()
        options.precision = precision
        options.device = device
        options.threads = threads
        options.variant = variant
        return options
    }
}

/// Throws a usage error where an option is out of its range.
func check(_ value: Int?, _ name: String, _ range: ClosedRange<Int>) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError(
        "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
}

/// The file that a path, or the name of pretrained weights, stands for; nothing is downloaded.
func weightPath(_ text: String) throws -> String {
    // A folder may be a model of TensorFlow's, whose checkpoints are named by what their files' names begin with.
    if FileKind(atPath: text) != nil || FileKind(atPath: text + ".index") == .regular {
        return text
    }
    // What looks like a path is one; a name has neither folders nor a suffix of weight files.
    let suffixes = [".pth", ".pt", ".safetensors", ".tar", ".bin", ".onnx"]
    if text.contains("/") || suffixes.contains(where: text.hasSuffix) {
        throw CommandError(.inputMissing, "\(text): no such weight file")
    }
    let cache = try WeightCache()
    return try cache.path(of: text)
}

/// Reads the model that a path or a name stands for, away from the threads that tasks share.
func loadModel(
    _ text: String, variant: Variant?, selection: WeightFile.Selection = .default
) async throws -> LoadedModel {
    let path = try weightPath(text)
    return try await WorkQueue(name: "load").run {
        try LoadedModel(contentsOf: path, selection: selection, variant: variant)
    }
}

/// How a picture becomes a network's input: as the user says, else as the weight file does, else as the published
/// weights of that name want it, else as is usual.
func evaluationTransform(
    for model: LoadedModel, named text: String, resize: Int?, crop: Int?
) throws -> EvaluationTransform {
    let said = model.stated.transform
    let published = publishedWeights(text)?.evaluation
    return try EvaluationTransform(
        resize: resize ?? said?.resize ?? published?.resize ?? EvaluationTransform.standard.resize,
        crop: crop ?? said?.crop ?? published?.crop ?? EvaluationTransform.standard.crop)
}

/// What is published of the weights that a name stands for; `nil` where the text is a path.
func publishedWeights(_ text: String) -> PretrainedWeights? {
    FileKind(atPath: text) != nil ? nil : try? PretrainedWeights.named(text)
}
