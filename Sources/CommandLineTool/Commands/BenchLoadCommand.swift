import ArgumentParser
import Devices
import Execution
import Inference
import Native
import ResNetModel
import Tensors

/// `resnet bench load`: measures how a weight file becomes a network that is ready to run.
struct BenchLoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Measure how soon a weight file is a network.",
        discussion: """
            Reads a weight file once and makes the network ready for one picture, in two parts: the file read, \
            checked and recognised, with its tensors at hand; then folded and packed for the device. Memory is \
            the most that the process has had until then.
            """)

    @OptionGroup var compute: ComputeOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A weight file, or the name of pretrained weights.", valueName: "file|name"))
    var weights: String

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        let path = try weightPath(weights)
        let compute = compute
        let load = try await WorkQueue(name: "load").run { try Load(path, compute) }
        try Console.current.output(format == .json ? load.json.pretty + "\n" : load.text)
    }
}

/// One weight file made a network.
private struct Load: Sendable {
    let readSeconds: Double
    let readySeconds: Double
    let memoryBefore: Int?
    let memoryRead: Int?
    let memoryReady: Int?
    let precision: ElementType
    let deviceDescription: String

    init(_ path: String, _ compute: ComputeOptions) throws {
        let clock = ContinuousClock()
        memoryBefore = peakMemoryByteCount()
        let start = clock.now
        let model = try LoadedModel(contentsOf: path, variant: compute.variant)
        readSeconds = start.duration(to: clock.now) / .seconds(1)
        memoryRead = peakMemoryByteCount()
        let device = try openDevice(compute.device, threads: compute.threads)
        let runner = ModelRunner(
            model: model, device: device, precision: compute.precision.elementType(on: device),
            imageSize: 224)
        try runner.step(batch: 1, outputs: [.logits])
        readySeconds = start.duration(to: clock.now) / .seconds(1)
        memoryReady = peakMemoryByteCount()
        precision = runner.precision
        deviceDescription = device.backend.deviceDescription
    }

    var json: JSONValue {
        .members([
            "read_seconds": .rounded(readSeconds, places: 4),
            "ready_seconds": .rounded(readySeconds, places: 4),
            "peak_memory_bytes_before": memoryBefore.map { .integer($0) },
            "peak_memory_bytes_read": memoryRead.map { .integer($0) },
            "peak_memory_bytes": memoryReady.map { .integer($0) },
            "precision": .string(precision.rawValue), "device": .string(deviceDescription),
        ])
    }

    var text: String {
        func memory(_ byteCount: Int?) -> String {
            byteCount.map { ", peak memory \(byteText($0))" } ?? ""
        }
        return """
            before\(memory(memoryBefore))
            read after \(fixed(1e3 * readSeconds, places: 1)) ms\(memory(memoryRead))
            ready after \(fixed(1e3 * readySeconds, places: 1)) ms\(memory(memoryReady)), \
            \(precision.rawValue), \(deviceDescription)

            """
    }
}
