import ArgumentParser
import Devices
import Execution
import FoundationEssentials
import Inference
import Native
import ResNetModel
import Tensors
import Training

/// `resnet bench train`: measures training steps, from pixels in memory to new weights.
struct BenchTrainingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Measure how fast the network is trained.",
        discussion: """
            Measures whole steps: pixels in memory, forward and backward pass, and new weights by gradient \
            descent with momentum, after two steps of warm-up. Pictures, labels and first weights are random. \
            A device of its own is given each step while it computes the one before, as in training. \
            A last step, which is not counted, is taken apart by kind of operation, as one thread sees it.
            """)

    @Option(name: .shortAndLong, help: "How many pictures a step has.")
    var batch = 32

    @OptionGroup var compute: ComputeOptions

    @Option(
        help: ArgumentHelp(
            "Share each batch among as many devices (default: all that --device stands for).",
            valueName: "n"))
    var replicas: Int?

    @Option(help: "The network's depth: 18, 34, 50, 101 or 152.")
    var depth = 50

    @Option(help: "How many steps to measure.")
    var steps = 10

    @Option(help: "Pixels a side.")
    var size = 224

    @Option(
        help:
            "How far weights follow gradients; by default so little that random weights stay sensible."
    )
    var learningRate = 1e-4

    @Option(
        help: ArgumentHelp(
            "Cut each batch into as many parts, computed one after the other.", valueName: "n"))
    var accumulation = 1

    @Option(
        help: ArgumentHelp(
            "Cut each batch into as few parts as let weights and activations fit into so much memory, as in 2GiB.",
            valueName: "size"))
    var memoryLimit: ByteCount?

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(batch, "--batch", 1...4096)
        try check(size, "--size", 32...4096)
        try check(steps, "--steps", 1...1_000_000)
        try check(accumulation, "--accumulation", 1...4096)
        try check(replicas, "--replicas", 1...64)
        guard learningRate >= 0, learningRate.isFinite else {
            throw ValidationError(
                "--learning-rate: expected a number of at least 0, found \(learningRate)")
        }
        guard batch % accumulation == 0 else {
            throw ValidationError(
                "--accumulation: expected a divisor of the batch of \(batch), found \(accumulation)"
            )
        }
        guard Depth(rawValue: depth) != nil else {
            throw ValidationError("--depth: expected 18, 34, 50, 101 or 152, found \(depth)")
        }
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        let device = try openDevice(
            compute.device, threads: compute.threads, cpuReplicas: replicas ?? 1)
        for warning in device.warnings { Console.current.note("resnet: warning: \(warning)") }
        let command = self
        let result = try await WorkQueue(name: "train").run { try command.measure(device) }
        try Console.current.output(
            format == .json ? result.json.pretty + "\n" : result.text)
    }

    /// Trains, and takes the times.
    private func measure(_ device: Device) throws -> TrainingMeasurement {
        let model = ResNetArchitecture(
            depth: Depth(rawValue: depth) ?? .resNet50, variant: compute.variant ?? .v1_5)
        var recipe = TrainingRecipe.measured(in: compute.precision.elementType(on: device))
        recipe.microBatchCount = accumulation
        let step = try TrainingStep.compile(
            model: model, recipe: recipe, batch: batch, imageSize: size, backend: device.backend,
            replicas: replicas ?? device.replicaCount, memoryLimit: memoryLimit?.value)
        var state = try step.initialState(parameters: model.initialParameters(seed: 1))
        let data = randomBatch(classCount: model.classCount)

        let clock = ContinuousClock()
        var times: [Duration] = []
        var losses: [Double] = []
        let progress = ProgressLine(
            "train", unit: "steps", total: steps + 2, isQuiet: format == .json)
        // A turn starts a step and waits for the one before: on any device it takes as long as a step.
        var pending: PendingStep?
        for index in 0..<steps + 2 {
            let start = clock.now
            let started = try step.start(data, learningRate: learningRate, state: &state)
            if let pending { losses.append(try pending.metrics().loss) }
            if index >= 2 { times.append(clock.now - start) }
            pending = started
            progress.update(done: index + 1)
        }
        if let pending { losses.append(try pending.metrics().loss) }
        progress.clear()
        let memory = peakMemoryByteCount()
        let breakdown = try step.profile(data, learningRate: learningRate, state: &state)
        return TrainingMeasurement(
            step: step, device: device, times: times, breakdown: breakdown, losses: losses,
            peakMemoryByteCount: memory)
    }

    private func randomBatch(classCount: Int) -> TrainingBatch {
        var random = RandomGenerator(seed: 1, stream: 0)
        let pixels = (0..<batch * size * size * 3).map { _ in
            UInt8(truncatingIfNeeded: random.next())
        }
        let labels = (0..<batch).map { _ in Int(random.next() % UInt64(classCount)) }
        return TrainingBatch(
            images: HostTensor(pixels, shape: [batch, size, size, 3]), targets: .labels(labels))
    }
}

