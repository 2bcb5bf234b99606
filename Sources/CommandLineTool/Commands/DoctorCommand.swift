import ArgumentParser
import Devices
import Images
import Inference
import Native
import Pretrained
import ResNetModel

/// `resnet doctor`: looks whether everything is there that the program needs.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look whether everything is there, and try it.",
        discussion: "Exit status: 0 where pictures can be classified fast, 69 where not.")

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        let console = Console.current
        var findings = try await WorkQueue(name: "files").run {
            Self.machine() + Self.decoders() + Self.weights()
        }
        findings += await Self.selfTest()
        if format == .json {
            let members = findings.map { finding in
                JSONValue.members([
                    "name": .string(finding.name), "ok": .bool(finding.isGood),
                    "needed": .bool(finding.isNeeded),
                    "detail": .string(finding.detail),
                ])
            }
            try console.output(JSONValue.array(members).pretty + "\n")
        } else {
            var table = Table(["": .left, "what": .left, "found": .left])
            for finding in findings {
                table.add([
                    finding.isGood ? "ok" : (finding.isNeeded ? "BAD" : "-"), finding.name,
                    printable(finding.detail),
                ])
            }
            try console.output(table.text)
        }
        guard findings.allSatisfy({ $0.isGood || !$0.isNeeded }) else {
            throw CommandError(
                .unavailable, "something that is needed is absent: see the lines marked BAD")
        }
    }

    private struct Finding: Sendable {
        var name: String
        var detail: String
        var isGood = true
        var isNeeded = false
    }

    private static func machine() -> [Finding] {
        let processor = processorFacts()
        let sets = processor.instructions.joined(separator: ", ")
        var findings = [
            Finding(name: "program", detail: "resnet \(programVersion)"),
            Finding(
                name: "processor",
                detail: "\(processor.name), \(ComputeTeam.processorCount) usable; "
                    + (sets.isEmpty ? "no vector instructions of interest" : sets)),
        ]
        if let memory = machineMemory() {
            findings.append(
                Finding(
                    name: "memory",
                    detail: "\(byteText(memory.total)), \(byteText(memory.available)) available",
                    isGood: memory.available > 1 << 29))
        }
        for device in listDevices() {
            findings.append(
                Finding(
                    name: "device \(device.selection.text)", detail: device.detail,
                    isGood: device.isAvailable, isNeeded: device.selection == .cpu))
        }
        do {
            try OneDNN.load()
            findings.append(
                Finding(name: "oneDNN", detail: "\(OneDNN.version) at \(OneDNN.path)"))
        } catch {
            // Without it own kernels do all the work, which only processors with tiles would do faster.
            findings.append(Finding(name: "oneDNN", detail: error.message, isGood: false))
        }
        return findings
    }

    /// Decodes a small grey picture in each format.
    private static func decoders() -> [Finding] {
        let samples: [(String, @Sendable (Image) throws -> Memory)] = [
            ("JPEG", { try encodeJPEG($0) }), ("PNG", { try encodePNG($0) }),
            ("WebP", { _ in Memory(copying: greyWebP) }),
        ]
        return samples.map { name, encode in
            do {
                let pixels = [UInt8](repeating: 128, count: 16 * 16 * 3)
                let picture = try Image(width: 16, height: 16, pixels: pixels)
                let decoded = try Image(decoding: try encode(picture))
                let isRight = decoded.width == 16 && decoded.height == 16
                let error = abs(Int(decoded.pixels.bytes[0]) - 128)
                return Finding(
                    name: "decoder \(name)", detail: "reads a grey picture as grey",
                    isGood: isRight && error <= 2, isNeeded: true)
            } catch {
                return Finding(
                    name: "decoder \(name)", detail: "\(error)", isGood: false, isNeeded: true)
            }
        }
    }

    /// A WebP file, lossless, of 16 by 16 pixels of grey 128, as Pillow writes it.
    private static let greyWebP: [UInt8] = [
        82, 73, 70, 70, 30, 0, 0, 0, 87, 69, 66, 80, 86, 80, 56, 76, 17, 0, 0, 0, 47, 15, 192, 3, 0,
        7, 80, 192, 2, 22, 176, 255, 129, 136, 232, 127, 0, 0,
    ]

    private static func weights() -> [Finding] {
        do {
            let cache = try WeightCache()
            let present = cache.list().filter {
                if case .present = $0.state { true } else { false }
            }
            let names = present.map(\.weights.name).joined(separator: ", ")
            return [
                Finding(name: "weights folder", detail: cache.folder),
                Finding(
                    name: "weights",
                    detail: names.isEmpty
                        ? "none yet: resnet weights download \(PretrainedWeights.defaultName)"
                        : names, isGood: !names.isEmpty),
            ]
        } catch {
            return [Finding(name: "weights folder", detail: "\(error)", isGood: false)]
        }
    }

    /// Runs a ResNet-18 of random weights on the best device and on the reference, and compares.
    private static func selfTest() async -> [Finding] {
        do {
            let architecture = ResNetArchitecture(depth: .resNet18, classCount: 10)
            let model = try LoadedModel(
                architecture: architecture, parameters: architecture.initialParameters(seed: 7))
            let picture = try Image(
                width: 32, height: 32,
                pixels: (0..<32 * 32 * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) })
            var options = Classifier.Options()
            options.transform = try EvaluationTransform(resize: 32, crop: 32)
            options.precision = .fp32
            let fast = try await Classifier(model: model, options: options)
            let start = ContinuousClock.now
            let found = try await fast.classify(picture).logits
            let time = fixed((ContinuousClock.now - start).inSeconds * 1000, places: 0)
            options.device = .reference
            let oracle = try await Classifier(model: model, options: options)
            let wanted = try await oracle.classify(picture).logits
            let worst = zip(found, wanted).map { abs($0 - $1) }.max() ?? .infinity
            return [
                Finding(
                    name: "self-test",
                    detail:
                        "ResNet-18, \(fast.backendName) against plain Swift: largest difference "
                        + "\(worst), \(time) ms", isGood: worst < 1e-3, isNeeded: true)
            ]
        } catch {
            return [
                Finding(name: "self-test", detail: "\(error)", isGood: false, isNeeded: true)
            ]
        }
    }
}
