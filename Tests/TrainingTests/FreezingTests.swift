import CPUBackend
import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Testing
import Training

@Suite("Frozen parts")
struct FreezingTests {
    @Test("stay as they are to the byte, and all else moves", arguments: FrozenPart.allCases)
    func stay(part: FrozenPart) throws {
        let recipe = TrainingRecipe(
            averaging: WeightAveraging(decay: 0.9), frozen: part)
        let step = try TinyTraining.step(recipe)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        for seed in 1...2 as ClosedRange<UInt64> {
            _ = try step.run(
                TinyTraining.batch(seed: seed), learningRate: 0.1, state: &state)
        }
        let tensors = try state.tensors()
        for parameter in TinyTraining.model.parameterList {
            let before = TinyTraining.parameters.numbers(parameter.name)
            let after = tensors.numbers(parameter.name)
            if part.contains(parameter) {
                #expect(before == after, "\(parameter.name)")
                #expect(tensors.numbers("ema.\(parameter.name)") == before, "\(parameter.name)")
                #expect(tensors["velocity.\(parameter.name)"] == nil, "\(parameter.name)")
            } else {
                #expect(before != after, "\(parameter.name)")
                #expect((tensors["velocity.\(parameter.name)"] != nil) == parameter.isTrained)
            }
        }
    }

    @Test("have neither gradients nor batch statistics in the graph")
    func haveNoGradients() throws {
        func operations(_ part: FrozenPart) throws -> [String] {
            let graphs = try TrainingGraphs(
                model: TinyTraining.model, recipe: TrainingRecipe(frozen: part), batch: 2,
                imageSize: 16)
            return graphs.microBatch.nodes.map { "\($0.operation)" }
        }
        func count(_ part: FrozenPart, _ word: String) throws -> Int {
            try operations(part).count { $0.hasPrefix(word) }
        }
        #expect(try count(.none, "convolutionFilterGradient") == 20)
        #expect(try count(.stem, "convolutionFilterGradient") == 19)
        #expect(try count(.allButHead, "convolutionFilterGradient") == 0)
        #expect(try count(.allButHead, "convolutionInputGradient") == 0)
        #expect(try count(.normalizations, "convolutionFilterGradient") == 20)
        #expect(try count(.none, "batchMoments") == 20)
        #expect(try count(.stem, "batchMoments") == 19)
        #expect(try count(.allButHead, "batchMoments") == 0)
        #expect(try count(.normalizations, "batchMoments") == 0)
        #expect(try count(.normalizations, "batchNormalizationGradient") > 0)
    }

    @Test(
        "give the same on the processor as on the reference",
        arguments: [FrozenPart.stem, .normalizations])
    func agree(part: FrozenPart) throws {
        let backend: CPUBackend
        do { backend = try CPUBackend(threads: 1) } catch { return }
        let recipe = TrainingRecipe(frozen: part)
        var found: [Parameters] = []
        for backend in [backend, ReferenceBackend()] as [any Backend] {
            let step = try TinyTraining.step(recipe, batch: 4, imageSize: 32, on: backend)
            var state = try step.initialState(parameters: TinyTraining.parameters)
            _ = try step.run(
                TinyTraining.batch(count: 4, imageSize: 32), learningRate: 0.1, state: &state)
            found.append(try state.tensors())
        }
        #expect(found[0].keys.sorted() == found[1].keys.sorted())
        for name in found[1].keys.sorted() where !name.hasPrefix("velocity.") {
            // One step of a small network in float32; what ReLU lets through may differ.
            let difference = relativeDifference(found[0].numbers(name), found[1].numbers(name))
            #expect(difference < 2e-2, "\(name)")
        }
    }

    @Test("leave the step on features that of a step with everything but the head frozen")
    func matchHeadStep() throws {
        let model = TinyTraining.model
        let recipe = TrainingRecipe(labelSmoothing: 0.1, classWeights: [1, 2, 1, 1])
        let batch = TinyTraining.batch(count: 4, imageSize: 32)
        guard case .labels(let labels) = batch.targets else { return }
        let backend = ReferenceBackend()

        var frozen = recipe
        frozen.frozen = .allButHead
        let whole = try TinyTraining.step(frozen, batch: 4, imageSize: 32)
        var wholeState = try whole.initialState(parameters: TinyTraining.parameters)

        let graph = try model.inferenceGraph(batch: 4, imageSize: 32, outputs: [.features])
        let features = try backend.compile(graph, parameters: TinyTraining.parameters)
            .run([batch.images])[0]
        let head = try HeadStep(model: model, recipe: recipe, batch: 4, backend: backend)
        var headState = try head.initialState(parameters: TinyTraining.parameters)

        for rate in [0.1, 0.05] {
            let first = try whole.run(batch, learningRate: rate, state: &wholeState)
            let second = try head.run(
                features: features, labels: labels, learningRate: rate, state: &headState)
            #expect(abs(first.loss - second.loss) < 1e-5)
            #expect(first.top1Count == second.top1Count)
        }
        let expected = try wholeState.parameters()
        let found = try headState.tensors(named: ["fc.weight", "fc.bias"])
        for name in ["fc.weight", "fc.bias"] {
            let difference = relativeDifference(found.numbers(name), expected.numbers(name))
            // float32 sums in another order.
            #expect(difference < 1e-5, "\(name)")
        }
        #expect(throws: TrainingError.self) {
            try head.run(features: features, labels: [0, 1], learningRate: 1, state: &headState)
        }
        #expect(throws: TrainingError.self) {
            try head.run(
                features: features, labels: [0, 1, 2, 4], learningRate: 1, state: &headState)
        }
    }
}
