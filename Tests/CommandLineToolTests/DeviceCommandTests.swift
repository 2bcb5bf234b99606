import CommandLineTool
import FoundationEssentials
import Native
import Testing

@Suite("Commands for GPUs")
struct DeviceCommandTests {
    @Test(
        "end with 64 where the command line is wrong",
        arguments: [
            (["--for", "v100"], "expected one of a100, h100, h200, found v100"),
            (["--for", "h200", "--batch", "0"], "--batch"),
            (["--for", "h200", "--replicas", "65"], "--replicas"),
            (["--for", "h200", "--precision", "fp8"], "fp8"),
            (["--for", "h200", "--depth", "51"], "--depth"),
            (["--for", "h200", "--format", "csv"], "--format"), ([], "--for"),
        ])
    func refuses(arguments: [String], text: String) async {
        let console = TestConsole()
        expect(await console.run(arguments: ["compile"] + arguments), .usage)
        #expect(console.output == "" && console.error.contains(text), "\(console.error)")
    }

    @Test("say that a program is not there")
    func missingProgram() async {
        let console = TestConsole()
        expect(
            await console.run("compile", "--for", "h200", "--program", "/nowhere/step.mlir"),
            .inputMissing)
        #expect(console.error.contains("/nowhere/step.mlir"))
    }

    @Test("share a batch only among devices that there are, and evenly")
    func replicas() async {
        let tiny = ["bench", "train", "--depth", "18", "--size", "32", "--steps", "1"]
        let processor = TestConsole()
        expect(
            await processor.run(
                arguments: tiny + ["--device", "cpu", "--batch", "4", "--replicas", "2"]),
            .unavailable)
        #expect(processor.error.contains("the CPU back end runs 1 replica, found 2"))
        let uneven = TestConsole()
        expect(
            await uneven.run(
                arguments: tiny + ["--device", "reference", "--batch", "4", "--replicas", "3"]),
            .usage)
        #expect(uneven.error.contains("replicas: expected a number"))
    }

    @Test("refuse float16 on the processor, which does not compute in it")
    func float16() async {
        for task in [["train", "--steps", "1"], ["infer", "--seconds", "0.01"]] {
            let console = TestConsole()
            let status = await console.run(
                arguments: ["bench"] + task + [
                    "--depth", "18", "--size", "32", "--batch", "2", "--device", "cpu",
                    "--precision", "fp16",
                ])
            expect(status, .unavailable)
            #expect(console.error.contains("not float16"), "\(console.error)")
        }
    }
}

/// In processes of their own: what they load and what it prints stays out of the tests.
@Suite(
    "The binary and GPUs", .enabled(if: Binary.path != nil, "the program is not beside the tests"))
struct DeviceBinaryTests {
    @Test(
        "ends with 69 and one sentence where a plugin is missing",
        arguments: [
            ["compile", "--for", "h200"], ["bench", "train", "--device", "gpu"],
            ["bench", "train", "--device", "gpu:0,1"], ["bench", "infer", "--device", "gpu"],
        ])
    func missingPlugin(arguments: [String]) async throws {
        let plugin = "/nowhere/xla_cuda_plugin.so"
        let result = try await Binary.run(
            arguments, environment: ["RESNET_PJRT_PLUGIN": plugin])
        #expect(result.status == 69 && result.output == "")
        #expect(
            result.error == "resnet: \(plugin): expected a PJRT plugin, found no file\n")
    }

    @Test(
        "ends with 69 and one sentence where there is no GPU",
        .enabled(
            if: FileKind(atPath: "/dev/nvidiactl") == nil && FileKind(atPath: "/dev/dxg") == nil,
            "there may be a GPU"))
    func missingGPU() async throws {
        for device in ["gpu", "gpu:1"] {
            let result = try await Binary.run([
                "bench", "train", "--device", device, "--depth", "18", "--size", "32",
            ])
            #expect(result.status == 69 && result.output == "")
            let lines = result.error.split(separator: "\n")
            #expect(lines.count == 1 && result.error.hasPrefix("resnet: no "), "\(result.error)")
        }
    }
}

/// What takes XLA seconds to compile; named for the process of the long tests.
@Suite(
    "The binary and XLA", .serialized,
    .enabled(if: Binary.path != nil, "the program is not beside the tests"))
struct XLABinaryTests {
    @Test(
        "trains on several devices of the processor's plugin",
        .enabled(
            if: !PJRTPlugin.candidates(.cpu).isEmpty, "no plugin: Scripts/setup-xla-cpu"))
    func trains() async throws {
        struct Result: Decodable {
            var replicas: Int
            var batch: Int
            var backend: String
            var loss: Double
            var device: String
        }
        let result = try await Binary.run([
            "bench", "train", "--device", "xla-cpu", "--replicas", "2", "--depth", "18", "--size",
            "32", "--batch", "4", "--steps", "1", "--format", "json",
        ])
        #expect(result.status == 0, "\(result.error)")
        let found = try JSONDecoder().decode(Result.self, from: Data(result.output.utf8))
        #expect(found.replicas == 2 && found.batch == 4 && found.backend == "xla")
        // Random weights: about the logarithm of a thousand classes.
        #expect(found.loss > 4 && found.loss < 12)
        #expect(found.device.hasSuffix(", 2 devices)"))
    }

    private static let hasCompiler = PJRTPlugin.candidates(.gpu).first?.toolkitFolder != nil

    @Test(
        "compiles and counts another's program, and refuses what is none",
        .enabled(if: hasCompiler, "no compiler for GPUs: Scripts/setup-gpu --compiler"))
    func compiles() async throws {
        struct Report: Decodable {
            var kernels: Int
            var bytes: Int
        }
        let folder = try TemporaryFolder()
        let path = folder.path + "/program.mlir"
        let name = "program.mlir"
        let type = "tensor<4096xf32>"
        let program = """
            func.func @main(%x: \(type), %y: \(type)) -> \(type) {
              %z = "stablehlo.add"(%x, %y) : (\(type), \(type)) -> \(type)
              "func.return"(%z) : (\(type)) -> ()
            }
            """
        try folder.write(program, to: name)
        let arguments = [
            "compile", "--for", "h200", "--batch", "1", "--format", "json", "--program",
        ]
        let result = try await Binary.run(arguments + [path])
        #expect(result.status == 0, "\(result.error)")
        let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
        // Two operands and a result of four bytes an element.
        #expect(report.kernels == 1 && report.bytes == 3 * 4 * 4096)
        try folder.write("no program", to: name)
        let refused = try await Binary.run(arguments + [path])
        #expect(refused.status == 65 && refused.output == "")
        #expect(refused.error.contains("resnet: \(path): "))
    }
}
