import Inference
import ModelFormats
import Native
import ResNetModel
import Tensors
import Testing

@Suite("Loaded model")
struct LoadedModelTests {
    private func file(
        without left: Set<String> = [], adding: [NamedTensor] = [],
        metadata: [String: String] = [:], prefix: String = ""
    ) throws -> TemporaryFile {
        var tensors: [NamedTensor] = []
        for parameter in TinyModel.architecture.parameterList where !left.contains(parameter.name) {
            let tensor = try #require(TinyModel.parameters[parameter.name])
            tensors.append(NamedTensor(name: prefix + parameter.name, tensor: tensor))
        }
        let file = try TemporaryFile(Memory(copying: [] as [UInt8]), suffix: ".safetensors")
        try Safetensors.write(tensors: tensors + adding, metadata: metadata, to: file.path)
        return file
    }

    @Test("recognises the network in a file and brings what the file says")
    func loads() throws {
        let file = try file(metadata: ["class_names": "[\"a\"]", "arch": "resnet18"])
        let model = try LoadedModel(contentsOf: file.path)
        #expect(model.architecture.depth == .resNet18 && model.architecture.classCount == 10)
        #expect(model.container == .safetensors)
        #expect(model.metadata["class_names"] == "[\"a\"]")
        #expect(model.report?.isExact == true)
        #expect(model.warnings.isEmpty)
        #expect(
            model.parameters["fc.bias"]?.floats() == TinyModel.parameters["fc.bias"]?.floats())
    }

    @Test("takes names with a prefix of data-parallel training")
    func loadsPrefixed() throws {
        let file = try file(prefix: "module.")
        #expect(try LoadedModel(contentsOf: file.path).report?.isExact == true)
    }

    @Test("refuses a file that lacks a tensor, and names it")
    func refusesIncomplete() throws {
        let file = try file(without: ["bn1.running_mean"])
        let error = #expect(throws: InferenceError.self) { try LoadedModel(contentsOf: file.path) }
        #expect(error?.code == .missingParameters)
        #expect(error?.message.contains("bn1.running_mean") == true)
    }

    @Test("warns of tensors without a place, but not of counters of batches")
    func warns() throws {
        let extra = [
            NamedTensor(name: "head.weight", tensor: HostTensor([1] as [Float], shape: [1])),
            NamedTensor(name: "bn1.num_batches_tracked", tensor: HostTensor([1] as [Float], shape: [1])),
        ]
        let file = try file(adding: extra)
        let model = try LoadedModel(contentsOf: file.path)
        #expect(model.unusedNames == ["head.weight"])
        #expect(model.warnings.count == 1)
        #expect(model.warnings.first?.contains("head.weight") == true)
    }

    @Test("is of the variant that is asked for, whatever the file says")
    func overridesVariant() throws {
        let file = try file(metadata: ["variant": "v7"])
        #expect(throws: ModelError.self) { try LoadedModel(contentsOf: file.path) }
        #expect(
            try LoadedModel(contentsOf: file.path, variant: .v1).architecture.variant == .v1)
    }
}

@Suite("Measurement")
struct MeasurementTests {
    @Test("gives the median and the best of the chunks, and percentiles of the runs")
    func summarises() {
        // A hundred runs of 10 ms, then a hundred of 20 ms: three seconds, chunks of 150 ms.
        let runs =
            [Duration](repeating: .milliseconds(10), count: 100)
            + [Duration](repeating: .milliseconds(20), count: 100)
        let measurement = InferenceMeasurement(batchSize: 4, runs: runs)
        #expect(abs(measurement.bestRate - 400) < 1e-6)
        #expect(abs(measurement.medianRate - 200) < 1e-6)
        #expect(measurement.latencyMilliseconds(share: 0.5) == 10)
        #expect(measurement.latencyMilliseconds(share: 0.99) == 20)
        #expect(measurement.chunkRates.count == 19)
    }

    @Test("of no runs is nothing")
    func isEmpty() {
        let measurement = InferenceMeasurement(batchSize: 1, runs: [])
        #expect(measurement.bestRate == 0 && measurement.latencyMilliseconds(share: 0.5) == 0)
    }

    @Test("runs at least five times, whatever the time")
    func measures() async throws {
        let classifier = try await TinyModel.classifier()
        let measurement = try await classifier.measure(batchSize: 1, for: .milliseconds(1))
        #expect(measurement.runs.count >= 5)
        #expect(measurement.runs.allSatisfy { $0 > .zero })
    }
}
