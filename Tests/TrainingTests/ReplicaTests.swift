import CPUBackend
import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Testing
import Training

@Suite("Replicas")
struct ReplicaTests {
    private static let synchronized = BatchNormalizationOptions(batchStatistics: .synchronized)
    private static let frozen = BatchNormalizationOptions(isFrozen: true)

    /// All that a step may do with gradients.
    static let recipes: [(name: String, recipe: TrainingRecipe)] = [
        (
            "clipping, averages, loss scaling",
            TrainingRecipe(
                optimizer: .sgd(nesterov: true), labelSmoothing: 0.1, gradientClipNorm: 1,
                averaging: WeightAveraging(decay: 0.9),
                lossScaling: .dynamic(initial: 8, rule: LossScaleRule(interval: 2)),
                normalization: synchronized)
        ),
        (
            "LARS",
            TrainingRecipe(
                optimizer: .lars(), weightDecayGroup: .noneOnNormalizationAndBias,
                normalization: synchronized)
        ),
        (
            "two micro-batches",
            TrainingRecipe(microBatchCount: 2, normalization: synchronized)
        ),
    ]

    private struct Outcome {
        var metrics: [StepMetrics]
        var tensors: Parameters
    }

    /// A few steps of a batch of eight images.
    private func train(
        _ recipe: TrainingRecipe, replicas: Int, on backend: any Backend, stepCount: Int = 3,
        learningRate: Double = 0.01
    ) throws -> Outcome {
        let step = try TrainingStep.compile(
            model: TinyTraining.model, recipe: recipe, batch: 8, imageSize: 16, backend: backend,
            replicas: replicas)
        #expect(step.replicaCount == replicas)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var metrics: [StepMetrics] = []
        for index in 0..<stepCount {
            let batch = TinyTraining.batch(count: 8, seed: UInt64(index + 1))
            metrics.append(try step.run(batch, learningRate: learningRate, state: &state))
        }
        return Outcome(metrics: metrics, tensors: try state.tensors())
    }

    /// The largest difference of a tensor, as a share of its largest number.
    private func difference(_ found: Outcome, _ expected: Outcome) -> Double {
        guard Set(found.tensors.keys) == Set(expected.tensors.keys) else { return .infinity }
        return expected.tensors.keys.reduce(0) { largest, name in
            max(
                largest,
                relativeDifference(found.tensors.numbers(name), expected.tensors.numbers(name)))
        }
    }

    private func expectSameMetrics(_ found: Outcome, _ expected: Outcome, _ tolerance: Double) {
        for (found, expected) in zip(found.metrics, expected.metrics) {
            #expect(abs(found.loss - expected.loss) <= tolerance * expected.loss)
            #expect(found.top1Count == expected.top1Count)
            #expect(found.top5Count == expected.top5Count)
            #expect(found.imageCount == 8 && found.wasSkipped == expected.wasSkipped)
            #expect(found.lossScale == expected.lossScale)
            let norms = (found.gradientNorm ?? 0, expected.gradientNorm ?? 0)
            #expect(abs(norms.0 - norms.1) <= tolerance * norms.1)
        }
    }

    @Test(
        "of any number take the steps of one, in float64, where statistics are synchronised",
        arguments: recipes.indices)
    func float64(index: Int) throws {
        let recipe = Self.recipes[index].recipe
        let stepCount = index == 0 ? 3 : 2
        let one = try train(recipe, replicas: 1, on: WideBackend(), stepCount: stepCount)
        for replicas in [2, 4] where 8 / recipe.microBatchCount % replicas == 0 {
            let several = try train(
                recipe, replicas: replicas, on: WideBackend(), stepCount: stepCount)
            // Metrics are float32.
            expectSameMetrics(several, one, 1e-6)
            // Roundings of 2^-53, which batch norms over four or eight values and steps enlarge: up to 2e-8 is seen
            // after three. Under LARS weights stay float32, and one may round to its neighbour.
            #expect(difference(several, one) <= 1e-6)
        }
    }

