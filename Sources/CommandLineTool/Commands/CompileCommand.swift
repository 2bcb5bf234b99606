import ArgumentParser
import Execution
import Graph
import Native
import ResNetModel
import Tensors
import Training
import XLABackend

/// `resnet compile`: what a GPU would be given, on a machine that has none.
struct CompileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compile",
        abstract:
            "Compile the network for GPUs that are not here, and say what it would cost there.",
        discussion: """
            Needs NVIDIA's XLA plugin and assembler (`make gpu-compiler`), but no GPU and no driver. The \
            plugin is found as with --device gpu.
            """)

    /// What a run of the compiled program does.
    enum Task: String, ExpressibleByArgument, CaseIterable {
        case train
        case infer
    }

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("The kind of GPU.", valueName: "a100|h100|h200"))
    var target: String

    @Option(help: ArgumentHelp("A training step, or inference.", valueName: "train|infer"))
    var task = Task.train

    @Option(help: "Images for each GPU.")
    var batch = 256

    @Option(help: "How many GPUs, each with a batch of its own.")
    var replicas = 1

    @Option(
        help: ArgumentHelp(
            "What to compute in.", valueName: "fp32|bf16|fp16"))
    var precision = "bf16"

    @Option(help: ArgumentHelp("Layers: 18, 34, 50, 101 or 152.", valueName: "depth"))
    var depth = 50

    @Option(
        help: ArgumentHelp(
            "Where bottlenecks take their stride: v1 or v1.5.", valueName: "v1|v1.5"))
    var variant = Variant.v1_5

    @Option(help: "Rows and columns of an image.")
    var size = 224

    @Option(
        name: .customLong("stablehlo"),
        help: ArgumentHelp("Where to write the program as XLA is given it.", valueName: "file"))
    var stableHLOPath: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write the finished program.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(batch, "--batch", 1...4096)
        try check(replicas, "--replicas", 1...64)
        try check(size, "--size", 32...4096)
        guard GPUTarget.named(target) != nil else {
            let names = GPUTarget.all.map(\.name).joined(separator: ", ")
            throw ValidationError("--for: expected one of \(names), found \(target)")
        }
        guard ["fp32", "bf16", "fp16"].contains(precision) else {
            throw ValidationError("--precision: expected fp32, bf16 or fp16, found \(precision)")
        }
        guard Depth(rawValue: depth) != nil else {
            throw ValidationError("--depth: expected 18, 34, 50, 101 or 152, found \(depth)")
        }
        guard [.text, .json].contains(format) else {
            throw ValidationError("--format: expected text or json, found \(format.rawValue)")
        }
    }

    mutating func run() async throws {
        let command = self
        let compiled = try await WorkQueue(name: "compile").run { try command.compile() }
        if let path = stableHLOPath { try Self.write(Array(compiled.stableHLO.utf8), to: path) }
        if let path = output {
            guard !compiled.executable.isEmpty else {
                throw CommandError(
                    .unavailable, "\(path): this plugin does not give its programs away")
            }
            try Self.write(compiled.executable, to: path)
        }
        try Console.current.output(
            format == .json ? json(compiled).pretty + "\n" : text(compiled))
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        var file = try ReplacementFile(replacing: path)
        try file.write(bytes)
        try file.commit()
    }

    private func compile() throws -> CompiledAhead {
        guard let target = GPUTarget.named(target), let depth = Depth(rawValue: depth) else {
            throw CommandError(.usage, "--for: \(target) is not known")
        }
        let model = ResNetArchitecture(depth: depth, variant: variant)
        return try CompiledAhead(try graph(model), for: target)
    }

    private func graph(_ model: ResNetArchitecture) throws -> Graph {
        switch task {
        case .train:
            let narrow: TrainingRecipe.Precision =
                switch precision {
                case "bf16": .bfloat16
                case "fp16": .float16
                default: .float32
                }
            var recipe = TrainingRecipe.torchvision(precision: narrow)
            recipe.labelSmoothing = 0.1
            if narrow == .float16 { recipe.lossScaling = .dynamic(initial: 0x1p16) }
            return try TrainingGraphs(
                model: model, recipe: recipe, batch: batch * replicas, imageSize: size,
                replicas: replicas
            ).microBatch
        case .infer:
            let graph = try model.inferenceGraph(batch: batch, imageSize: size)
            return try optimizeForInference(
                graph, model.initialParameters(seed: 1),
                precision: precision == "bf16"
                    ? .bfloat16 : precision == "fp16" ? .float16 : .float32
            ).graph
        }
    }

    // MARK: Printing

    private func text(_ compiled: CompiledAhead) -> String {
        let images = batch
        func perImage(_ bytes: Int) -> String {
            "\(fixed(Double(bytes) / Double(images) / 1e6, places: 1)) MB"
        }
        var table = Table(["kernels": .left, "count": .right, "bytes an image": .right])
        for kind in compiled.report.kinds {
            table.add([kind.name, "\(kind.count)", perImage(kind.byteCount)])
        }
        table.add(["all", "\(compiled.report.kernelCount)", perImage(compiled.report.byteCount)])
        var lines = [table.text]
        lines.append(
            "memory a GPU: \(byteText(compiled.memory.arguments)) of arguments, "
                + "\(byteText(compiled.memory.temporary)) beside them")
        lines.append(
            "all-reduces: \(compiled.report.allReduces.asynchronous) beside other kernels, "
                + "\(compiled.report.allReduces.blocking) alone")
        lines.append(
            "float32 convolutions: \(compiled.report.wideConvolutions.count); "
                + "transposes of activations: \(compiled.report.transposes.count)")
        lines.append(
            "compiled in \(fixed(compiled.seconds, places: 1)) s by \(compiled.compiler)")
        return lines.joined(separator: "\n") + "\n"
    }

    private func json(_ compiled: CompiledAhead) -> JSONValue {
        .members([
            "target": .string(target), "task": .string(task.rawValue), "batch": .integer(batch),
            "replicas": .integer(replicas), "precision": .string(precision),
            "compile_seconds": .rounded(compiled.seconds, places: 2),
            "compiler": .string(compiled.compiler),
            "kernels": .integer(compiled.report.kernelCount),
            "bytes": .integer(compiled.report.byteCount),
            "bytes_per_image": .integer(compiled.report.byteCount / batch),
            "argument_bytes": .integer(compiled.memory.arguments),
            "temporary_bytes": .integer(compiled.memory.temporary),
            "float32_convolutions": .integer(compiled.report.wideConvolutions.count),
            "activation_transposes": .integer(compiled.report.transposes.count),
            "asynchronous_all_reduces": .integer(compiled.report.allReduces.asynchronous),
            "blocking_all_reduces": .integer(compiled.report.allReduces.blocking),
            "kinds": .array(
                compiled.report.kinds.map {
                    .members([
                        "name": .string($0.name), "kernels": .integer($0.count),
                        "bytes": .integer($0.byteCount),
                    ])
                }),
        ])
    }
}
