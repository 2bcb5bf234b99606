import Execution
import Graph
import ResNetModel
import Tensors
import Testing
import Training

@Suite("Training steps")
struct TrainingStepTests {
    @Test("learn a few images by heart")
    func overfits() throws {
        let batch = TinyTraining.batch(count: 4, imageSize: 32)
        let step = try TinyTraining.step(TrainingRecipe(), batch: 4, imageSize: 32)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var metrics: [StepMetrics] = []
        for _ in 0..<10 {
            metrics.append(try step.run(batch, learningRate: 0.01, state: &state))
        }
        let first = try #require(metrics.first)
        let last = try #require(metrics.last)
        // Untrained: about the logarithm of the number of classes.
        #expect(first.loss > 0.7 && first.loss < 4)
        #expect(last.loss < 0.1)
        #expect(last.top1Count == 4 && last.imageCount == 4)
        #expect(metrics.allSatisfy { $0.top5Count == 4 && !$0.wasSkipped })
        #expect(first.gradientNorm == nil && first.lossScale == nil)
        #expect(state.stepCount == 10)
    }

    @Test("give identical bytes twice, and go on from what was saved")
    func repeats() throws {
        let batch = TinyTraining.batch()
        let recipe = TrainingRecipe(averaging: WeightAveraging(decay: 0.9))
        let step = try TinyTraining.step(recipe)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var saved: Parameters = [:]
        for index in 0..<3 {
            if index == 2 { saved = try state.tensors() }
            _ = try step.run(batch, learningRate: 0.05, state: &state)
        }
        var restored = try step.restoredState(saved, stepCount: 2)
        _ = try step.run(batch, learningRate: 0.05, state: &restored)
        #expect(restored.stepCount == 3)
        let first = try state.tensors()
        let second = try restored.tensors()
        // The network's tensors, velocities of the trained ones, averages of all.
        #expect(first.count == 102 + 62 + 102 && second.count == first.count)
        for (name, tensor) in first {
            #expect(tensor.elements(Float.self) == second[name]?.elements(Float.self), "\(name)")
        }
    }

