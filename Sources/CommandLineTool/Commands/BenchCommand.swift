import ArgumentParser
import FoundationEssentials
import Images
import Inference
import Native
import ResNetModel

/// `resnet bench`: measures.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure speed.",
        subcommands: [
            BenchInferenceCommand.self, BenchTrainingCommand.self, BenchLoaderCommand.self,
            BenchLoadCommand.self,
        ])
}

/// `resnet bench infer`: measures the network alone, from pixels in memory to logits.
struct BenchInferenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infer", abstract: "Measure how fast pictures are classified.",
        discussion: """
            Measures the network alone: pixels in memory to logits, after a warm-up. Without weights it takes \
            random ones, which are computed just as fast. The median and the best rate are over about twenty \
            chunks of the time; latencies are of single runs.
            """)

    @Option(name: .shortAndLong, help: "How many pictures to compute together.")
    var batch = 8

    @OptionGroup var compute: ComputeOptions

    @Option(help: "The network's depth, without weights: 18, 34, 50, 101 or 152.")
    var depth = 50

    @Option(help: "How long to measure.")
    var seconds = 5.0

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A weight file, or the name of pretrained weights.", valueName: "file|name"))
    var weights: String?

    @Option(help: "Pixels a side.")
    var size = 224

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(batch, "--batch", 1...4096)
        try check(size, "--size", 1...4096)
        guard Depth(rawValue: depth) != nil else {
            throw ValidationError("--depth: expected 18, 34, 50, 101 or 152, found \(depth)")
        }
        guard seconds.isFinite, seconds > 0, seconds <= 86_400 else {
            throw ValidationError(
                "--seconds: expected more than 0, at most 86400, found \(seconds)")
        }
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        let model = try await model()
        var options = compute.classifierOptions
        options.batchSize = batch
        options.transform = try EvaluationTransform(resize: size, crop: size)
        let classifier = try await Classifier(model: model, options: options)
        for warning in classifier.warnings { Console.current.note("resnet: warning: \(warning)") }
        let measurement = try await classifier.measure(
            batchSize: batch, for: .seconds(seconds))
        let table = try model.architecture.layerTable(imageSize: size)
        try Console.current.output(
            format == .json
                ? json(classifier, measurement, table).pretty + "\n"
                : text(classifier, measurement, table))
    }

    private func model() async throws -> LoadedModel {
        if let weights { return try await loadModel(weights, variant: compute.variant) }
        let architecture = ResNetArchitecture(
            depth: Depth(rawValue: depth) ?? .resNet50, variant: compute.variant ?? .v1_5)
        return try await WorkQueue(name: "load").run {
            try LoadedModel(
                architecture: architecture,
                parameters: architecture.initialParameters(seed: 1), name: "random weights")
        }
    }

    private func json(
        _ classifier: Classifier, _ measurement: InferenceMeasurement, _ table: LayerTable
    ) -> JSONValue {
        let architecture = classifier.model.architecture
        return .members([
            "images_per_second_median": .rounded(measurement.medianRate, places: 2),
            "images_per_second_best": .rounded(measurement.bestRate, places: 2),
            "latency_ms_median": .rounded(measurement.latencyMilliseconds(share: 0.5), places: 3),
            "latency_ms_p99": .rounded(measurement.latencyMilliseconds(share: 0.99), places: 3),
            "batch": .integer(batch),
            "precision": .string(classifier.precision.rawValue),
            "variant": .string(architecture.variant.rawValue),
            "threads": .integer(classifier.threadCount),
            "device": .string(classifier.deviceDescription),
            "backend": .string(classifier.backendName),
            "depth": .integer(architecture.depth.rawValue),
            "image_size": .integer(size),
            "runs": .integer(measurement.runs.count),
            "multiply_adds": .integer(table.multiplyAddCount),
            "peak_memory_bytes": peakMemoryByteCount().map { .integer($0) },
        ])
    }

    private func text(
        _ classifier: Classifier, _ measurement: InferenceMeasurement, _ table: LayerTable
    ) -> String {
        let operations = 2 * Double(table.multiplyAddCount) * measurement.medianRate / 1e9
        let memory = peakMemoryByteCount().map { ", peak memory \(byteText($0))" } ?? ""
        return """
            \(classifier.model.architecture.name), \(classifier.precision.rawValue), batch \(batch), \
            \(size) x \(size), \(classifier.deviceDescription)
            \(fixed(measurement.medianRate, places: 1)) images/s median, \
            \(fixed(measurement.bestRate, places: 1)) best, \(fixed(operations, places: 0)) GFLOP/s
            latency \(fixed(measurement.latencyMilliseconds(share: 0.5), places: 2)) ms median, \
            \(fixed(measurement.latencyMilliseconds(share: 0.99), places: 2)) ms p99 over \
            \(measurement.runs.count) runs\(memory)

            """
    }
}
