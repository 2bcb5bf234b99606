import ArgumentParser
import Execution
import Graph
import Inference
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
            plugin is found as with --device gpu. With --program it counts another's program as it does ours.
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

    @Option(help: ArgumentHelp("What to compute in.", valueName: "fp32|bf16|fp16"))
    var precision = Precision.bf16

    @Option(help: ArgumentHelp("Layers: 18, 34, 50, 101 or 152.", valueName: "depth"))
    var depth = 50

    @Option(
        help: ArgumentHelp(
            "Where bottlenecks take their stride: v1 or v1.5.", valueName: "v1|v1.5"))
    var variant = Variant.v1_5

    @Option(help: "Rows and columns of an image.")
    var size = 224

    @Option(
        help: ArgumentHelp(
            "A StableHLO program to compile instead of the network; --batch and --replicas say what it is for.",
            valueName: "file"))
    var program: String?

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
        _ = try gpu
        _ = try model
        try check(format, among: [.text, .json])
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
        do {
            var file = try ReplacementFile(replacing: path)
            try file.write(bytes)
            try file.commit()
        } catch {
            throw CommandError.output(path, error)
        }
    }

    /// The kind of GPU that was asked for.
    private var gpu: GPUTarget {
        get throws {
            guard let gpu = GPUTarget.named(target) else {
                let names = GPUTarget.all.map(\.name).joined(separator: ", ")
                throw ValidationError("--for: expected one of \(names), found \(target)")
            }
            return gpu
        }
    }

    /// The network that was asked for.
    private var model: ResNetArchitecture {
        get throws {
            guard let depth = Depth(rawValue: depth) else {
                throw ValidationError("--depth: expected 18, 34, 50, 101 or 152, found \(depth)")
            }
            return ResNetArchitecture(depth: depth, variant: variant)
        }
    }

    private func compile() throws -> CompiledAhead {
        let gpu = try gpu
        guard let program else { return try CompiledAhead(graph(), for: gpu) }
        let text = String(decoding: try Memory(mapping: program).array, as: UTF8.self)
        do {
            return try CompiledAhead(stableHLO: text, replicas: replicas, for: gpu)
        } catch {
            guard error.code == .libraryFailure else { throw error }
            // The program is the user's, and so is the mistake.
            throw CommandError(.badData, "\(program): \(error.message)")
        }
    }

    private func graph() throws -> Graph {
        let model = try model
        let elementType = precision.elementType(prefersBFloat16: true)
        switch task {
        case .train:
            return try TrainingGraphs(
                model: model, recipe: .measured(in: elementType), batch: batch * replicas,
                imageSize: size, replicas: replicas
            ).microBatch
        case .infer:
            // What is folded into what follows from shapes; the numbers do not matter.
            let parameters = model.parameterList.map {
                ($0.name, HostTensor(repeating: 1, shape: $0.shape))
            }
            return try optimizeForInference(
                model.inferenceGraph(batch: batch, imageSize: size),
                Dictionary(parameters, uniquingKeysWith: { first, _ in first }),
                precision: elementType
            ).graph
        }
    }
}

extension TrainingRecipe {
    /// What `bench train` and `compile` take a step of: torchvision's recipe with label smoothing, and a dynamic
    /// loss scale in float16.
    static func measured(in elementType: ElementType) -> TrainingRecipe {
        let precision = Precision(rawValue: elementType.rawValue) ?? .float32
        var recipe = TrainingRecipe.torchvision(precision: precision)
        recipe.labelSmoothing = 0.1
        if precision == .float16 { recipe.lossScaling = .dynamic(initial: 0x1p16) }
        return recipe
    }
}
