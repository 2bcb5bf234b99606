import Images
import Inference
import ModelFormats
import Native
import ResNetModel
import Testing

@Suite("What weight files say of their use")
struct ModelDescriptionTests {
    @Test("survives being written and read")
    func roundTrip() throws {
        let said = ModelDescription(
            classNames: ["a \"b\"", "ü, é"],
            transform: try EvaluationTransform(resize: 146, crop: 128), temperature: 1.375)
        let read = ModelDescription(metadata: said.metadata)
        #expect(read == said)
        #expect(read.warnings == [])
    }

    @Test("says nothing where there is nothing")
    func empty() {
        let said = ModelDescription(metadata: ["arch": "resnet50"])
        #expect(said == ModelDescription())
        #expect(said.metadata == [:])
    }

    @Test(
        "leaves out what makes no sense, with a warning",
        arguments: [
            ["temperature": "hot"], ["temperature": "0"], ["temperature": "nan"],
            ["temperature": "-1"], ["temperature": "1e9"], ["resize": "256", "crop": "x"],
            ["resize": "-1", "crop": "224"], ["class_names": "cat"], ["class_names": "{\"1\": 2}"],
            ["mean": "0.5,0.5"], ["std": "[0, 1, 1]"], ["mean": ""],
        ])
    func nonsense(metadata: [String: String]) {
        let said = ModelDescription(metadata: metadata)
        #expect(said.warnings.count == 1)
        #expect(said.temperature == nil)
        #expect(said.transform == nil)
        #expect(said.classNames == nil)
    }

    @Test("is told from what is assumed")
    func assumptions() throws {
        func assumed(_ depth: Depth, _ metadata: [String: String]) throws -> [String] {
            let architecture = ResNetArchitecture(depth: depth, classCount: 2)
            return try LoadedModel(
                architecture: architecture, parameters: architecture.initialParameters(seed: 1),
                metadata: metadata
            ).assumedKeys
        }
        let all = ["resize", "crop", "mean", "std", "padding", "class_names"]
        #expect(try assumed(.resNet18, [:]) == all)
        #expect(try assumed(.resNet50, [:]) == ["variant"] + all)
        #expect(try assumed(.resNet50, ["arch": "resnet50"]) == ["variant"] + all)
        #expect(try assumed(.resNet50, ["arch": "resnet50_v1"]) == all)
        #expect(
            try assumed(
                .resNet50,
                [
                    "variant": "v1.5", "resize": "256", "crop": "224", "mean": "0,0,0",
                    "std": "1,1,1", "padding": "symmetric", "class_names": "[\"a\", \"b\"]",
                ]) == [])
        #expect(try assumed(.resNet18, ["class_names": "[\"a\"]"]) == all)
    }

    @Test("is kept to by a classifier: size, names and temperature")
    func classifier() async throws {
        let names = (0..<10).map { "name \($0)" }
        let said = ModelDescription(
            classNames: names, transform: try EvaluationTransform(resize: 40, crop: 32),
            temperature: 4)
        let warm = try LoadedModel(
            architecture: TinyModel.architecture, parameters: TinyModel.parameters,
            metadata: said.metadata)
        var options = try TinyModel.options
        options.transform = nil
        let classifier = try await Classifier(model: warm, options: options)
        let transform = classifier.transform
        #expect(transform == said.transform)
        #expect(classifier.temperature == 4)
        let picture = try TinyModel.picture(3, side: 64)
        let answer = try await classifier.classify(picture)
        #expect(answer.picture.width == 32)
        #expect(answer.top[0].label == names[answer.top[0].index])

        options.transform = said.transform
        let plain = try await Classifier(
            model: LoadedModel(
                architecture: TinyModel.architecture, parameters: TinyModel.parameters),
            options: options)
        let cold = try await plain.classify(picture)
        #expect(cold.logits == answer.logits)
        let expected = softmax(cold.logits.map { $0 / 4 })[cold.top[0].index]
        #expect(abs(answer.top[0].probability - expected) < 1e-9)
        #expect(answer.top[0].probability < cold.top[0].probability)
    }
}
