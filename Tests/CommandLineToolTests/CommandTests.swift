import CommandLineTool
import FoundationEssentials
import Native
import Testing

@Suite("Commands")
struct CommandTests {
    @Test("print help and version on the output, and end well")
    func helps() async {
        let console = TestConsole()
        expect(await console.run("--version"), .success)
        #expect(console.output == programVersion + "\n")
        for verb in [
            "classify", "inspect", "export", "import", "bench", "data", "weights", "doctor",
        ] {
            let help = TestConsole()
            expect(await help.run(verb, "--help"), .success)
            #expect(help.output.contains("USAGE: resnet \(verb)") && help.error == "")
        }
    }

    @Test(
        "end with 64 where the command line is wrong",
        arguments: [
            ["classify"], ["classify", "--nonsense", "x"], ["classify", "--precision", "fp8", "x"],
            ["classify", "--top", "0", "x"], ["classify", "--batch", "-3", "x"],
            ["classify", "--threads", "0", "x"], ["classify", "--format", "xml", "x"],
            ["bench", "infer", "--depth", "51"], ["bench", "infer", "--seconds", "0"],
            ["bench", "train", "--steps", "0"], ["bench", "train", "--size", "31"],
            ["bench", "train", "--batch", "8", "--accumulation", "3"],
            ["bench", "train", "--replicas", "0"], ["bench", "train", "--learning-rate", "-1"],
            ["bench", "train", "--memory-limit", "much"],
            ["bench", "infer", "--seconds", "nan"], ["inspect", "resnet50", "--variant", "v2"],
            ["inspect", "resnet50", "--classes", "0"], ["unknown"],
        ])
    func refuses(arguments: [String]) async {
        let console = TestConsole()
        let status = await console.run(arguments: arguments)
        #expect(status == .usage)
        #expect(console.output == "" && console.error.contains("Error: "))
    }

    @Test("show ResNet-50's layers and their sums")
    func inspects() async throws {
        let console = TestConsole()
        expect(await console.run("inspect", "resnet50"), .success)
        #expect(
            console.output.contains(
                "ResNet-50 v1.5: 50 counted layers, 25,557,032 parameters, 4,089,184,256"))
        let header = console.output.split(separator: "\n").first
        #expect(header?.split(separator: " ").first == "layer")

