import CPUBackend
import Execution
import Graph
import ModelFormats
import ResNetModel
import Tensors
import Testing
import Training

/// On which side of zero each ReLU of a step finds each number: as often another one than float64 as PyTorch does, and
/// written down for PyTorch to take the same ones.
@Suite(
    "Sides of ReLU", .serialized,
    .enabled(
        if: ParityFixtures.isAvailable && isOptimizedBuild,
        "no numbers of PyTorch; make them with Scripts/training-parity"))
struct ReLUSidesTests {
    @Test(
        "are float64's as often as PyTorch's are",
        arguments: [
            // Some 55 of 154 million in float32: a count of chance, which spreads by its root. A million in bfloat16.
            (TrainingRecipe.Precision.float32, true, 2.0), (.float32, false, 2.0),
            (.bfloat16, true, 1.05), (.bfloat16, false, 1.05),
        ])
    func count(precision: TrainingRecipe.Precision, winograd: Bool, most: Double) throws {
        let exact = try ParityFixtures.tensors("sides-float64")
        #expect(exact.count == 49)
        let theirs = try ParityFixtures.facts().pytorchOwnNoise.sidesMoved
        var moved = 0
        for side in try sides(precision, winograd: winograd) where side.name != "maxPool" {
            let wanted = try #require(exact[side.name]).elements(UInt8.self)
            let found = side.tensor.elements(UInt8.self)
            try #require(found.count == wanted.count)
            for (a, b) in zip(found, wanted) { moved += (a ^ b).nonzeroBitCount }
        }
        let expected = try #require(theirs[precision.rawValue])
        #expect(Double(moved) <= most * Double(expected))
    }

    @Test("are written down", arguments: [TrainingRecipe.Precision.float32, .bfloat16])
    func write(precision: TrainingRecipe.Precision) throws {
        try Safetensors.write(
            tensors: sides(precision, winograd: true),
            to: "\(ParityFixtures.folder)/sides-\(precision.rawValue).safetensors")
    }

    /// The sides, of a step that is seen to be the same as without looking at them.
    private func sides(
        _ precision: TrainingRecipe.Precision, winograd: Bool
    ) throws -> [NamedTensor] {
        let model = ParityFixtures.model
        let weights = try ParityFixtures.tensors("weights")
        let batch = try ParityFixtures.batch()
        let backend = try CPUBackend(threads: 2, winograd: winograd)
        let recipe = ParityFixtures.recipe(precision)
        let step = try TrainingStep.compile(
            model: model, recipe: recipe, batch: batch.images.shape[0], backend: backend)
        var state = try step.initialState(parameters: weights)
        let metrics = try step.run(batch, learningRate: 0, state: &state)
        let expected = try state.tensors()

        let graph = step.graphs.microBatch.showingSides
        let update = try backend.compileUpdate(graph, parameters: [:])
        var parameters = weights
        for (name, type) in update.stateTypes where parameters[name] == nil {
            let zeros = [Float](repeating: 0, count: type.shape.elementCount)
            parameters[name] = HostTensor(zeros, shape: type.shape)
        }
        var device = try update.makeState(parameters)
        let outputs = try update.run(try inputs(of: graph, batch), state: &device)
        let found = try device.tensors()

        let loss = try #require(graph.outputs.firstIndex { $0.name == "loss" })
        #expect(outputs[loss].doubles() == [metrics.loss])
        for parameter in model.parameterList where parameter.isTrained {
            let name = "velocity.\(parameter.name)"
            #expect(found.numbers(name) == expected.numbers(name), "\(name)")
        }

        var sides: [NamedTensor] = []
        for (output, tensor) in zip(graph.outputs, outputs) {
            if output.name.hasPrefix("relu.") {
                sides.append(NamedTensor(name: output.name, tensor: Self.bits(tensor)))
            } else if output.name == "maxPool" {
                sides.append(NamedTensor(name: output.name, tensor: tensor))
            }
        }
        #expect(sides.count == 50)
        return sides
    }

    private func inputs(of graph: Graph, _ batch: TrainingBatch) throws -> [HostTensor] {
        guard case .labels(let labels) = batch.targets else { return [] }
        let given = [
            "image": batch.images,
            "labels": HostTensor(labels.map { Int32($0) }, shape: [labels.count]),
            "learningRate": HostTensor([Float(0)], shape: []),
        ]
        return try graph.inputs.map { try #require(given[$0.name]) }
    }

    /// A bit a number, set where it is above zero, most significant first.
    private static func bits(_ tensor: HostTensor) -> HostTensor {
        let numbers = tensor.floats()
        var bytes = [UInt8](repeating: 0, count: (numbers.count + 7) / 8)
        for (index, number) in numbers.enumerated() where number > 0 {
            bytes[index / 8] |= 0x80 >> (index % 8)
        }
        return HostTensor(bytes, shape: [bytes.count])
    }
}

extension Graph {
    /// The graph with the results of its ReLUs and the places of its maxima as further outputs.
    fileprivate var showingSides: Graph {
        var outputs = outputs
        var count = 0
        for (index, node) in nodes.enumerated() {
            switch node.operation {
            case .relu:
                outputs.append(GraphOutput(name: "relu.\(count)", value: Value(index: index)))
                count += 1
            case .maxPoolIndices:
                outputs.append(GraphOutput(name: "maxPool", value: Value(index: index)))
            default: continue
            }
        }
        return Graph(
            name: name, replicaCount: replicaCount, nodes: nodes, outputs: outputs,
            updates: updates)
    }
}
