import Devices
import Execution
import Images
import Inference
import Native
import ResNetModel
import Synchronization
import Tensors
import Testing

@Suite("Classifier")
struct ClassifierTests {
    @Test("names the classes of a picture, of its file and of its bytes alike")
    func classifies() async throws {
        let classifier = try await TinyModel.classifier()
        let picture = try TinyModel.picture(1, side: 50)
        let bytes = try encodePNG(picture)
        let file = try TemporaryFile(bytes)
        let results = [
            try await classifier.classify(picture), try await classifier.classify(bytes),
            try await classifier.classify(file: file.path),
        ]
        #expect(results[0].top.count == 3)
        #expect(results[0].logits.count == 10)
        #expect(results[0].width == 50 && results[0].height == 50)
        #expect(results[0].picture.width == 32)
        #expect(results[0].milliseconds > 0)
        #expect(results.allSatisfy { $0.logits == results[0].logits })
        let sum = softmax(results[0].logits).reduce(0, +)
        #expect(abs(sum - 1) < 1e-9)
        #expect(results[0].top[0].label == "class \(results[0].top[0].index)")
    }

    @Test("gives a batch the results of its pictures, in their order")
    func classifiesBatches() async throws {
        let classifier = try await TinyModel.classifier()
        let pictures = try (1...4).map { try TinyModel.picture($0) }
        let results = try await classifier.classify(pictures)
        #expect(results.count == 4)
        for (picture, result) in zip(pictures, results) {
            let alone = try await classifier.classify(picture)
            for (first, second) in zip(alone.logits, result.logits) {
                // Sums may be ordered otherwise in another batch size.
                #expect(abs(first - second) <= 1e-4 * max(1, abs(first)))
            }
        }
    }

