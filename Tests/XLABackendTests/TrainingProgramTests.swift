import Graph
import ResNetModel
import Tensors
import Testing
import Training
import XLABackend

@Suite("XLA programs of training steps")
struct TrainingProgramTests {
    /// A step with everything that a recipe can ask for.
    private static func recipe(
        _ precision: TrainingRecipe.Precision, classes: Int, microBatches: Int
    ) -> TrainingRecipe {
        TrainingRecipe(
            optimizer: .lars(), labelSmoothing: 0.1,
            classWeights: [Double](repeating: 1, count: classes), targets: .distributions,
            gradientClipNorm: 1, microBatchCount: microBatches,
            averaging: WeightAveraging(decay: 0.9), lossScaling: .dynamic(), precision: precision)
    }

    @Test(
        "lower in every precision, the same each time, with a place for every tensor",
        arguments: [TrainingRecipe.Precision.float32, .bfloat16, .float16], [1, 2])
    func lowers(precision: TrainingRecipe.Precision, microBatches: Int) throws {
        for (depth, classes) in [(Depth.resNet18, 10), (Depth.resNet50, 1000)] {
            let graphs = try TrainingGraphs(
                model: ResNetArchitecture(depth: depth, classCount: classes),
                recipe: Self.recipe(precision, classes: classes, microBatches: microBatches),
                batch: 4, imageSize: 64)
            for graph in [graphs.microBatch, graphs.update].compactMap({ $0 }) {
                let program = try XLAProgram(graph)
                #expect(try XLAProgram(graph).text == program.text)
                #expect(
                    program.arguments.map(\.type)
                        == (graph.inputs + graph.parameters + graph.states).map(\.type))
                #expect(
                    program.results.map(\.type)
                        == (graph.outputs + graph.updates).map { graph[$0.value].type })
                let aliases = program.text.split(separator: "tf.aliasing_output").count - 1
                #expect(aliases == graph.updates.count)
            }
        }
    }

    @Test("send all that can wait in few messages, and what cannot at once")
    func messages() throws {
        // The elements of each message.
        func messages(_ statistics: BatchNormalizationOptions.BatchStatistics) throws -> [Int] {
            let graph = try TrainingGraphs(
                model: ResNetArchitecture(depth: .resNet18, classCount: 1000),
                recipe: TrainingRecipe(
                    normalization: BatchNormalizationOptions(batchStatistics: statistics)),
                batch: 8, imageSize: 64, replicas: 4
            ).microBatch
            let text = try XLAProgram(graph, replicas: 4).text
            return try text.split(separator: "\"stablehlo.all_reduce\"(").dropFirst().map { rest in
                let type = try #require(rest.split(separator: "replica_groups").dropFirst().first)
                let extents = try #require(type.split(separator: " -> tensor<").dropFirst().first)
                let numbers = try #require(extents.split(separator: "xf32>").first)
                return numbers.split(separator: "x").reduce(1) { $0 * (Int($1) ?? 0) }
            }
        }
        // Weights, running statistics, loss and two counts.
        let all = 11_689_512 + 2 * 4800 + 3
        let own = try messages(.perReplica)
        #expect(own.count == 2 && own.reduce(0, +) == all)
        #expect(own.allSatisfy { 4 * $0 < 30 << 20 })
        // Each of twenty batch norms waits for means and variances, and on the way back for two sums.
        let synchronized = try messages(.synchronized)
        #expect(synchronized.count == 2 + 20 * 3)
    }

    @Test(
        "convolve in the narrow type and move no activation",
        arguments: [TrainingRecipe.Precision.bfloat16, .float16])
    func convolutions(precision: TrainingRecipe.Precision) throws {
        let graph = try TrainingGraphs(
            model: ResNetArchitecture(depth: .resNet50, classCount: 1000),
            recipe: .nvidiaPyTorch(precision: precision), batch: 8, imageSize: 224
        ).microBatch
        let lines = try XLAProgram(graph).text.split(separator: "\n")
        #expect(!lines.contains { $0.contains("stablehlo.transpose") })
        let suffix = precision == .bfloat16 ? "xbf16>" : "xf16>"
        let convolutions = lines.filter { $0.contains("\"stablehlo.convolution\"") }
        // Each layer forward, and back to its filter and, but for the first, its input.
        #expect(convolutions.count == 53 * 3 - 1)
        for line in convolutions {
            let result = try #require(line.split(separator: " -> ").last)
            #expect(result.split(separator: " ").first?.hasSuffix(suffix) == true, "\(line)")
        }
    }
}