    @Test("of any number take the steps of one to the rounding of float32", arguments: [2, 4])
    func float32(replicas: Int) throws {
        let recipe = TrainingRecipe(labelSmoothing: 0.1, normalization: Self.synchronized)
        let one = try train(recipe, replicas: 1, on: ReferenceBackend(), stepCount: 2)
        let several = try train(recipe, replicas: replicas, on: ReferenceBackend(), stepCount: 2)
        expectSameMetrics(several, one, 1e-3)
        for name in ["conv1.weight", "layer3.0.conv1.weight", "bn1.running_var", "fc.weight"] {
            let change = relativeDifference(
                several.tensors.numbers(name), one.tensors.numbers(name))
            #expect(change <= 1e-3, "\(name)")
        }
    }

    @Test("share what one does where statistics are frozen", arguments: [2, 4])
    func frozen(replicas: Int) throws {
        let recipe = TrainingRecipe(normalization: Self.frozen)
        let one = try train(recipe, replicas: 1, on: ReferenceBackend())
        let several = try train(recipe, replicas: replicas, on: ReferenceBackend())
        expectSameMetrics(several, one, 1e-5)
        for name in TinyTraining.samples {
            let change = relativeDifference(
                several.tensors.numbers(name), one.tensors.numbers(name))
            #expect(change <= 1e-5, "\(name)")
        }
    }

    /// A first step without decay and movement, whose velocities are gradients.
    private func gradients(
        _ recipe: TrainingRecipe, _ batch: TrainingBatch, replicas: Int
    ) throws -> Outcome {
        let step = try TrainingStep.compile(
            model: TinyTraining.model, recipe: recipe, batch: batch.images.shape[0], imageSize: 16,
            backend: WideBackend(), replicas: replicas)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        let metrics = try step.run(batch, learningRate: 0, state: &state)
        return Outcome(metrics: [metrics], tensors: try state.tensors())
    }

