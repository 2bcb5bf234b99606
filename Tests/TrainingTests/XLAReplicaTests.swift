import Execution
import Graph
import Native
import ResNetModel
import Tensors
import Testing
import Training
import XLABackend

/// One step shared by several devices of XLA's CPU plugin.
@Suite(
    "Training on several devices", .serialized,
    .enabled(
        if: XLABackend.isInstalled(.cpu) && isOptimizedBuild,
        "no plugin, or no optimisation: Scripts/setup-xla-cpu, then swift test -c release"))
struct XLAReplicaTests {
    private static let steps = 3

    private func backend(devices: Int) throws -> XLABackend {
        var options = XLABackend.Options()
        options.cpuDeviceCount = devices
        return try XLABackend(.cpu, options: options)
    }

    private func losses(
        _ recipe: TrainingRecipe, replicas: Int
    ) throws -> (losses: [Double], correct: [Int], state: Parameters) {
        let batch = TinyTraining.batch(count: 8, imageSize: 32)
        let step = try TinyTraining.step(
            recipe, batch: 8, imageSize: 32, on: backend(devices: max(replicas, 1)),
            replicas: replicas)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var losses: [Double] = []
        var correct: [Int] = []
        for _ in 0..<Self.steps {
            let metrics = try step.run(batch, learningRate: 0.01, state: &state)
            losses.append(metrics.loss)
            correct.append(metrics.top1Count)
        }
        return (losses, correct, try state.tensors())
    }

    @Test("gives the losses of one, with statistics of the whole batch", arguments: [2, 4])
    func synchronized(replicas: Int) throws {
        let recipe = TrainingRecipe(
            normalization: BatchNormalizationOptions(batchStatistics: .synchronized))
        let one = try losses(recipe, replicas: 1)
        let several = try losses(recipe, replicas: replicas)
        for (found, wanted) in zip(several.losses, one.losses) {
            // Losses fall from 1.5 to 0.1; what roundings add to logits stays as large.
            #expect(abs(found - wanted) <= 1e-5, "\(several.losses), not \(one.losses)")
        }
        #expect(several.correct == one.correct)
        for name in TinyTraining.samples + ["bn1.running_mean", "bn1.running_var"] {
            let difference = relativeDifference(
                several.state.numbers(name), one.state.numbers(name))
            #expect(difference <= 1e-3, "\(name)")
        }
    }

    @Test("trains with statistics of each device's own")
    func perReplica() throws {
        let recipe = TrainingRecipe(precision: .bfloat16)
        let several = try losses(recipe, replicas: 4)
        let one = try losses(recipe, replicas: 1)
        let areFinite = several.losses.allSatisfy { $0.isFinite }
        #expect(areFinite)
        // Two images have other statistics than eight.
        #expect(several.losses[0] != one.losses[0])
    }

    @Test("takes the same steps when they are started ahead", arguments: [1, 2])
    func ahead(microBatches: Int) throws {
        let batch = TinyTraining.batch(count: 8, imageSize: 32)
        let step = try TinyTraining.step(
            TrainingRecipe(microBatchCount: microBatches), batch: 8, imageSize: 32,
            on: backend(devices: 2), replicas: 2)
        var watched = try step.initialState(parameters: TinyTraining.parameters)
        var metrics: [StepMetrics] = []
        for _ in 0..<Self.steps {
            metrics.append(try step.run(batch, learningRate: 0.01, state: &watched))
        }
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var pending: [PendingStep] = []
        for _ in 0..<Self.steps {
            pending.append(try step.start(batch, learningRate: 0.01, state: &state))
        }
        let found = try pending.map { try $0.metrics() }
        #expect(found == metrics)
        let weights = try state.parameters().numbers("fc.weight")
        let wanted = try watched.parameters().numbers("fc.weight")
        #expect(weights == wanted)
    }

    @Test("refuses more replicas than there are devices")
    func tooMany() throws {
        let error = #expect(throws: ExecutionError.self) {
            _ = try TinyTraining.step(
                TrainingRecipe(), batch: 8, imageSize: 32, on: backend(devices: 2), replicas: 4)
        }
        #expect(error?.code == .unsupported)
    }
}