/// How fast steps were.
private struct TrainingMeasurement: Sendable {
    let step: TrainingStep
    let device: Device
    let times: [Duration]
    let breakdown: [OperationTime]
    /// Of each step, those of the warm-up first.
    let losses: [Double]
    let peakMemoryByteCount: Int?

    /// What one thread spent on one kind of operation.
    struct Kind {
        var name: String
        var seconds = 0.0
        var multiplyAdds = 0
        var byteCount = 0
    }

    var kinds: [Kind] {
        var kinds: [String: Kind] = [:]
        for time in breakdown {
            var kind = kinds[time.kind] ?? Kind(name: time.kind)
            kind.seconds += time.seconds
            kind.multiplyAdds += time.multiplyAdds
            kind.byteCount += time.byteCount
            kinds[time.kind] = kind
        }
        return kinds.values.sorted { ($0.seconds, $1.name) > ($1.seconds, $0.name) }
    }

    private static let precisions: [TrainingRecipe.Precision: String] = [
        .float32: "fp32", .bfloat16: "bf16", .float16: "fp16",
    ]

    private var rates: [Double] { times.map { Double(step.batch) / ($0 / .seconds(1)) }.sorted() }
    private var medianRate: Double { rates[rates.count / 2] }
    private var milliseconds: [Double] { times.map { $0 / .milliseconds(1) }.sorted() }

    var json: JSONValue {
        let total = breakdown.reduce(0) { $0 + $1.seconds }
        return .members([
            "images_per_second_median": .rounded(medianRate, places: 2),
            "images_per_second_best": .rounded(rates.last ?? 0, places: 2),
            "latency_ms_median": .rounded(milliseconds[milliseconds.count / 2], places: 3),
            "latency_ms_p99": .rounded(
                milliseconds[min(milliseconds.count - 1, milliseconds.count * 99 / 100)], places: 3),
            "batch": .integer(step.batch),
            "accumulation": .integer(step.recipe.microBatchCount),
            "replicas": .integer(step.replicaCount),
            "precision": .string(Self.precisions[step.recipe.precision] ?? "fp32"),
            "variant": .string(step.model.variant.rawValue),
            "threads": .integer(device.threadCount),
            "device": .string(device.backend.deviceDescription),
            "backend": .string(device.backend.name),
            "depth": .integer(step.model.depth.rawValue),
            "image_size": .integer(step.imageSize),
            "runs": .integer(times.count),
            "loss": .rounded(losses.last ?? 0, places: 6),
            "losses": .array(losses.map { .rounded($0, places: 6) }),
            "state_bytes": .integer(step.stateByteCount),
            "workspace_bytes": .integer(step.workspaceByteCount),
            "peak_memory_bytes": peakMemoryByteCount.map { .integer($0) },
            "breakdown": .array(
                kinds.map { kind in
                    .members([
                        "kind": .string(kind.name),
                        "seconds": .rounded(kind.seconds, places: 6),
                        "share": .rounded(kind.seconds / max(total, 1e-9), places: 4),
                        "gflops": .rounded(rate(2 * kind.multiplyAdds, kind), places: 1),
                        "gigabytes_per_second": .rounded(rate(kind.byteCount, kind), places: 1),
                    ])
                }),
        ])
    }

    /// Thousands of millions a second and thread, were the work shared evenly.
    private func rate(_ amount: Int, _ kind: Kind) -> Double {
        Double(amount) / Double(device.threadCount) / max(kind.seconds, 1e-9) / 1e9
    }

    var text: String {
        let total = breakdown.reduce(0) { $0 + $1.seconds }
        var table = Table([
            "operation": .left, "ms": .right, "share": .right, "GFLOP/s a thread": .right,
            "GB/s a thread": .right,
        ])
        for kind in kinds {
            table.add([
                kind.name, fixed(kind.seconds * 1e3, places: 1),
                fixed(100 * kind.seconds / max(total, 1e-9), places: 1) + " %",
                kind.multiplyAdds > 0 ? fixed(rate(2 * kind.multiplyAdds, kind), places: 0) : "",
                kind.byteCount > 0 ? fixed(rate(kind.byteCount, kind), places: 1) : "",
            ])
        }
        let memory = peakMemoryByteCount.map { ", peak memory \(byteText($0))" } ?? ""
        var parts = ""
        if step.recipe.microBatchCount > 1 { parts = " in \(step.recipe.microBatchCount) parts" }
        if step.replicaCount > 1 { parts += " on \(step.replicaCount) devices" }
        return """
            \(step.model.name), training in \(step.recipe.precision.rawValue), batch \(step.batch)\(parts), \
            \(step.imageSize) x \(step.imageSize), \(device.backend.deviceDescription)
            \(fixed(medianRate, places: 2)) images/s median, \(fixed(rates.last ?? 0, places: 2)) best over \
            \(times.count) steps\(memory)

            """ + table.text
    }
}
