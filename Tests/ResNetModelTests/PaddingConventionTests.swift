import Graph
import ResNetModel
import Tensors
import Testing

@Suite("Padding and normalisation of a network")
struct PaddingConventionTests {
    private func paddings(
        _ padding: PaddingConvention, imageSize: Int
    ) throws -> (stem: Padding?, pool: Padding?, strided: Padding?, plain: Padding?) {
        let graph = try ResNetArchitecture(padding: padding)
            .inferenceGraph(batch: 1, imageSize: imageSize)
        func found(_ label: String) -> Padding? {
            switch graph.nodes.first(where: { $0.label == label })?.operation {
            case .convolution(let convolution): convolution.padding
            case .maxPool(let window): window.padding
            default: nil
            }
        }
        return (
            found("conv1"), found("maxpool"), found("layer2.0.conv2"), found("layer1.0.conv2")
        )
    }

    @Test("is half the window on every side, as PyTorch has it")
    func symmetric() throws {
        let found = try paddings(.symmetric, imageSize: 224)
        #expect(found.stem == Padding(3))
        #expect(found.pool == Padding(1))
        #expect(found.strided == Padding(1))
        #expect(found.plain == Padding(1))
    }

    @Test("is as little as possible and more at the end, as TensorFlow has it")
    func tensorFlow() throws {
        let found = try paddings(.tensorFlow, imageSize: 224)
        #expect(found.stem == Padding(top: 2, left: 2, bottom: 3, right: 3))
        #expect(found.pool == Padding(top: 0, left: 0, bottom: 1, right: 1))
        #expect(found.strided == Padding(top: 0, left: 0, bottom: 1, right: 1))
        #expect(found.plain == Padding(1))
        let pooling = try paddings(.tensorFlowPooling, imageSize: 224)
        #expect(pooling.stem == Padding(3))
        #expect(pooling.pool == Padding(top: 0, left: 0, bottom: 1, right: 1))
        #expect(pooling.strided == Padding(1))
        // 225 pixels give 113, then 57: both windows fit as PyTorch's do.
        let odd = try paddings(.tensorFlow, imageSize: 225)
        #expect(odd.stem == Padding(3))
        #expect(odd.pool == Padding(1))
        #expect(odd.strided == Padding(1))
    }

    @Test("is found again in what the network says of itself")
    func recognised() throws {
        let mean = [123.68, 116.28, 103.53].map { $0 / 255 }
        let deviation = [58.395, 57.12, 57.385].map { $0 / 255 }
        let made = ImageNormalization(mean: mean, deviation: deviation)
        let numbers = try #require(made)
        let architecture = ResNetArchitecture(
            depth: .resNet18, classCount: 5, padding: .tensorFlow, normalization: numbers)
        let shapes = Dictionary(
            uniqueKeysWithValues: architecture.parameterList.map { ($0.name, $0.shape) })
        let found = try ResNetArchitecture.recognise(
            shapes: shapes, metadata: architecture.metadata)
        #expect(found == architecture)
        let graph = try found.inferenceGraph(batch: 1, imageSize: 32)
        let normalization = graph.nodes.first { $0.operands.count == 1 }?.operation
        #expect(
            normalization
                == .normalizeImage(
                    mean: numbers.mean, deviation: numbers.deviation, elementType: .float32))
        let error = #expect(throws: ModelError.self) {
            try ResNetArchitecture.recognise(shapes: shapes, metadata: ["padding": "valid"])
        }
        #expect(error?.code == .invalidOption)
    }

    @Test("of pixels: lists with or without brackets, the usual where there is none")
    func normalization() {
        let usual = ImageNormalization.imageNet
        #expect(ImageNormalization(metadata: [:]) == usual)
        #expect(ImageNormalization(metadata: usual.metadata) == usual)
        let half = ImageNormalization(metadata: ["mean": "[0.5, 0.5, 0.5]", "std": "1,1,1"])
        #expect(half.mean == [0.5, 0.5, 0.5])
        #expect(half.deviation == [1, 1, 1])
        for text in ["", "1,2", "a,b,c", "0,1,1", "nan,1,1", "1,1,1,1"] {
            #expect(ImageNormalization(metadata: ["std": text]) == usual)
        }
    }

    @Test("of pixels from 0 to 255 makes no sense; what else is said stands")
    func otherRange() {
        let said = ["mean": "123.675,116.28,103.53", "std": "58.395,57.12,57.375"]
        #expect(ImageNormalization(metadata: said) == .imageNet)
        #expect(ImageNormalization.unreadableKeys(said) == ["mean", "std"])
        #expect(ImageNormalization(mean: [2.1, 0, 0], deviation: [1, 1, 1]) == nil)
        #expect(ImageNormalization(mean: [0, 0, 0], deviation: [1, 1, 2.1]) == nil)
        let mixed = ["mean": "0.5,0.5,0.5", "std": "58.395,57.12,57.375"]
        let found = ImageNormalization(metadata: mixed)
        #expect(found.mean == [0.5, 0.5, 0.5])
        #expect(found.deviation == ImageNormalization.imageNet.deviation)
        #expect(ImageNormalization.unreadableKeys(mixed) == ["std"])
        // Pixels less their mean, undivided.
        let keras = ImageNormalization(
            mean: [123.68, 116.779, 103.939].map { $0 / 255 },
            deviation: [1.0 / 255, 1.0 / 255, 1.0 / 255])
        #expect(keras != nil)
    }
}
