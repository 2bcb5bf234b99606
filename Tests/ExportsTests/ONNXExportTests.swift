import Exports
import Images
import Inference
import ModelFormats
import Native
import ResNetModel
import Tensors
import TestSupport
import Testing

@Suite("ONNX exports")
struct ONNXExportTests {
    /// A way to write a network.
    struct Form: CustomTestStringConvertible {
        var depth: Depth
        var variant: Variant
        var isFolded = false
        var isHalf = false
        var takesPixels = false
        var givesProbabilities = false
        /// Padding as TensorFlow's, and pixels less their mean alone.
        var isTensorFlow = false

        var testDescription: String {
            "\(depth) \(variant)\(isFolded ? " folded" : "")\(isHalf ? " half" : "")"
                + "\(takesPixels ? " pixels" : "")\(givesProbabilities ? " probabilities" : "")"
                + (isTensorFlow ? " as TensorFlow" : "")
        }
    }

    private static let centring = ImageNormalization(
        mean: [123.68, 116.779, 103.939].map { $0 / 255 },
        deviation: [Double](repeating: 1.0 / 255, count: 3))

    static let forms = [
        Form(depth: .resNet18, variant: .v1_5),
        Form(depth: .resNet18, variant: .v1_5, isFolded: true, takesPixels: true),
        Form(depth: .resNet18, variant: .v1_5, isHalf: true, givesProbabilities: true),
        Form(
            depth: .resNet34, variant: .v1_5, isFolded: true, isHalf: true, takesPixels: true,
            givesProbabilities: true),
        Form(depth: .resNet50, variant: .v1),
        Form(depth: .resNet50, variant: .v1_5, isFolded: true),
        Form(depth: .resNet18, variant: .v1_5, takesPixels: true, isTensorFlow: true),
    ]

    @Test("are read back as the network that they were made of", arguments: forms)
    func roundTrip(form: Form) throws {
        let folder = try TemporaryFolder()
        let architecture = ResNetArchitecture(
            depth: form.depth, variant: form.variant, classCount: 10,
            padding: form.isTensorFlow ? .tensorFlow : .symmetric,
            normalization: form.isTensorFlow ? try #require(Self.centring) : .imageNet)
        let model = try LoadedModel(
            architecture: architecture, parameters: architecture.initialParameters(seed: 5),
            metadata: ["title": "a test"], name: "somewhere/weights.pth")
        var options = ExportOptions()
        options.foldsBatchNormalization = form.isFolded
        options.isHalf = form.isHalf
        options.includesPreprocessing = form.takesPixels
        options.includesSoftmax = form.givesProbabilities
        options.imageSize = 64
        let path = folder.file("model.onnx")
        let exported = try ExportFormat.onnx.export(model, to: path, options: options)
        #expect(exported.files == [path])

        let copy = try LoadedModel(contentsOf: path)
        #expect(copy.architecture == architecture)
        #expect(copy.container == .onnx)
        #expect(copy.warnings == [])
        #expect(copy.metadata["title"] == "a test")
        #expect(copy.metadata["source"] == "weights.pth")
        #expect(copy.metadata["preprocessing"] == (form.takesPixels ? "inside" : "outside"))
        #expect(
            copy.metadata["output"] == (form.givesProbabilities ? "probabilities" : "logits"))
        // The same part of a picture as 224 of 256.
        #expect(copy.stated.transform == (try EvaluationTransform(resize: 73, crop: 64)))
        for parameter in architecture.parameterList {
            let original = try #require(model.parameters[parameter.name])
            let read = try #require(copy.parameters[parameter.name])
            #expect(read.shape == parameter.shape)
            if !form.isFolded {
                let expected = form.isHalf ? try original.converted(to: .float16) : original
                let isSame = read.memory.array == expected.memory.array
                #expect(isSame, "\(parameter.name)")
            }
        }
    }

    @Test("that were folded fold to the same bits again")
    func foldTwice() throws {
        let folder = try TemporaryFolder()
        let architecture = ResNetArchitecture(depth: .resNet18, classCount: 10)
        var parameters = architecture.initialParameters(seed: 9)
        // Statistics that are not those of a new network, so that folding changes filters.
        for parameter in architecture.parameterList {
            var random = RandomGenerator(seed: 4, stream: UInt64(parameter.name.utf8.count))
            let count = parameter.shape.elementCount
            switch parameter.role {
            case .scale, .runningVariance:
                parameters[parameter.name] = HostTensor(
                    (0..<count).map { _ in 0.5 + Float(random.next() & 0xFFFF) / 65536 },
                    shape: parameter.shape)
            case .shift, .runningMean:
                parameters[parameter.name] = HostTensor(
                    (0..<count).map { _ in Float(random.next() & 0xFFFF) / 65536 - 0.5 },
                    shape: parameter.shape)
            default: break
            }
        }
        let model = try LoadedModel(architecture: architecture, parameters: parameters)
        var options = ExportOptions()
        options.foldsBatchNormalization = true
        options.imageSize = 64
        _ = try ExportFormat.onnx.export(model, to: folder.file("once.onnx"), options: options)
        let once = try LoadedModel(contentsOf: folder.file("once.onnx"))
        _ = try ExportFormat.onnx.export(once, to: folder.file("twice.onnx"), options: options)
        let twice = try LoadedModel(contentsOf: folder.file("twice.onnx"))
        for parameter in architecture.parameterList {
            let first = try #require(once.parameters[parameter.name]).memory.array
            let second = try #require(twice.parameters[parameter.name]).memory.array
            let isSame = first == second
            #expect(isSame, "\(parameter.name)")
        }
        let verification = try ExportVerification(
            of: model, at: folder.file("once.onnx"), imageSize: 64, pictureCount: 2)
        // Folding rounds each filter's number once; the same happens when the original is made ready to run.
        #expect(verification.largestDifference <= 1e-5 * max(1, verification.largestLogit))
        #expect(verification.sameTopCount == 2)
        #expect(verification.tensorCount == architecture.parameterList.count)
    }

    @Test("refuse options that the format has no place for, and numbers beyond half precision")
    func refusals() throws {
        let folder = try TemporaryFolder()
        let architecture = ResNetArchitecture(depth: .resNet18, classCount: 10)
        var parameters = architecture.initialParameters(seed: 5)
        parameters["fc.bias"] = HostTensor(
            [70000] + [Float](repeating: 0, count: 9), shape: [10])
        let model = try LoadedModel(architecture: architecture, parameters: parameters)
        var options = ExportOptions()
        options.includesTensorRT = true
        let misplaced = #expect(throws: ExportError.self) {
            try ExportFormat.onnx.export(model, to: folder.file("a.onnx"), options: options)
        }
        #expect(misplaced?.code == .invalidOption)
        var half = ExportOptions()
        half.isHalf = true
        let tooLarge = #expect(throws: ExportError.self) {
            try ExportFormat.onnx.export(model, to: folder.file("a.onnx"), options: half)
        }
        #expect(tooLarge?.code == .notRepresentable)
        #expect(try folder.names() == [])
        let nowhere = #expect(throws: ModelFormatError.self) {
            try ExportFormat.onnx.export(
                model, to: folder.file("none/a.onnx"), options: ExportOptions())
        }
        #expect(nowhere?.code == .notFound)
    }
}