    @Test("of two micro-batches are one of the whole batch, where batch norms are frozen")
    func accumulation() throws {
        let batch = TinyTraining.batch(count: 4)
        let normalization = BatchNormalizationOptions(isFrozen: true)
        var results: [(StepMetrics, Parameters)] = []
        for count in [1, 2] {
            let step = try TinyTraining.step(
                TrainingRecipe(
                    labelSmoothing: 0.1, microBatchCount: count, normalization: normalization),
                batch: 4)
            var state = try step.initialState(parameters: TinyTraining.parameters)
            // The second step must not see the first one's gradients.
            _ = try step.run(batch, learningRate: 0.01, state: &state)
            let metrics = try step.run(batch, learningRate: 0.01, state: &state)
            results.append((metrics, try state.tensors()))
        }
        let (whole, parts) = (results[0], results[1])
        #expect(abs(whole.0.loss - parts.0.loss) <= 1e-5 * whole.0.loss)
        #expect(whole.0.top1Count == parts.0.top1Count && parts.0.imageCount == 4)
        #expect(Set(whole.1.keys) == Set(parts.1.keys))
        for name in TinyTraining.samples {
            #expect(
                relativeDifference(
                    parts.1.numbers("velocity.\(name)"), whole.1.numbers("velocity.\(name)"))
                    <= 1e-4, "\(name)")
        }
        // Frozen: no statistic moved.
        for name in ["bn1.running_mean", "layer4.1.bn2.running_var"] {
            #expect(parts.1.numbers(name) == TinyTraining.parameters.numbers(name), "\(name)")
        }
    }

    @Test("follow the batch with their running statistics, by either variance")
    func runningStatistics() throws {
        let batch = TinyTraining.batch()
        var states: [Parameters] = []
        for variance in BatchNormalizationOptions.RunningVariance.allCases {
            let step = try TinyTraining.step(
                TrainingRecipe(
                    normalization: BatchNormalizationOptions(
                        momentum: 0.25, runningVariance: variance)))
            var state = try step.initialState(parameters: TinyTraining.parameters)
            _ = try step.run(batch, learningRate: 0, state: &state)
            states.append(try state.parameters())
        }
        // The last stage sees one pixel of two images: M / (M - 1) is 2. The stem sees 8x8 of them: 128 / 127.
        for (name, factor) in [("layer4.0.bn1", 2.0), ("bn1", 128.0 / 127)] {
            let parts = states.map { parameters in
                // 0.75 of the first variance, 1, and 0.25 of the batch's.
                parameters.numbers("\(name).running_var").map { ($0 - 0.75) / 0.25 }
            }
            let expected = parts[1].map { $0 * factor }
            #expect(relativeDifference(parts[0], expected) <= 1e-5, "\(name)")
            #expect(states[0].numbers("\(name).running_mean").contains { $0 != 0 })
        }
    }

    @Test("count what two micro-batches saw in turn, where batch norms follow batches")
    func statisticsOfMicroBatches() throws {
        let batch = TinyTraining.batch(count: 4)
        let step = try TinyTraining.step(TrainingRecipe(microBatchCount: 2), batch: 4)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        _ = try step.run(batch, learningRate: 0, state: &state)
        let found = try state.parameters()

        let half = try TinyTraining.step(TrainingRecipe())
        var other = try half.initialState(parameters: TinyTraining.parameters)
        for start in [0, 2] {
            let part = TrainingBatch(
                images: batch.images.rows(start..<start + 2),
                targets: .labels([start, start + 1]))
            _ = try half.run(part, learningRate: 0, state: &other)
        }
        let expected = try other.parameters()
        for name in ["bn1.running_mean", "layer4.1.bn2.running_var"] {
            #expect(found.numbers(name) == expected.numbers(name), "\(name)")
            #expect(!found.numbers(name).isEmpty)
        }
    }

    @Test("take distributions as they take labels")
    func distributions() throws {
        let batch = TinyTraining.batch()
        var results: [StepMetrics] = []
        for targets in TrainingRecipe.Targets.allCases {
            let step = try TinyTraining.step(
                TrainingRecipe(
                    targets: targets, normalization: BatchNormalizationOptions(isFrozen: true)))
            var state = try step.initialState(parameters: TinyTraining.parameters)
            var given = batch
            if targets == .distributions {
                given.targets = .distributions(
                    HostTensor([1, 0, 0, 0, 0, 1, 0, 0] as [Float], shape: [2, 4]))
            }
            _ = try step.run(given, learningRate: 0.001, state: &state)
            results.append(try step.run(given, learningRate: 0.001, state: &state))
        }
        #expect(abs(results[0].loss - results[1].loss) <= 1e-6 * results[0].loss)
        #expect(results[0].top1Count == results[1].top1Count)
    }

    @Test("count classes by their weights")
    func classWeights() throws {
        let batch = TinyTraining.batch()
        func loss(_ weights: [Double]?) throws -> Double {
            let step = try TinyTraining.step(
                TrainingRecipe(
                    classWeights: weights, normalization: BatchNormalizationOptions(isFrozen: true)
                ))
            var state = try step.initialState(parameters: TinyTraining.parameters)
            return try step.run(batch, learningRate: 0, state: &state).loss
        }
        let first = try loss([1, 0, 1, 1])
        let second = try loss([0, 1, 1, 1])
        #expect(first != second)
        // Labels 0 and 1, one image each: the mean over the sum of the weights.
        let weighted = (3 * first + second) / 4
        let plain = (first + second) / 2
        let differences = [try loss([3, 1, 7, 7]) - weighted, try loss(nil) - plain]
        #expect(differences.allSatisfy { abs($0) <= 1e-5 * first })
    }

    @Test("in bfloat16 are close to float32, with weights in float32")
    func bfloat16() throws {
        let batch = TinyTraining.batch()
        var results: [(StepMetrics, Parameters)] = []
        for precision in [TrainingRecipe.Precision.float32, .bfloat16] {
            // Batch statistics of two pixels would blow the rounding up.
            let step = try TinyTraining.step(
                TrainingRecipe(
                    precision: precision, normalization: BatchNormalizationOptions(isFrozen: true)))
            var state = try step.initialState(parameters: TinyTraining.parameters)
            let metrics = try step.run(batch, learningRate: 0.01, state: &state)
            results.append((metrics, try state.tensors()))
        }
        // 8 bits of mantissa through 18 layers.
        #expect(abs(results[1].0.loss / results[0].0.loss - 1) <= 0.02)
        #expect(results[1].1.values.allSatisfy { $0.elementType == .float32 })
        let (wide, narrow) = (
            results[0].1.numbers("velocity.fc.weight"), results[1].1.numbers("velocity.fc.weight")
        )
        #expect(narrow != wide)
        func product(_ first: [Double], _ second: [Double]) -> Double {
            zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let cosine =
            product(wide, narrow)
            / (product(wide, wide) * product(narrow, narrow)).squareRoot()
        #expect(cosine >= 0.999)
    }
}
