import CommandLineTool
import Exports
import FoundationEssentials
import ModelFormats
import Native
import Tensors
import Testing

@Suite("Export and import commands")
struct ExportCommandTests {
    private struct Report: Decodable {
        struct File: Decodable {
            var path: String
            var bytes: Int
        }
        struct Verification: Decodable {
            var pictures: Int
            var largestDifference: Double
            var allowedDifference: Double
            var sameTop1: Int
            var identicalTensors: Int
            var tensors: Int
        }
        var format: String
        var depth: Int
        var classes: Int
        var files: [File]
        var notes: [String]
        var verification: Verification?
    }

    @Test("write a model, read it back and compare", arguments: ExportFormat.all.map(\.name))
    func exports(name: String) async throws {
        let folder = try TemporaryFolder()
        let weights = try TinyModelFile.shared.get().path
        let format = try #require(ExportFormat.named(name))
        let path = folder.path + "/model"
        let console = TestConsole()
        let size = format.holdsProgram ? ["--size", "64"] : []
        let status = await console.run(
            arguments: [
                "export", "-w", weights, "--to", name, path, "--verify", "--format", "json",
            ] + size)
        #expect(status == .success)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let report = try decoder.decode(Report.self, from: Data(console.output.utf8))
        #expect(report.format == name && report.depth == 18 && report.classes == 10)
        for file in report.files { #expect(file.bytes == FileSystem.byteCount(of: file.path)) }
        let verification = try #require(report.verification)
        // The same bits make the same network.
        #expect(verification.largestDifference == 0)
        #expect(verification.allowedDifference > 0)
        #expect(verification.sameTop1 == verification.pictures)
        #expect(verification.identicalTensors == verification.tensors)
        #expect(report.notes.contains { $0.contains("was not run") } == format.holdsProgram)

        let readable = name == "triton" ? path + "/resnet18/1/model.onnx" : path
        let inspection = TestConsole()
        expect(await inspection.run("inspect", readable), .success)
        #expect(inspection.output.contains("ResNet-18"))
        #expect(inspection.output.contains("class_names"))
        let text = TestConsole()
        expect(await text.run("import", readable, folder.path + "/back.safetensors"), .success)
        #expect(text.output.contains("ResNet-18, 10 classes"))
        let original = try WeightFile(contentsOf: weights)
        let back = try WeightFile(contentsOf: folder.path + "/back.safetensors")
        for tensor in original.tensors {
            let copy = try #require(back.tensors.first { $0.name == tensor.name })
            let isSame = copy.tensor.memory.array == tensor.tensor.memory.array
            #expect(isSame, "\(tensor.name)")
        }
        #expect(back.metadata["class_names"] == original.metadata["class_names"])
        #expect(back.metadata["source"] == "tiny.safetensors")
    }

    @Test("inspect an ONNX model as any weight file")
    func inspects() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/model.onnx"
        let console = TestConsole()
        expect(
            await console.run(
                "export", "-w", try TinyModelFile.shared.get().path, "--to", "onnx", path,
                "--fold-batch-norm", "--preprocessing", "--softmax", "--half"), .success)
        let inspection = TestConsole()
        expect(await inspection.run("inspect", path), .success)
        for part in [
            "ResNet-18", "onnx", "batch norms are folded", "pictures are normalised inside",
        ] {
            let isThere = inspection.output.contains(part)
            #expect(isThere, "\(part)")
        }
    }

    @Test(
        "end with 64 where the command line is wrong",
        arguments: [
            ["export", "x"], ["export", "-w", "x", "--to", "zip", "y"],
            ["export", "-w", "x", "--to", "onnx", "y", "--size", "7"],
            ["export", "-w", "x", "--to", "onnx", "y", "--format", "csv"], ["import", "x"],
        ])
    func refuses(arguments: [String]) async {
        let console = TestConsole()
        let status = await console.run(arguments: arguments)
        #expect(status == .usage)
    }

    @Test("end with 64 for an option that the format has no place for, 66 or 65 without weights")
    func statuses() async throws {
        let folder = try TemporaryFolder()
        let weights = try TinyModelFile.shared.get().path
        for option in [["--softmax"], ["--name", "x"], ["--size", "64"], ["--libtorch"]] {
            let misplaced = TestConsole()
            let status = await misplaced.run(
                arguments: ["export", "-w", weights, "--to", "pytorch", folder.path + "/a"] + option
            )
            #expect(status == .usage)
            #expect(misplaced.error.contains(option[0].dropFirst(2)))
        }
        let missing = TestConsole()
        expect(
            await missing.run("export", "-w", "none.onnx", "--to", "onnx", folder.path + "/a"),
            .inputMissing)
        expect(
            await TestConsole().run(
                "export", "-w", folder.path, "--to", "saved-model", folder.path + "/x"),
            .badData)
    }

    @Test(
        "end with 73 where there is no folder to write to",
        arguments: ExportFormat.all.map { ["export", "--to", $0.name, "-w"] } + [["import"]])
    func noFolder(command: [String]) async throws {
        let folder = try TemporaryFolder()
        let console = TestConsole()
        let status = await console.run(
            arguments: command + [try TinyModelFile.shared.get().path, folder.path + "/no/such"])
        #expect(status == .cannotCreate)
        #expect(console.error.contains("no/such"))
    }

    @Test("never write over the model that is read")
    func overwriting() async throws {
        let folder = try TemporaryFolder()
        let weights = folder.path + "/a.safetensors"
        let bytes = try Memory(mapping: try TinyModelFile.shared.get().path)
        try writeFile(bytes, toPath: weights)
        for command in [["import"], ["export", "--to", "pytorch", "-w"]] {
            let console = TestConsole()
            let status = await console.run(
                arguments: command + [weights, folder.path + "/./a.safetensors"])
            #expect(status == .cannotCreate)
            #expect(console.error.contains("is the file that is read"))
        }
        let checkpoint = folder.path + "/b"
        expect(
            await TestConsole().run("export", "-w", weights, "--to", "tf-checkpoint", checkpoint),
            .success)
        for input in [checkpoint, checkpoint + ".index", folder.path] {
            expect(
                await TestConsole().run("export", "-w", input, "--to", "tf-checkpoint", checkpoint),
                .cannotCreate)
        }
        let isSame = try Memory(mapping: weights).array == bytes.array
        #expect(isSame)
        // Another file is replaced.
        expect(await TestConsole().run("import", checkpoint, weights), .success)
    }

    @Test(
        "write what is published of weights that a name stands for",
        .enabled(if: Binary.path != nil, "the program is not beside the tests"))
    func published() async throws {
        let folder = try TemporaryFolder()
        // A file of the right name; of this one no length is published.
        try writeFile(
            try Memory(mapping: try TinyModelFile.shared.get().path),
            toPath: folder.path + "/resnet18_a1_0-d63eafa0.pth")
        let output = folder.path + "/out.safetensors"
        let result = try await Binary.run(
            ["import", "resnet18.a1_in1k", output], environment: ["RESNET_CACHE": folder.path])
        #expect(result.status == 0)
        let metadata = try WeightFile(contentsOf: output).metadata
        #expect(metadata["resize"] == "235" && metadata["crop"] == "224")
        #expect(metadata["weights"] == "resnet18.a1_in1k")
        #expect(metadata["licence"] == "Apache-2.0" && metadata["publisher"] == "timm")
        #expect(metadata["source"] == "resnet18_a1_0-d63eafa0.pth")
    }
}
