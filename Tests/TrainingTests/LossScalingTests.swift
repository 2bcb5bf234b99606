import Execution
import Graph
import Native
import ReferenceBackend
import ResNetModel
import Tensors
import Testing
import Training
import XLABackend

@Suite("Loss scaling")
struct LossScalingTests {
    @Test("by a power of two changes no number of a float32 step")
    func fixed() throws {
        let batch = TinyTraining.batch()
        var results: [(StepMetrics, Parameters)] = []
        for scaling in [LossScaling.none, .fixed(1024)] {
            let step = try TinyTraining.step(TrainingRecipe(lossScaling: scaling))
            var state = try step.initialState(parameters: TinyTraining.parameters)
            let metrics = try step.run(batch, learningRate: 0.01, state: &state)
            results.append((metrics, try state.tensors()))
        }
        #expect(results[1].0.lossScale == 1024 && !results[1].0.wasSkipped)
        #expect(results[0].0.loss == results[1].0.loss)
        for name in TinyTraining.samples {
            #expect(results[0].1.numbers(name) == results[1].1.numbers(name), "\(name)")
        }
    }

    /// Back ends that compute in float16.
    static let devices = ["reference"] + (XLABackend.isInstalled(.cpu) ? ["xla"] : [])

    @Test("skips a step whose gradients overflow, and backs off", arguments: devices)
    func overflow(device: String) throws {
        let backend: any Backend = device == "xla" ? try XLABackend(.cpu) : ReferenceBackend()
        let batch = TinyTraining.batch()
        // Gradients of so small a network are up to 41,000, and XLA has those of filters in float16.
        let recipe = TrainingRecipe(
            averaging: WeightAveraging(decay: 0.5),
            lossScaling: .dynamic(initial: 0x1p30, rule: LossScaleRule(backoff: 0x1p-32)),
            precision: .float16)
        let step = try TinyTraining.step(recipe, on: backend)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        let metrics = try step.run(batch, learningRate: 0.01, state: &state)
        #expect(metrics.wasSkipped && metrics.lossScale == 0x1p30 && metrics.loss.isFinite)
        let skipped = try state.tensors()
        #expect(skipped.numbers("lossScale") == [0.25, 0])
        for name in TinyTraining.samples {
            #expect(skipped.numbers(name) == TinyTraining.parameters.numbers(name), "\(name)")
            #expect(skipped.numbers("velocity.\(name)").allSatisfy { $0 == 0 }, "\(name)")
        }
        #expect(skipped.numbers("ema.fc.weight") == skipped.numbers("fc.weight"))
        // As in PyTorch, what the forward pass saw counts.
        #expect(
            skipped.numbers("bn1.running_mean")
                != TinyTraining.parameters.numbers("bn1.running_mean"))
        #expect(state.stepCount == 1)

        let next = try step.run(batch, learningRate: 0.01, state: &state)
        #expect(!next.wasSkipped && next.lossScale == 0.25)
        let after = try state.tensors()
        #expect(after.numbers("fc.weight") != skipped.numbers("fc.weight"))
        #expect(after.numbers("lossScale") == [0.25, 1])
    }

    @Test("grows after enough finite steps, over micro-batches too")
    func growth() throws {
        let batch = TinyTraining.batch(count: 4)
        let step = try TinyTraining.step(
            TrainingRecipe(
                gradientClipNorm: 1000, microBatchCount: 2,
                lossScaling: .dynamic(initial: 8, rule: LossScaleRule(growth: 4, interval: 2))),
            batch: 4)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var scales: [Double?] = []
        var norms: [Double] = []
        for _ in 0..<3 {
            let metrics = try step.run(batch, learningRate: 0, state: &state)
            scales.append(metrics.lossScale)
            norms.append(metrics.gradientNorm ?? .nan)
        }
        #expect(scales == [8, 8, 32])
        #expect(try state.tensors().numbers("lossScale") == [32, 1])
        // What is reported and clipped does not depend on the scale; the sums of squares round differently.
        #expect(abs(norms[2] / norms[0] - 1) <= 1e-4)
    }
}
