import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Testing
import Training

@Suite("What a step refuses")
struct TrainingErrorTests {
    /// Runs a step from the first state, and gives the error.
    private func error(
        _ batch: TrainingBatch, learningRate: Double = 0.1,
        recipe: TrainingRecipe = TrainingRecipe(),
        parameters: Parameters = TinyTraining.parameters
    ) throws -> TrainingError? {
        let step = try TinyTraining.step(recipe)
        var state = try step.initialState(parameters: parameters)
        do {
            _ = try step.run(batch, learningRate: learningRate, state: &state)
        } catch let error as TrainingError {
            return error
        }
        return nil
    }

    @Test("is a label of no class, by its image", arguments: [(0, -1), (1, 4), (1, Int.max)])
    func label(position: Int, label: Int) throws {
        var batch = TinyTraining.batch()
        var labels = [0, 1]
        labels[position] = label
        batch.targets = .labels(labels)
        let error = try error(batch)
        #expect(error?.code == .labelOutOfRange)
        #expect(
            error?.message
                == "label of image \(position) of the batch: expected 0 to 3 for 4 classes, "
                + "found \(label)")
    }

    @Test("is a batch of another shape, or other targets")
    func batch() throws {
        let good = TinyTraining.batch()
        var fewLabels = good
        fewLabels.targets = .labels([0])
        var wrongKind = good
        wrongKind.targets = .distributions(
            HostTensor([Float](repeating: 0.25, count: 8), shape: [2, 4]))
        var floats = good
        floats.images = HostTensor(
            [Float](repeating: 0, count: 2 * 16 * 16 * 3), shape: [2, 16, 16, 3])
        for batch in [
            TinyTraining.batch(count: 3), TinyTraining.batch(imageSize: 15), fewLabels, wrongKind,
            floats,
        ] {
            #expect(try error(batch)?.code == .batchMismatch)
        }
        let recipe = TrainingRecipe(targets: .distributions)
        #expect(try error(good, recipe: recipe)?.code == .batchMismatch)
        var wrongCount = good
        wrongCount.targets = .distributions(HostTensor([0.5, 0.5] as [Float], shape: [2, 1]))
        #expect(try error(wrongCount, recipe: recipe)?.code == .batchMismatch)
    }

    @Test(
        "is a distribution that is none",
        arguments: [
            [0.5, 0.5, 0.5, -0.5], [0.5, 0.25, 0.125, 0.0625], [.nan, 1, 0, 0],
            [.infinity, 0, 0, 0],
        ] as [[Float]])
    func distribution(shares: [Float]) throws {
        var batch = TinyTraining.batch()
        batch.targets = .distributions(
            HostTensor([0.25, 0.25, 0.25, 0.25] + shares, shape: [2, 4]))
        let error = try error(batch, recipe: TrainingRecipe(targets: .distributions))
        #expect(error?.code == .invalidDistribution)
        #expect(error?.message.contains("image 1 ") == true)
    }

    @Test("is a learning rate that is none", arguments: [-0.1, .nan, .infinity, 1e300])
    func learningRate(rate: Double) throws {
        #expect(try error(TinyTraining.batch(), learningRate: rate)?.code == .invalidLearningRate)
    }

    @Test("is a loss that is not finite; with micro-batches the weights are as they were")
    func nonFiniteLoss() throws {
        var parameters = TinyTraining.parameters
        parameters["fc.bias"] = HostTensor([.nan, 0, 0, 0] as [Float], shape: [4])
        #expect(try error(TinyTraining.batch(), parameters: parameters)?.code == .nonFiniteLoss)

        let step = try TinyTraining.step(TrainingRecipe(microBatchCount: 2), batch: 4)
        var state = try step.initialState(parameters: parameters)
        let error = #expect(throws: TrainingError.self) {
            try step.run(TinyTraining.batch(count: 4), learningRate: 0.1, state: &state)
        }
        #expect(error?.code == .nonFiniteLoss)
        let after = try state.parameters()
        #expect(after.numbers("fc.weight") == parameters.numbers("fc.weight"))
        #expect(after.numbers("conv1.weight") == parameters.numbers("conv1.weight"))
        #expect(!after.numbers("conv1.weight").isEmpty)
    }

    @Test("is a non-finite loss with loss scaling not: the step is skipped")
    func skipped() throws {
        var parameters = TinyTraining.parameters
        parameters["fc.bias"] = HostTensor([.nan, 0, 0, 0] as [Float], shape: [4])
        let step = try TinyTraining.step(TrainingRecipe(lossScaling: .fixed(1)))
        var state = try step.initialState(parameters: parameters)
        let metrics = try step.run(TinyTraining.batch(), learningRate: 0.1, state: &state)
        #expect(metrics.wasSkipped && metrics.loss.isNaN)
        #expect(try state.parameters().numbers("fc.weight") == parameters.numbers("fc.weight"))
    }

    @Test("are parameters of another network, or none")
    func state() throws {
        let step = try TinyTraining.step(TrainingRecipe())
        let other = ResNetArchitecture(depth: .resNet18, classCount: 5)
        var missing = TinyTraining.parameters
        missing["layer1.0.bn1.running_var"] = nil
        var integers = TinyTraining.parameters
        integers["fc.bias"] = HostTensor([0, 0, 0, 0] as [Int32], shape: [4])
        for (parameters, text) in [
            (
                other.initialParameters(seed: 1),
                "fc.weight: expected a tensor of real numbers [4, 512]"
            ),
            (missing, "layer1.0.bn1.running_var: expected a tensor [64], found none"),
            (integers, "found int32[4]"),
        ] {
            do {
                _ = try step.initialState(parameters: parameters)
                Issue.record("expected an error")
            } catch let error as TrainingError {
                #expect(error.code == .stateMismatch)
                #expect(error.message.contains(text), "\(error.message)")
            }
        }
        for (tensors, count) in [(TinyTraining.parameters, 1), ([:], -1)] {
            do {
                _ = try step.restoredState(tensors, stepCount: count)
                Issue.record("expected an error")
            } catch let error as TrainingError {
                #expect(error.code == .stateMismatch)
            }
        }
    }

    @Test("are batch statistics of one value a channel")
    func oneValue() throws {
        let error = #expect(throws: GraphError.self) {
            try TinyTraining.step(TrainingRecipe(), batch: 1)
        }
        #expect(error?.code == .invalidAttribute)
        #expect(error?.message.contains("more than 1 value per channel") == true)
        // One image will do where the last stage has several pixels, or where batch norms are frozen.
        _ = try TinyTraining.step(TrainingRecipe(), batch: 1, imageSize: 64)
        _ = try TinyTraining.step(
            TrainingRecipe(normalization: BatchNormalizationOptions(isFrozen: true)), batch: 1)
    }

    /// Weights and velocities of the trained parameters, running statistics.
    private static let stateByteCount =
        TinyTraining.model.parameterList.reduce(0) { sum, parameter in
            sum + parameter.shape.elementCount * (parameter.isTrained ? 8 : 4)
        }

    /// The gradients that micro-batches add up.
    private static let gradientByteCount = TinyTraining.model.trainedParameterCount * 4

    private func microBatchCount(memoryLimit: Int, imageSize: Int = 64) throws -> Int {
        let step = try TrainingStep.compile(
            model: TinyTraining.model, recipe: TrainingRecipe(), batch: 12, imageSize: imageSize,
            backend: SizedBackend(), memoryLimit: memoryLimit)
        return step.recipe.microBatchCount
    }

    /// What a step of 12 images takes in all, cut into so many micro-batches.
    private func byteCount(microBatches count: Int) -> Int {
        let images = 12 / count * SizedBackend.bytesPerImage
        let parts = Self.gradientByteCount + SizedBackend.bytesPerUpdate
        return Self.stateByteCount + images + (count == 1 ? 0 : parts)
    }

    @Test("is too little memory; what is enough decides the number of micro-batches")
    func memory() throws {
        for count in [1, 2, 3, 4, 6, 12] {
            let enough = byteCount(microBatches: count)
            #expect(try microBatchCount(memoryLimit: enough) == count)
        }
        #expect(try microBatchCount(memoryLimit: byteCount(microBatches: 2) - 1) == 3)
        #expect(try microBatchCount(memoryLimit: .max) == 1)
        let smallest = byteCount(microBatches: 12)
        let error = #expect(throws: TrainingError.self) {
            try microBatchCount(memoryLimit: smallest - 1)
        }
        #expect(error?.code == .memoryLimit)
        #expect(
            error?.message
                == "memory limit: expected at least \(smallest) bytes for micro-batches of 1 images, "
                + "\(Self.stateByteCount + Self.gradientByteCount) of them state, "
                + "found \(smallest - 1)")
        // Of single small images there are no batch statistics, so the search ends at two.
        let small = #expect(throws: TrainingError.self) {
            try microBatchCount(memoryLimit: smallest, imageSize: 16)
        }
        #expect(small?.message.contains("micro-batches of 2 images") == true)
    }
}
