import Exports
import Inference
import ModelFormats
import Native
import ResNetModel
import Tensors
import TestSupport
import Testing

@Suite("PyTorch exports")
struct PyTorchExportTests {
    @Test(
        "are read back bit for bit, with what the model says of itself",
        arguments: ["safetensors", "pytorch", "torchscript"], [false, true])
    func roundTrip(name: String, isHalf: Bool) throws {
        let folder = try TemporaryFolder()
        let architecture = ResNetArchitecture(depth: .resNet18, classCount: 3)
        let model = try LoadedModel(
            architecture: architecture, parameters: architecture.initialParameters(seed: 8),
            metadata: ["class_names": "[\"a\", \"b\", \"c\"]", "temperature": "1.5"])
        var options = ExportOptions()
        options.isHalf = isHalf
        options.programVersion = "1.2.3"
        let path = folder.file("model")
        let format = try #require(ExportFormat.named(name))
        let exported = try format.export(model, to: path, options: options)
        #expect(exported.readablePath == path)
        let copy = try LoadedModel(contentsOf: path)
        #expect(copy.architecture == architecture)
        #expect(copy.warnings == [])
        #expect(copy.stated.classNames == ["a", "b", "c"])
        #expect(copy.stated.temperature == 1.5)
        #expect(copy.metadata["exporter"] == "swift-resnet 1.2.3")
        for parameter in architecture.parameterList {
            let original = try #require(model.parameters[parameter.name])
            let expected = isHalf ? try original.converted(to: .float16) : original
            let found = try #require(copy.parameters[parameter.name])
            #expect(found.elementType == expected.elementType)
            let isSame = found.memory.array == expected.memory.array
            #expect(isSame, "\(parameter.name)")
        }
    }

    @Test("of bottlenecks keep the variant", arguments: ["pytorch", "torchscript"])
    func variant(name: String) throws {
        let folder = try TemporaryFolder()
        let architecture = ResNetArchitecture(depth: .resNet50, variant: .v1, classCount: 2)
        let model = try LoadedModel(
            architecture: architecture, parameters: architecture.initialParameters(seed: 8))
        let format = try #require(ExportFormat.named(name))
        _ = try format.export(model, to: folder.file("model"), options: ExportOptions())
        #expect(try LoadedModel(contentsOf: folder.file("model")).architecture == architecture)
    }
}
