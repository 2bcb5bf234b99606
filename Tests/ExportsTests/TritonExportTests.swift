import Exports
import Inference
import ModelFormats
import Native
import ResNetModel
import Tensors
import TestSupport
import Testing

@Suite("Triton repositories")
struct TritonExportTests {
    private static func model() throws -> LoadedModel {
        let architecture = ResNetArchitecture(depth: .resNet18, classCount: 3)
        return try LoadedModel(
            architecture: architecture, parameters: architecture.initialParameters(seed: 2),
            metadata: ["class_names": "[\"tench\", \"crane\", \"two\\nlines\"]"])
    }

    private static func options() -> ExportOptions {
        var options = ExportOptions()
        options.includesTensorRT = true
        options.includesLibtorch = true
        options.imageSize = 64
        options.modelName = "birds"
        return options
    }

    @Test("hold a model, its configuration and labels for each runtime")
    func folders() throws {
        let folder = try TemporaryFolder()
        var options = Self.options()
        options.includesPreprocessing = true
        options.includesSoftmax = true
        let exported = try ExportFormat.triton.export(
            try Self.model(), to: folder.file("models"), options: options)
        let root = folder.file("models")
        #expect(exported.readablePath == "\(root)/birds/1/model.onnx")
        #expect(exported.notes.count == 1)
        #expect(exported.files.count == 9)
        for file in exported.files { #expect(FileSystem.byteCount(of: file) ?? 0 > 0) }
        let names = try folderContents(atPath: root).map { $0.name }
        #expect(names == ["birds", "birds_libtorch", "birds_tensorrt"])

        let common = [
            "data_type: TYPE_UINT8", "format: FORMAT_NHWC", "dims: [ 64, 64, 3 ]", "dims: [ 3 ]",
            "label_filename: \"labels.txt\"", "dynamic_batching {",
        ]
        let configurations = [
            "birds": [
                "name: \"birds\"", "platform: \"onnxruntime_onnx\"", "name: \"input\"",
                "name: \"probabilities\"",
            ],
            "birds_libtorch": [
                "name: \"birds_libtorch\"", "platform: \"pytorch_libtorch\"",
                "name: \"INPUT__0\"", "name: \"OUTPUT__0\"",
            ],
            "birds_tensorrt": [
                "platform: \"tensorrt_plan\"", "name: \"input\"", "name: \"probabilities\"",
            ],
        ]
        for (name, lines) in configurations {
            let text = try FileSystem.text(of: "\(root)/\(name)/config.pbtxt")
            for line in lines + common {
                let isThere = text.contains(line)
                #expect(isThere, "\(name): \(line)")
            }
            let labels = try FileSystem.text(of: "\(root)/\(name)/labels.txt")
            #expect(labels == "tench\ncrane\ntwo lines\n")
        }
        // The program for libtorch is of the same network, and takes and gives what its configuration says.
        let torch = try LoadedModel(contentsOf: "\(root)/birds_libtorch/1/model.pt")
        #expect(torch.container == .torchScript)
        let architecture = try Self.model().architecture
        #expect(torch.architecture == architecture)
        #expect(torch.metadata["preprocessing"] == "inside")
        #expect(torch.metadata["output"] == "probabilities")

        let again = #expect(throws: ExportError.self) {
            try ExportFormat.triton.export(try Self.model(), to: root, options: options)
        }
        #expect(again?.code == .exists)
    }

    @Test("build TensorRT's plan in the precision of the ONNX model", arguments: [false, true])
    func precision(isHalf: Bool) throws {
        let folder = try TemporaryFolder()
        var options = Self.options()
        options.isHalf = isHalf
        _ = try ExportFormat.triton.export(
            try Self.model(), to: folder.file("models"), options: options)
        let build = try FileSystem.text(of: folder.file("models/birds_tensorrt/build"))
        let (isTyped, isWeak) = (build.contains("trtexec --stronglyTyped "), build.contains("fp16"))
        #expect(isTyped && !isWeak)
        let hasShapes = build.contains("--maxShapes=input:64x3x64x64")
        #expect(hasShapes)
        let torch = try FileSystem.text(of: folder.file("models/birds_libtorch/config.pbtxt"))
        let takesFloats = torch.contains("TYPE_FP32") && torch.contains("dims: [ 3, 64, 64 ]")
        #expect(takesFloats)
    }

    @Test("leave nothing behind where one of the folders cannot be made")
    func failure() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("models")
        try createFolder(atPath: root + "/birds_tensorrt/1")
        let error = #expect(throws: ExportError.self) {
            try ExportFormat.triton.export(try Self.model(), to: root, options: Self.options())
        }
        #expect(error?.code == .exists)
        let left = try folderContents(atPath: root).map { $0.name }
        #expect(left == ["birds_tensorrt"])
        // An empty folder is as good as none.
        try createFolder(atPath: folder.file("others/birds"))
        let exported = try ExportFormat.triton.export(
            try Self.model(), to: folder.file("others"), options: Self.options())
        #expect(exported.files.count == 9)
    }

    @Test("have plain names", arguments: ["", ".", "a/b", "a b", "\"", "a\nb"])
    func names(name: String) throws {
        let folder = try TemporaryFolder()
        var options = ExportOptions()
        options.modelName = name
        let error = #expect(throws: ExportError.self) {
            try ExportFormat.triton.export(
                try Self.model(), to: folder.file("models"), options: options)
        }
        #expect(error?.code == .invalidOption)
        #expect(try folder.names() == [])
    }
}
