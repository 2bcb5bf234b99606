import Graph
import ResNetModel
import Tensors
import Testing

@Suite("Graph of the forward pass in training")
struct TrainingGraphTests {
    @Test("has the parameters as state, running statistics with updates")
    func batchStatistics() throws {
        let model = ResNetArchitecture(classCount: 10)
        let graph = try model.trainingGraph(batch: 2, imageSize: 64)
        try graph.verify()
        #expect(Set(graph.states.map(\.name)) == Set(model.parameterList.map(\.name)))
        #expect(graph.parameters.isEmpty)
        let statistics = model.parameterList.filter { !$0.isTrained }.map(\.name)
        #expect(Set(graph.updates.map(\.name)) == Set(statistics))
        #expect(graph.outputs.map(\.name) == ["logits"])
        #expect(graph.nodes.count { $0.operation == .batchMoments } == 53)
        #expect(graph.nodes.contains { $0.operation == .normalizeBatch(epsilon: 1e-5) })
    }

    @Test("unbiases running variances by the number of values a channel, or leaves them biased")
    func variances() throws {
        let model = ResNetArchitecture(depth: .resNet18, classCount: 4)
        let graph = try model.trainingGraph(batch: 2, imageSize: 64)
        // Two images of 2x2 pixels in the last stage: 8 / 7.
        #expect(graph.nodes.contains { $0.operation == .constant(8.0 / 7, .float32) })
        let biased = try model.trainingGraph(batch: 2, imageSize: 64, normalization: .keras)
        #expect(biased.nodes.count { $0.operation == .multiply } == 0)
        #expect(biased.nodes.contains { $0.operation == .constant(0.01, .float32) })
        #expect(biased.nodes.contains { $0.operation == .normalizeBatch(epsilon: 1.001e-5) })
        #expect(
            try model.trainingGraph(batch: 2, normalization: .nvidiaTensorFlow)
                == model.trainingGraph(batch: 2))
    }

    @Test("frozen is the graph of inference, on states")
    func frozen() throws {
        let model = ResNetArchitecture(depth: .resNet18, classCount: 4)
        let frozen = try model.trainingGraph(
            batch: 1, imageSize: 32, normalization: BatchNormalizationOptions(isFrozen: true))
        let inference = try model.inferenceGraph(batch: 1, imageSize: 32)
        #expect(frozen.updates.isEmpty)
        #expect(frozen.nodes.map(\.type) == inference.nodes.map(\.type))
        #expect(
            frozen.nodes.map { $0.operation.name.replacing("state", with: "parameter") }
                == inference.nodes.map(\.operation.name))
    }

    @Test("refuses batch statistics of one value a channel")
    func oneValue() throws {
        let model = ResNetArchitecture(depth: .resNet18, classCount: 4)
        let error = #expect(throws: GraphError.self) {
            try model.trainingGraph(batch: 1, imageSize: 32)
        }
        #expect(error?.code == .invalidAttribute)
        #expect(
            error?.message
                == "layer4.0.downsample.1: batch statistics need more than 1 value per channel, "
                + "found [1, 512, 1, 1]; use larger batches or images, or freeze batch norms")
        _ = try model.trainingGraph(batch: 2, imageSize: 32)
        _ = try model.trainingGraph(batch: 1, imageSize: 33)
    }
}