        let csv = TestConsole()
        expect(await csv.run("inspect", "resnet50", "--variant", "v1", "--format", "csv"), .success)
        let lines = csv.output.split(separator: "\n")
        #expect(lines[0] == "layer,kind,kernel,stride,output,parameters,multiply-adds")
        #expect(lines[1] == "conv1,convolution,7x7,2,64x112x112,9536,118013952")
        #expect(lines.contains { $0.hasPrefix("layer2.0.conv1,convolution,1x1,2,128x28x28,") })
    }

    @Test("show a network as JSON")
    func inspectsJSON() async throws {
        struct Model: Decodable {
            struct Layer: Decodable {
                var name: String
                var stride: [Int]?
                var parameters: Int
            }
            var depth: Int
            var variant: String
            var classes: Int
            var parameters: Int
            var countedLayers: Int
            var layers: [Layer]
        }
        let console = TestConsole()
        expect(
            await console.run("inspect", "resnet18", "--classes", "10", "--format", "json"),
            .success)
        let model = try snakeCaseDecoder.decode(Model.self, from: Data(console.output.utf8))
        #expect(model.depth == 18 && model.variant == "v1.5" && model.classes == 10)
        #expect(model.countedLayers == 18)
        #expect(model.parameters == 11_181_642)
        #expect(model.layers.reduce(0) { $0 + $1.parameters } == model.parameters)
        #expect(model.layers.first?.stride == [2, 2])
    }

    @Test("show what a weight file says of itself, also of one that lacks tensors")
    func inspectsFile() async throws {
        let console = TestConsole()
        let path = try TinyModelFile.shared.get().path
        expect(await console.run("inspect", path), .success)
        #expect(console.output.contains("container             safetensors\n"))
        #expect(console.output.contains("pictures              short side to 256, middle 224\n"))
        #expect(
            console.output.contains(
                "pixels of 0 to 1      less 0.4850, 0.4560, 0.4060, over 0.2290, 0.2240, 0.2250\n"))
        #expect(console.output.contains("padding               symmetric\n"))
        #expect(
            console.output.contains("not said, assumed     resize, crop, mean, std, padding\n"))
        #expect(console.output.contains("metadata class_names  [\"dog, "))
        #expect(console.output.contains("102 applied, 0 missing, 0 unused, 0 mismatched"))
    }

    @Test("name a weight file that is not there, and say how to get named weights")
    func namesMissingWeights() async {
        let console = TestConsole()
        expect(await console.run("inspect", "/nowhere/x.pth"), .inputMissing)
        #expect(console.error == "resnet: /nowhere/x.pth: no such weight file\n")
        let unknown = TestConsole()
        expect(await unknown.run("inspect", "resnet50.tv_in2k"), .inputMissing)
        #expect(unknown.error.contains("resnet50.tv_in1k"))
        let folder = TestConsole()
        expect(await folder.run("inspect", "/proc"), .badData)
        let text = TestConsole()
        expect(await text.run("inspect", "/proc/self/cmdline"), .badData)
    }

    @Test("measure and print the promised keys")
    func measures() async throws {
        let console = TestConsole()
        let status = await console.run(
            "bench", "infer", "--depth", "18", "--size", "32", "--batch", "2", "--precision",
            "fp32",
            "--variant", "v1", "--threads", "1", "--seconds", "0.01", "--format", "json")
        #expect(status == .success)
        struct Result: Decodable {
            var imagesPerSecondMedian: Double
            var imagesPerSecondBest: Double
            var latencyMsMedian: Double
            var latencyMsP99: Double
            var batch: Int
            var precision: String
            var variant: String
            var threads: Int
            var device: String
        }
        let result = try snakeCaseDecoder.decode(Result.self, from: Data(console.output.utf8))
        #expect(result.batch == 2 && result.precision == "fp32" && result.variant == "v1")
        #expect(result.threads == 1 && result.device.hasPrefix("cpu"))
        #expect(result.imagesPerSecondBest >= result.imagesPerSecondMedian)
        #expect(result.imagesPerSecondMedian > 0)
        #expect(result.latencyMsP99 >= result.latencyMsMedian)
    }

    @Test("measure training, and take a step apart")
    func measuresTraining() async throws {
        struct Result: Decodable {
            struct Kind: Decodable {
                var kind: String
                var seconds: Double
                var share: Double
            }
            var imagesPerSecondMedian: Double
            var batch: Int
            var accumulation: Int
            var precision: String
            var threads: Int
            var loss: Double
            var workspaceBytes: Int
            var peakMemoryBytes: Int
            var breakdown: [Kind]
        }
        func measure(_ arguments: [String]) async throws -> Result {
            let console = TestConsole()
            let status = await console.run(
                arguments: [
                    "bench", "train", "--depth", "18", "--size", "64", "--batch", "4", "--steps",
                    "2", "--threads", "1", "--format", "json",
                ] + arguments)
            #expect(status == .success, "\(console.error)")
            return try snakeCaseDecoder.decode(Result.self, from: Data(console.output.utf8))
        }
        let whole = try await measure(["--precision", "fp32"])
        #expect(whole.batch == 4 && whole.accumulation == 1 && whole.precision == "fp32")
        #expect(whole.imagesPerSecondMedian > 0 && whole.loss > 0 && whole.peakMemoryBytes > 0)
        #expect(
            Set(whole.breakdown.map(\.kind)).isSuperset(of: ["convolution", "filter gradient"]))
        #expect(abs(whole.breakdown.reduce(0) { $0 + $1.share } - 1) < 0.01)

        let parts = try await measure(["--precision", "bf16", "--accumulation", "2"])
        #expect(parts.accumulation == 2 && parts.precision == "bf16")
        let limited = try await measure(["--precision", "fp32", "--memory-limit", "64GiB"])
        #expect(limited.accumulation == 1)
        let console = TestConsole()
        let status = await console.run(
            "bench", "train", "--depth", "18", "--size", "64", "--batch", "4", "--memory-limit",
            "1MB")
        #expect(status != .success)
        #expect(console.error.contains("memory limit: expected at least"))
    }

    @Test("look whether all is well")
    func diagnoses() async throws {
        struct Finding: Decodable {
            var name: String
            var ok: Bool
            var needed: Bool
            var detail: String
        }
        let console = TestConsole()
        expect(await console.run("doctor", "--format", "json"), .success)
        let findings = try JSONDecoder().decode([Finding].self, from: Data(console.output.utf8))
        let names = findings.map(\.name)
        for name in ["processor", "device cpu", "decoder WebP", "weights folder", "self-test"] {
            #expect(names.contains(name))
        }
        #expect(findings.allSatisfy { $0.ok || !$0.needed })
        let test = try #require(findings.first { $0.name == "self-test" })
        #expect(test.ok && test.detail.hasPrefix("ResNet-18, cpu against plain Swift"))
    }

    @Test("list the weights known by name")
    func listsWeights() async throws {
        struct Entry: Decodable {
            var name: String
            var cached: Bool
        }
        let console = TestConsole()
        expect(await console.run("weights", "list", "--format", "json"), .success)
        let entries = try JSONDecoder().decode([Entry].self, from: Data(console.output.utf8))
        #expect(entries.contains { $0.name == "resnet50.tv_in1k" })
        let text = TestConsole()
        expect(await text.run("weights", "list"), .success)
        #expect(text.output.split(separator: "\n").count == entries.count + 1)
        #expect(text.output.contains("resnet50.tv_in1k"))
    }

    @Test("say that unknown weights are unknown")
    func refusesUnknownWeights() async {
        for verb in ["path", "download"] {
            let console = TestConsole()
            expect(await console.run("weights", verb, "resnet51"), .inputMissing)
            #expect(console.output == "" && console.error.hasPrefix("resnet: resnet51: "))
        }
    }
}

/// Reads keys such as `counted_layers`.
private var snakeCaseDecoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
}