    @Test("goes on after inputs that cannot be read, and keeps the order")
    func goesOn() async throws {
        let classifier = try await TinyModel.classifier()
        let good = ClassifierInput.image(try TinyModel.picture(1))
        let png = try encodePNG(try TinyModel.picture(1))
        let inputs: [ClassifierInput] = [
            .bytes(Memory(copying: [1, 2, 3] as [UInt8])), good, .file("/nowhere/at/all.jpg"),
            .deferred { throw NativeError(.notFound, "fetched nothing") }, .deferred { png }, good,
            .bytes(Memory(copying: [] as [UInt8])),
        ]
        var kinds: [String] = []
        var logits: [[Float]] = []
        for try await outcome in classifier.classify(each: inputs) {
            #expect(outcome.index == kinds.count)
            switch outcome.result {
            case .success(let result):
                kinds.append("ok")
                logits.append(result.logits)
            case .failure(let error as ImageError): kinds.append("image \(error.code)")
            case .failure(let error): kinds.append("\(error)")
            }
        }
        #expect(
            kinds == [
                "image unrecognizedFormat", "ok", "image notFound", "fetched nothing", "ok", "ok",
                "image unrecognizedFormat",
            ])
        #expect(logits.allSatisfy { $0 == logits[0] })
    }

    @Test("gives nothing for no inputs")
    func isEmpty() async throws {
        let classifier = try await TinyModel.classifier()
        #expect(try await classifier.classify([Image]()).isEmpty)
    }

    @Test("explains a logit: the map's mean and the bias are the class's score")
    func mapsActivations() async throws {
        let classifier = try await TinyModel.classifier { options in
            options.transform = (try? EvaluationTransform(resize: 64, crop: 64)) ?? .standard
        }
        let picture = try TinyModel.picture(3, side: 64)
        let result = try await classifier.classify(picture)
        let bias = try #require(TinyModel.parameters["fc.bias"]).floats()
        for index in [0, 9] {
            let map = try await classifier.classActivationMap(of: .image(picture), class: index)
            #expect(map.classIndex == index && map.width == 2 && map.height == 2)
            let mean = map.values.reduce(0, +) / 4
            #expect(abs(mean + bias[index] - result.logits[index]) < 1e-3)
        }
        let likeliest = try await classifier.classActivationMap(of: .image(picture))
        #expect(likeliest.classIndex == result.top[0].index)
        for try await outcome in classifier.classify(
            each: [.image(picture)], withActivationMaps: true)
        {
            let map = try #require(try outcome.result.get().activationMap)
            #expect(map.classIndex == likeliest.classIndex)
            for (first, second) in zip(map.values, likeliest.values) {
                #expect(abs(first - second) <= 1e-4 * max(1, abs(first)))
            }
        }
    }

    @Test("gives the numbers that the classes are named from")
    func givesFeatures() async throws {
        let classifier = try await TinyModel.classifier()
        let picture = try TinyModel.picture(5)
        let features = try await classifier.features(of: .image(picture))
        #expect(features.count == 512)
        let weight = try #require(TinyModel.parameters["fc.weight"]).floats()
        let bias = try #require(TinyModel.parameters["fc.bias"]).floats()
        let logits = try await classifier.classify(picture).logits
        for index in 0..<10 {
            var sum = bias[index]
            for place in 0..<512 { sum += weight[index * 512 + place] * features[place] }
            #expect(abs(sum - logits[index]) < 1e-3 * max(1, abs(sum)))
        }
    }

    @Test("refuses a map of a class that there is not")
    func refusesClass() async throws {
        let classifier = try await TinyModel.classifier()
        let picture = try TinyModel.picture(1)
        for index in [-1, 10] {
            let error = await #expect(throws: InferenceError.self) {
                try await classifier.classActivationMap(of: .image(picture), class: index)
            }
            #expect(error?.code == .invalidOption)
        }
    }

    @Test("ends between batches when its task is cancelled")
    func cancels() async throws {
        let classifier = try await TinyModel.classifier { $0.batchSize = 1 }
        let picture = try TinyModel.picture(1)
        let inputs = [ClassifierInput](repeating: .image(picture), count: 10_000)
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let task = Task {
            for try await _ in classifier.classify(each: inputs) { begin.yield() }
        }
        for await _ in begun { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("can be used by many tasks at once")
    func isShared() async throws {
        let classifier = try await TinyModel.classifier()
        let picture = try TinyModel.picture(1)
        let wanted = try await classifier.classify(picture).logits
        try await withThrowingTaskGroup(of: [Float].self) { group in
            for _ in 0..<6 {
                group.addTask { try await classifier.classify(picture).logits }
            }
            for try await logits in group { #expect(logits == wanted) }
        }
    }

    @Test("uses class names that are given, or that the model brings")
    func namesClasses() async throws {
        let letters = (0..<10).map { "letter \($0)" }
        let given = try await TinyModel.classifier { $0.classNames = ClassNames(letters) }
        #expect(given.classNames.names == letters)
        let text = "[" + letters.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        let model = try LoadedModel(
            architecture: TinyModel.architecture, parameters: TinyModel.parameters,
            metadata: ["class_names": text])
        let brought = try await Classifier(model: model, options: TinyModel.options)
        #expect(brought.classNames.names == letters)
    }
}

@Suite("Classifier refuses")
struct ClassifierErrorTests {
    private func code(
        _ change: @escaping (inout Classifier.Options) -> Void
    ) async -> InferenceError.Code? {
        let error = await #expect(throws: InferenceError.self) {
            try await TinyModel.classifier(change)
        }
        return error?.code
    }

    @Test("options out of their range")
    func refusesOptions() async {
        #expect(await code { $0.batchSize = 0 } == .invalidOption)
        #expect(await code { $0.threads = -1 } == .invalidOption)
        #expect(await code { $0.topCount = 100_000 } == .invalidOption)
        #expect(await code { $0.decoderCount = 0 } == .invalidOption)
    }

    @Test("class names that are not as many as the classes")
    func refusesNames() async {
        #expect(await code { $0.classNames = .imageNet } == .classNameCount)
    }

    @Test("weights that lack a tensor, naming it")
    func refusesIncomplete() {
        var parameters = TinyModel.parameters
        parameters["layer3.0.conv2.weight"] = nil
        let error = #expect(throws: InferenceError.self) {
            try LoadedModel(architecture: TinyModel.architecture, parameters: parameters)
        }
        #expect(error?.code == .missingParameters)
        #expect(error?.message.contains("layer3.0.conv2.weight") == true)
    }

    @Test("results that are not finite")
    func refusesNonFinite() async throws {
        var parameters = TinyModel.parameters
        parameters["fc.bias"] = HostTensor([Float](repeating: .nan, count: 10), shape: [10])
        let model = try LoadedModel(architecture: TinyModel.architecture, parameters: parameters)
        let classifier = try await Classifier(model: model, options: TinyModel.options)
        let picture = try TinyModel.picture(1)
        let error = await #expect(throws: InferenceError.self) {
            try await classifier.classify(picture)
        }
        #expect(error?.code == .nonFinite)
    }
}