    @Test(
        "with statistics or class weights of their own have the means of what each has alone",
        arguments: [nil, [1, 5, 0.5, 2]] as [[Double]?])
    func perReplica(classWeights: [Double]?) throws {
        let recipe = TrainingRecipe(weightDecay: 0, classWeights: classWeights)
        let batch = TinyTraining.batch(count: 8)
        let labels = [0, 0, 1, 0, 3, 2, 3, 1]
        func part(_ rows: Range<Int>) -> TrainingBatch {
            TrainingBatch(
                images: batch.images.rows(rows), targets: .labels(Array(labels[rows])))
        }
        let together = try gradients(recipe, part(0..<8), replicas: 2)
        let first = try gradients(recipe, part(0..<4), replicas: 1)
        let second = try gradients(recipe, part(4..<8), replicas: 1)
        let loss = (first.metrics[0].loss + second.metrics[0].loss) / 2
        #expect(abs(together.metrics[0].loss - loss) <= 1e-6 * loss)
        #expect(
            together.metrics[0].top1Count
                == first.metrics[0].top1Count + second.metrics[0].top1Count)
        for (name, tensor) in together.tensors {
            let mean = zip(first.tensors.numbers(name), second.tensors.numbers(name)).map {
                ($0 + $1) / 2
            }
            #expect(relativeDifference(tensor.doubles(), mean) <= 1e-12, "\(name)")
        }
        // And not what the whole batch has.
        let whole = try gradients(recipe, part(0..<8), replicas: 1)
        #expect(abs(whole.metrics[0].loss - loss) > 1e-3 * loss)
    }

    @Test("skip a step together, and back off")
    func overflow() throws {
        let recipe = TrainingRecipe(
            lossScaling: .dynamic(initial: 0x1p30, rule: LossScaleRule(backoff: 0x1p-28)),
            precision: .float16, normalization: Self.synchronized)
        let result = try train(recipe, replicas: 2, on: ReferenceBackend(), stepCount: 2)
        #expect(result.metrics.map(\.wasSkipped) == [true, false])
        #expect(result.tensors.numbers("lossScale") == [4, 1])
    }

    // MARK: Graphs

    @Test("leave all states equal: whatever goes into one has met", arguments: [false, true])
    func equality(isSynchronized: Bool) throws {
        for (name, recipe) in Self.recipes {
            var recipe = recipe
            if !isSynchronized { recipe.normalization = BatchNormalizationOptions() }
            let graphs = try TrainingGraphs(
                model: TinyTraining.model, recipe: recipe, batch: 8, imageSize: 32, replicas: 2)
            let unequal = graphs.microBatch.unequalUpdates
            if let update = graphs.update {
                // Each replica collects gradients for itself; they meet once a step.
                #expect(unequal.allSatisfy { $0.hasPrefix("gradient.") } && unequal.count == 62)
                #expect(update.meetings.count == 62)
            } else {
                #expect(unequal.isEmpty, "\(name)")
            }
            for graph in [graphs.microBatch, graphs.update].compactMap({ $0 }) {
                #expect(graph.replicaCount == 2)
                #expect(try Graph(text: graph.description) == graph)
            }
        }
    }

    @Test("meet in each gradient, in the statistics, and in the metrics")
    func meetings() throws {
        func graph(_ statistics: BatchNormalizationOptions.BatchStatistics) throws -> Graph {
            try TrainingGraphs(
                model: TinyTraining.model,
                recipe: TrainingRecipe(
                    normalization: BatchNormalizationOptions(batchStatistics: statistics)),
                batch: 8, imageSize: 32, replicas: 4
            ).microBatch
        }
        // Gradients, loss and two counts; for each of 20 batch norms the moments, and synchronised the sums too.
        let own = try graph(.perReplica)
        #expect(own.nodes.count { $0.operation == .replicaMean } == 62 + 3 + 20)
        #expect(own.nodes.count { $0.operation == .replicaMoments } == 0)
        let synchronized = try graph(.synchronized)
        #expect(synchronized.nodes.count { $0.operation == .replicaMean } == 62 + 3 + 20)
        #expect(synchronized.nodes.count { $0.operation == .replicaMoments } == 20)
        #expect(own.inputs[0].type.shape == [2, 32, 32, 3])
        #expect(own.wholeInputTypes[0].shape == [8, 32, 32, 3])
        // Of 2 images of 1x1 pixels each, or of 8.
        #expect(own.nodes.contains { $0.operation == .constant(2, .float32) })
        #expect(synchronized.nodes.contains { $0.operation == .constant(8.0 / 7, .float32) })
        // One replica has nobody to meet.
        let one = TrainingRecipe(normalization: Self.synchronized)
        #expect(
            try TrainingGraphs(model: TinyTraining.model, recipe: one, batch: 8, imageSize: 32)
                == TrainingGraphs(
                    model: TinyTraining.model, recipe: TrainingRecipe(), batch: 8, imageSize: 32))
    }

    @Test("without a mean somewhere are found out")
    func dropped() throws {
        let graph = try TrainingGraphs(
            model: TinyTraining.model, recipe: TrainingRecipe(), batch: 8, imageSize: 32,
            replicas: 2
        ).microBatch
        let meetings = graph.meetings.filter { !["loss", "top1Count", "top5Count"].contains($0) }
        #expect(Set(meetings).count == 62 + 20)
        for label in meetings {
            #expect(!graph.dropping(meeting: label).unequalUpdates.isEmpty, "\(label)")
        }
    }

    @Test(
        "without a gradient's mean take other steps than one",
        arguments: ["conv1.weight", "layer4.1.bn2.bias", "fc.bias"])
    func droppedGradient(name: String) throws {
        let recipe = TrainingRecipe(normalization: Self.synchronized)
        let one = try train(recipe, replicas: 1, on: WideBackend(), stepCount: 2)
        let broken = WideBackend { $0.dropping(meeting: "\(name).gradient") }
        let several = try train(recipe, replicas: 2, on: broken, stepCount: 2)
        #expect(difference(several, one) > 1e-6)
        let change = relativeDifference(several.tensors.numbers(name), one.tensors.numbers(name))
        #expect(change > 1e-6)
    }

    // MARK: Errors

    @Test(
        "that do not divide a micro-batch are an error",
        arguments: [(3, 1, 8), (0, 1, 8), (-2, 1, 8), (16, 1, 8), (4, 4, 2), (Int.max, 1, 8)])
    func replicaCount(replicas: Int, microBatches: Int, images: Int) {
        let error = #expect(throws: TrainingError.self) {
            try TrainingStep.compile(
                model: TinyTraining.model, recipe: TrainingRecipe(microBatchCount: microBatches),
                batch: 8, imageSize: 32, backend: ReferenceBackend(), replicas: replicas)
        }
        #expect(error?.code == .invalidReplicaCount)
        #expect(
            error?.message
                == "replicas: expected a number of 1 to 65536 that divides the \(images) images of "
                + "a micro-batch, found \(replicas); choose a batch that is a multiple of "
                + "micro-batches times replicas")
    }

    @Test("are refused by a back end of one device")
    func cpu() throws {
        let error = #expect(throws: ExecutionError.self) {
            try TrainingStep.compile(
                model: TinyTraining.model, recipe: TrainingRecipe(), batch: 8, imageSize: 32,
                backend: CPUBackend(threads: 1), replicas: 2)
        }
        #expect(error?.code == .unsupported)
    }

    @Test("want the batch of all of them")
    func wholeBatch() throws {
        let step = try TrainingStep.compile(
            model: TinyTraining.model, recipe: TrainingRecipe(), batch: 8, imageSize: 16,
            backend: ReferenceBackend(), replicas: 2)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        do {
            _ = try step.run(TinyTraining.batch(count: 4), learningRate: 0, state: &state)
            Issue.record("expected an error")
        } catch let error as TrainingError {
            #expect(error.code == .batchMismatch)
            #expect(error.message.contains("expected uint8[8, 16, 16, 3]"))
        }
        #expect(state.stepCount == 0)
    }

    @Test("of one small image each have statistics together, and none alone")
    func oneValue() throws {
        _ = try TrainingGraphs(
            model: TinyTraining.model, recipe: TrainingRecipe(normalization: Self.synchronized),
            batch: 2, imageSize: 16, replicas: 2)
        let error = #expect(throws: GraphError.self) {
            try TrainingGraphs(
                model: TinyTraining.model, recipe: TrainingRecipe(), batch: 2, imageSize: 16,
                replicas: 2)
        }
        #expect(error?.message.contains("more than 1 value per channel") == true)
    }

    @Test("fit into the memory of each device")
    func memory() throws {
        func microBatchCount(_ limit: Int) throws -> Int {
            try TrainingStep.compile(
                model: TinyTraining.model, recipe: TrainingRecipe(), batch: 12, imageSize: 64,
                backend: SizedBackend(), replicas: 2, memoryLimit: limit
            ).recipe.microBatchCount
        }
        let whole = try TrainingStep.compile(
            model: TinyTraining.model, recipe: TrainingRecipe(), batch: 12, imageSize: 64,
            backend: SizedBackend(), replicas: 2)
        let byteCount = whole.stateByteCount + whole.workspaceByteCount
        #expect(whole.workspaceByteCount == 6 * SizedBackend.bytesPerImage)
        #expect(try microBatchCount(byteCount) == 1)
        // Six images on each device, cut into 6, 3, 2 or 1; gradients are kept as well then.
        let gradients = TinyTraining.model.trainedParameterCount * 4 + SizedBackend.bytesPerUpdate
        let single = byteCount - 5 * SizedBackend.bytesPerImage + gradients
        #expect(try microBatchCount(single) == 6)
        #expect(throws: TrainingError.self) { try microBatchCount(single - 1) }
    }
}
