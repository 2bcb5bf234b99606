import Graph
import ResNetModel
import Tensors
import Testing
import Training

@Suite("Graphs of a step")
struct TrainingGraphsTests {
    private let model = ResNetArchitecture(depth: .resNet50, classCount: 10)

    private let full = TrainingRecipe(
        optimizer: .lars(), labelSmoothing: 0.1, classWeights: [Double](repeating: 1, count: 10),
        targets: .distributions, gradientClipNorm: 1, averaging: WeightAveraging(decay: 0.9),
        lossScaling: .dynamic(), precision: .bfloat16)

    @Test("are the same each time, verified, and survive their text form")
    func deterministic() throws {
        for count in [1, 2] {
            var recipe = full
            recipe.microBatchCount = count
            let graphs = try TrainingGraphs(model: model, recipe: recipe, batch: 4, imageSize: 64)
            let again = try TrainingGraphs(model: model, recipe: recipe, batch: 4, imageSize: 64)
            #expect(graphs.microBatch.description == again.microBatch.description)
            #expect(graphs.update?.description == again.update?.description)
            for graph in [graphs.microBatch, graphs.update].compactMap({ $0 }) {
                try graph.verify()
                #expect(try Graph(text: graph.description) == graph)
            }
        }
    }

    @Test("read and give what the recipe says")
    func names() throws {
        let plain = try TrainingGraphs(
            model: model, recipe: TrainingRecipe(), batch: 4, imageSize: 64)
        #expect(plain.update == nil)
        #expect(plain.microBatch.inputs.map(\.name) == ["image", "labels", "learningRate"])
        #expect(plain.microBatch.outputs.map(\.name) == ["loss", "top1Count", "top5Count"])
        // 161 weights with velocities, 106 statistics.
        #expect(plain.microBatch.states.count == 161 * 2 + 106)
        #expect(plain.microBatch.updates.count == 161 * 2 + 106)

        var recipe = full
        recipe.microBatchCount = 2
        let parts = try TrainingGraphs(model: model, recipe: recipe, batch: 4, imageSize: 64)
        #expect(
            parts.microBatch.inputs.map(\.name) == ["image", "labels", "targets", "isContinuing"])
        #expect(parts.microBatch.inputs[0].type.shape == [2, 64, 64, 3])
        #expect(parts.microBatch.updates.count == 161 + 106)
        let update = try #require(parts.update)
        #expect(update.inputs.map(\.name) == ["learningRate", "emaShare"])
        #expect(
            update.outputs.map(\.name) == ["isFinite", "lossScale", "squaredGradientNorm"])
        // Weights, velocities and gradients; the statistics for their averages; all averages; the loss scale.
        #expect(update.states.count == 161 * 3 + 106 + 267 + 1)
        #expect(update.updates.count == 161 * 2 + 267 + 1)
    }

    @Test("keep weights and sums in float32 where they compute in another type")
    func precision() throws {
        let graph = try TrainingGraphs(model: model, recipe: full, batch: 4, imageSize: 64)
            .microBatch
        #expect(graph.states.allSatisfy { $0.type.elementType == .float32 })
        for node in graph.nodes {
            switch node.operation {
            case .convolution, .convolutionInputGradient, .relu, .normalizeBatch:
                #expect(node.type.elementType == .bfloat16, "\(node.label)")
            case .convolutionFilterGradient, .batchMoments, .normalizationSums, .crossEntropy,
                .velocityUpdate, .weightUpdate, .dense:
                #expect(node.type.elementType == .float32, "\(node.label)")
            default: break
            }
        }
        // Each filter is cast once, for the forward and the backward pass.
        let casts = graph.nodes.count { node in
            guard case .cast(.bfloat16) = node.operation else { return false }
            return graph[node.operands[0]].type.shape.rank == 4
                && graph.states.contains { $0.value == node.operands[0] }
        }
        #expect(casts == 53)
    }
}
