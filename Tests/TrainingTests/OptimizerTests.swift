import Execution
import Graph
import ResNetModel
import Tensors
import Testing
import Training

/// Two steps of each optimizer, with another rate in the second, against the formulas in float64.
@Suite("Optimizers")
struct OptimizerTests {
    private static let momentum = 0.875
    private static let weightDecay = 0.01
    private static let rates = [0.05, 0.02]

    private struct Weights {
        var weight: [Double]
        var velocity: [Double]
    }

    private struct Case: Sendable {
        var optimizer: Optimizer
        var update: @Sendable (_ old: Weights, _ gradient: [Double], _ rate: Double) -> Weights
    }

    private static func pyTorch(nesterov: Bool) -> Case {
        Case(optimizer: .sgd(momentum: momentum, nesterov: nesterov)) { old, gradient, rate in
            var new = old
            for index in gradient.indices {
                let step = gradient[index] + weightDecay * old.weight[index]
                new.velocity[index] = momentum * old.velocity[index] + step
                new.weight[index] -=
                    rate * (nesterov ? step + momentum * new.velocity[index] : new.velocity[index])
            }
            return new
        }
    }

    private static func keras(nesterov: Bool) -> Case {
        let optimizer = Optimizer.sgd(
            momentum: momentum, nesterov: nesterov, convention: .keras)
        return Case(optimizer: optimizer) { old, gradient, rate in
            var new = old
            for index in gradient.indices {
                let step = rate * (gradient[index] + weightDecay * old.weight[index])
                new.velocity[index] = momentum * old.velocity[index] - step
                new.weight[index] +=
                    nesterov ? momentum * new.velocity[index] - step : new.velocity[index]
            }
            return new
        }
    }

    private static let lars = Case(
        optimizer: .lars(momentum: momentum, coefficient: 0.25, epsilon: 0.125)
    ) { old, gradient, rate in
        func norm(_ numbers: [Double]) -> Double {
            numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        let trust =
            0.25 * norm(old.weight)
            / (norm(gradient) + weightDecay * norm(old.weight) + 0.125)
        return keras(nesterov: false).update(old, gradient, rate * trust)
    }

    private static let cases: [(String, Case)] = [
        ("PyTorch", pyTorch(nesterov: false)), ("PyTorch with Nesterov", pyTorch(nesterov: true)),
        ("Keras", keras(nesterov: false)), ("Keras with Nesterov", keras(nesterov: true)),
        ("LARS", lars),
    ]

    @Test("two steps follow the formula", arguments: cases.indices)
    func followsFormula(index: Int) throws {
        let (name, testCase) = Self.cases[index]
        let batch = TinyTraining.batch()
        let step = try TinyTraining.step(
            TrainingRecipe(optimizer: testCase.optimizer, weightDecay: Self.weightDecay))
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var old = try state.tensors()
        for rate in Self.rates {
            let gradients = try TinyTraining.gradients(at: old, batch)
            _ = try step.run(batch, learningRate: rate, state: &state)
            let new = try state.tensors()
            // LARS treats only these two alike; the others take the plain rate.
            let names =
                name == "LARS"
                ? ["conv1.weight", "layer2.0.downsample.0.weight", "fc.weight"]
                : TinyTraining.samples
            for name in names {
                let expected = testCase.update(
                    Weights(
                        weight: old.numbers(name), velocity: old.numbers("velocity.\(name)")),
                    gradients.numbers(name), rate)
                // The sums of a few float32 products and of the gradients themselves.
                #expect(
                    relativeDifference(new.numbers("velocity.\(name)"), expected.velocity) <= 2e-6,
                    "\(name)")
                #expect(relativeDifference(new.numbers(name), expected.weight) <= 2e-6, "\(name)")
            }
            old = new
        }
    }

    @Test("LARS leaves batch norms and biases their plain rate, without decay")
    func larsSkips() throws {
        let batch = TinyTraining.batch()
        var recipe = TrainingRecipe.mlPerf(precision: .float32)
        recipe.labelSmoothing = 0
        let step = try TinyTraining.step(recipe)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        _ = try step.run(batch, learningRate: 0.5, state: &state)
        let new = try state.tensors()
        let gradients = try TinyTraining.gradients(at: TinyTraining.parameters, batch)
        for name in ["bn1.weight", "layer2.0.downsample.1.weight", "fc.bias"] {
            let expected = gradients.numbers(name).map { -0.5 * $0 }
            #expect(
                relativeDifference(new.numbers("velocity.\(name)"), expected) <= 1e-6, "\(name)")
        }
    }

    @Test("the gradients' norm is brought down to the maximum, and reported as it was")
    func clipping() throws {
        let batch = TinyTraining.batch()
        let gradients = try TinyTraining.gradients(at: TinyTraining.parameters, batch)
        let norm = gradients.values.reduce(0.0) { sum, gradient in
            gradient.doubles().reduce(sum) { $0 + $1 * $1 }
        }.squareRoot()
        for (maximum, factor) in [(norm / 4, norm / 4 / (norm + 1e-6)), (norm * 2, 1)] {
            let step = try TinyTraining.step(
                TrainingRecipe(weightDecay: 0, gradientClipNorm: maximum))
            var state = try step.initialState(parameters: TinyTraining.parameters)
            let metrics = try step.run(batch, learningRate: 0.1, state: &state)
            // A float32 sum of eleven million squares in a row.
            #expect(abs((metrics.gradientNorm ?? 0) / norm - 1) <= 1e-3)
            let velocity = try state.tensors().numbers("velocity.conv1.weight")
            let expected = gradients.numbers("conv1.weight").map { $0 * factor }
            #expect(relativeDifference(velocity, expected) <= 1e-3)
        }
    }

    @Test("the average follows weights and running statistics, by a share that falls")
    func average() throws {
        let batch = TinyTraining.batch()
        let step = try TinyTraining.step(
            TrainingRecipe(averaging: WeightAveraging(decay: 0.15)))
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var expected = try state.averagedParameters()
        #expect(expected.numbers("fc.weight") == TinyTraining.parameters.numbers("fc.weight"))
        // 9 / (10 + 0), then 1 - 0.15 since 2 / 11 is more than 0.15.
        for share in [0.9, 0.85] {
            _ = try step.run(batch, learningRate: 0.1, state: &state)
            let new = try state.parameters()
            let averages = try state.averagedParameters()
            for name in ["conv1.weight", "bn1.running_var", "layer4.1.bn2.running_mean", "fc.bias"]
            {
                let average = zip(expected.numbers(name), new.numbers(name)).map {
                    $0 + share * ($1 - $0)
                }
                #expect(relativeDifference(averages.numbers(name), average) <= 1e-6, "\(name)")
            }
            expected = averages
        }
    }

    @Test("without averages there are none to ask for")
    func noAverage() throws {
        let step = try TinyTraining.step(TrainingRecipe())
        let state = try step.initialState(parameters: TinyTraining.parameters)
        do throws(ExecutionError) {
            _ = try state.averagedParameters()
            Issue.record("expected an error")
        } catch {
            #expect(error.code == .missingParameter)
        }
    }
}
