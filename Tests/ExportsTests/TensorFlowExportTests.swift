import Exports
import Inference
import ModelFormats
import Native
import ResNetModel
import Tensors
import TestSupport
import Testing

@Suite("Exports to TensorFlow")
struct TensorFlowExportTests {
    private static let architectures = [
        ResNetArchitecture(depth: .resNet18, classCount: 7),
        ResNetArchitecture(
            depth: .resNet50, variant: .v1, classCount: 3, padding: .tensorFlow,
            normalization: ImageNormalization(mean: [0.1, 0.2, 0.3], deviation: [1, 0.5, 0.25])
                ?? .imageNet),
    ]

    private func model(_ architecture: ResNetArchitecture) throws -> LoadedModel {
        try LoadedModel(
            architecture: architecture, parameters: architecture.initialParameters(seed: 5),
            metadata: ["class_names": "[\"a\",\"ü \\\"b\\\"\",\"c\"]", "temperature": "1.5"])
    }

    private func export(
        _ model: LoadedModel, _ name: String, to path: String
    ) throws -> ExportedModel {
        let format = try #require(ExportFormat.named(name))
        var options = ExportOptions()
        options.imageSize = name == "saved-model" ? 64 : nil
        return try format.export(model, to: path, options: options)
    }

    private func expectSame(_ found: LoadedModel, _ model: LoadedModel) {
        #expect(found.architecture == model.architecture)
        for parameter in model.architecture.parameterList {
            let expected = model.parameters[parameter.name]?.elements(UInt32.self)
            let read = found.parameters[parameter.name]?.elements(UInt32.self)
            #expect(read == expected, "\(parameter.name)")
        }
        // Names of another number of classes are left out.
        let names = model.stated.classNames
        let isWhole = names?.count == model.architecture.classCount
        #expect(found.stated.classNames == (isWhole ? names : nil))
        #expect(found.metadata["temperature"] == model.metadata["temperature"])
        #expect(found.unusedNames == [])
    }

    @Test("checkpoints come back bit for bit, by whichever path", arguments: architectures.indices)
    func checkpoint(index: Int) throws {
        let folder = try TemporaryFolder()
        let model = try model(Self.architectures[index])
        let prefix = folder.file("model.ckpt-0")
        let exported = try export(model, "tf-checkpoint", to: prefix)
        #expect(exported.files.count == 2)
        #expect(exported.notes.isEmpty == (model.architecture.padding == .tensorFlow))
        for path in [
            prefix, prefix + ".index", prefix + ".data-00000-of-00001", folder.path,
        ] {
            let found = try LoadedModel(contentsOf: path)
            #expect(found.container == .tensorFlowCheckpoint)
            if path == prefix {
                expectSame(found, model)
            } else {
                #expect(found.architecture == model.architecture)
            }
        }
    }

    @Test("SavedModels come back bit for bit", arguments: architectures.indices)
    func savedModel(index: Int) throws {
        let folder = try TemporaryFolder()
        let model = try model(Self.architectures[index])
        let path = folder.file("saved")
        try createFolder(atPath: path)
        _ = try export(model, "saved-model", to: path)
        #expect(try folder.names() == ["saved"])
        let found = try LoadedModel(contentsOf: path)
        #expect(found.container == .savedModel)
        expectSame(found, model)
        let byFile = try LoadedModel(contentsOf: path + "/saved_model.pb")
        #expect(byFile.architecture == model.architecture)
        let labels = try FileSystem.text(of: path + "/assets.extra/labels.txt")
        #expect(labels.hasPrefix(index == 0 ? "class 0\nclass 1\n" : "a\nü \"b\"\nc\n"))
    }

    @Test("the graph of a SavedModel alone tells padding and variant")
    func graphFacts() throws {
        for architecture in [
            ResNetArchitecture(depth: .resNet50, variant: .v1_5, classCount: 2),
            ResNetArchitecture(depth: .resNet50, variant: .v1, classCount: 2),
            ResNetArchitecture(
                depth: .resNet50, variant: .v1_5, classCount: 2, padding: .tensorFlow),
            ResNetArchitecture(depth: .resNet50, variant: .v1, classCount: 2, padding: .tensorFlow),
        ] {
            let folder = try TemporaryFolder()
            _ = try export(try model(architecture), "saved-model", to: folder.file("saved"))
            #expect(try folder.names() == ["saved"])
            let bytes = try Memory(mapping: folder.file("saved/saved_model.pb"))
            let facts = try SavedModelGraph(bytes, name: "saved").facts
            #expect(facts["variant"] == architecture.variant.rawValue)
            #expect(facts["padding"] == architecture.padding.rawValue)
        }
    }

    @Test("a folder that holds something is not written into")
    func occupied() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write([1], to: "something")
        let model = try model(Self.architectures[0])
        let error = #expect(throws: ExportError.self) {
            try export(model, "saved-model", to: folder.path)
        }
        #expect(error?.code == .exists)
        let asFile = #expect(throws: ExportError.self) {
            try export(model, "saved-model", to: folder.file("something"))
        }
        #expect(asFile?.code == .exists)
        #expect(try folder.names() == ["something"])
        let missing = #expect(throws: ModelFormatError.self) {
            try export(model, "tf-checkpoint", to: folder.file("no/such/model"))
        }
        #expect(missing?.code == .cannotWrite)
    }

    @Test("options that have no place are refused")
    func options() throws {
        let folder = try TemporaryFolder()
        var options = ExportOptions()
        options.isHalf = true
        let format = try #require(ExportFormat.named("tf-checkpoint"))
        let model = try model(Self.architectures[0])
        let error = #expect(throws: ExportError.self) {
            try format.export(model, to: folder.file("x"), options: options)
        }
        #expect(error?.code == .invalidOption)
    }
}
