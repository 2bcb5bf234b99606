import Exports
import Images
import Inference
import ModelFormats
import ResNetModel
import Tensors
import TestSupport
import Testing

@Suite("What exports say")
struct ExportedFactsTests {
    private static let architecture = ResNetArchitecture(depth: .resNet18, classCount: 1000)

    private static func model(
        _ metadata: [String: String] = [:], name: String = "weights.pth"
    ) throws -> LoadedModel {
        try LoadedModel(
            architecture: architecture, parameters: architecture.initialParameters(seed: 5),
            metadata: metadata, name: name)
    }

    @Test("is not more than what the file, the publisher or the caller says")
    func statements() throws {
        let silent = try ExportedFacts(try Self.model(), options: ExportOptions())
        #expect(silent.imageSize == 224)
        #expect(silent.classNames.first?.hasPrefix("tench") == true)
        for key in ["resize", "crop", "class_names"] { #expect(silent.metadata[key] == nil) }
        #expect(silent.metadata["padding"] == "symmetric")
        #expect(silent.metadata["source"] == "weights.pth")

        var options = ExportOptions()
        options.published = PublishedFacts(
            name: "resnet50.tv2_in1k", transform: try EvaluationTransform(resize: 232, crop: 224),
            publisher: "torchvision", licence: "BSD-3-Clause", url: "https://example.org/a.pth",
            sha256: nil)
        let named = try ExportedFacts(try Self.model(), options: options)
        #expect(named.metadata["resize"] == "232" && named.metadata["crop"] == "224")
        #expect(named.metadata["weights"] == "resnet50.tv2_in1k")
        #expect(named.metadata["licence"] == "BSD-3-Clause")
        #expect(named.metadata["publisher"] == "torchvision")
        #expect(named.metadata["sha256"] == nil)
        #expect(named.metadata["class_names"]?.hasPrefix("[\"tench") == true)

        // What the file says goes before what is published.
        let stated = try ExportedFacts(
            try Self.model(["resize": "200", "crop": "180"]), options: options)
        #expect(stated.metadata["resize"] == "200" && stated.imageSize == 180)
    }

    @Test(
        "keeps the part of a picture at another size",
        arguments: [(64, 73), (224, 256), (448, 512)])
    func sizes(size: Int, resize: Int) throws {
        var options = ExportOptions()
        options.imageSize = size
        let facts = try ExportedFacts(try Self.model(), options: options)
        #expect(facts.metadata["resize"] == "\(resize)" && facts.metadata["crop"] == "\(size)")
        #expect(facts.imageSize == size)
    }

    @Test("names what is left out")
    func omissions() throws {
        let model = try Self.model([
            "long": String(repeating: "x", count: 70_000), "class_names": "[\"one\"]", "": "x",
        ])
        let facts = try ExportedFacts(model, options: ExportOptions())
        #expect(facts.metadata["long"] == nil && facts.metadata["class_names"] == nil)
        #expect(facts.notes.count == 2)
        #expect(facts.notes.contains { $0.contains("metadata long: 70000 bytes") })
    }

    @Test("keeps the first source through files, and what a program takes to programs")
    func chain() throws {
        let folder = try TemporaryFolder()
        var options = ExportOptions()
        options.includesPreprocessing = true
        options.imageSize = 64
        _ = try ExportFormat.onnx.export(
            try Self.model(), to: folder.file("a.onnx"), options: options)
        let onnx = try LoadedModel(contentsOf: folder.file("a.onnx"))
        #expect(onnx.metadata["preprocessing"] == "inside")
        #expect(onnx.metadata["output"] == "logits")
        #expect(onnx.metadata["source"] == "weights.pth")
        #expect(onnx.metadata["converted_from"] == nil)

        _ = try ExportFormat.safetensors.export(
            onnx, to: folder.file("b.safetensors"), options: ExportOptions())
        let weights = try LoadedModel(contentsOf: folder.file("b.safetensors"))
        #expect(weights.metadata["preprocessing"] == nil && weights.metadata["output"] == nil)
        #expect(weights.metadata["source"] == "weights.pth")
        #expect(weights.metadata["converted_from"] == "a.onnx")
        #expect(weights.metadata["resize"] == "73")

        var probabilities = ExportOptions()
        probabilities.includesSoftmax = true
        _ = try ExportFormat.torchscript.export(
            weights, to: folder.file("c.pt"), options: probabilities)
        let script = try LoadedModel(contentsOf: folder.file("c.pt"))
        #expect(script.metadata["preprocessing"] == "outside")
        #expect(script.metadata["output"] == "probabilities")
        #expect(script.metadata["source"] == "weights.pth")
        #expect(script.metadata["converted_from"] == "b.safetensors")
    }

    @Test("tells where a program is for one size, and where numbers are rounded")
    func notes() throws {
        let folder = try TemporaryFolder()
        let architecture = ResNetArchitecture(
            depth: .resNet18, classCount: 3, padding: .tensorFlow)
        var parameters = architecture.initialParameters(seed: 5)
        parameters["fc.bias"] = try parameters["fc.bias"]?.converted(to: .float64)
        let model = try LoadedModel(architecture: architecture, parameters: parameters)
        let script = try ExportFormat.torchscript.export(
            model, to: folder.file("a.pt"), options: ExportOptions())
        #expect(script.notes.contains { $0.contains("pictures of 224 x 224") })
        #expect(script.notes.contains { $0.hasPrefix("1 tensors of float64") })
        let weights = try ExportFormat.safetensors.export(
            model, to: folder.file("a.safetensors"), options: ExportOptions())
        #expect(weights.notes == [])
    }

    @Test(
        "options that a format has no place for are refused",
        arguments: [
            "safetensors", "pytorch", "torchscript", "onnx", "tf-checkpoint", "saved-model",
        ])
    func misplaced(name: String) throws {
        let folder = try TemporaryFolder()
        let format = try #require(ExportFormat.named(name))
        var named = ExportOptions()
        named.modelName = "x"
        var sized = ExportOptions()
        sized.imageSize = 64
        for options in [named] + (format.holdsProgram ? [] : [sized]) {
            let error = #expect(throws: ExportError.self) {
                try format.export(try Self.model(), to: folder.file("out"), options: options)
            }
            #expect(error?.code == .invalidOption)
        }
        #expect(try folder.names() == [])
    }
}
