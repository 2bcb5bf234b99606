import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

/// Weights over some steps, by formulas as their sources print them, beside the graph's operations.
@Suite("Optimizers")
struct OptimizerTests {
    /// A rate that changes, so that conventions differ.
    static let rates = [0.1, 0.1, 0.05, 0.02]
    static let weights = [1, -2, 0.5, 3]

    /// Some gradient: that of a bowl, and a little that differs by step.
    static func gradient(_ weights: [Double], step: Int) -> [Double] {
        weights.enumerated().map { $1 * Double($0 + 1) / 2 + 0.1 * Double(step) }
    }

    /// The weights after each step by the graph.
    private func run(
        _ rule: MomentumRule, factor: Double = 1,
        rate: (inout GraphBuilder, _ rate: Value, _ weight: Value, _ gradient: Value)
            throws(GraphError) -> Value = { _, rate, _, _ in rate }
    ) throws -> [[Double]] {
        var builder = GraphBuilder(name: "optimizer")
        let type = TensorType(.float64, [4])
        let weight = try builder.state("weight", type: type)
        let velocity = try builder.state("velocity", type: type)
        let gradient = try builder.input("gradient", type: type)
        let given = try builder.input("rate", type: TensorType(.float64, []))
        let own = try rate(&builder, given, weight, gradient)
        let factor = try builder.constant(factor, .float64)
        let newVelocity = try builder.velocityUpdate(
            rule, velocity: velocity, weight: weight, gradient: gradient, rate: own,
            factor: factor)
        let newWeight = try builder.weightUpdate(
            rule, weight: weight, gradient: gradient, velocity: newVelocity, rate: own,
            factor: factor)
        try builder.update("velocity", newVelocity)
        try builder.update("weight", newWeight)
        let step = try ReferenceBackend().compileUpdate(builder.finish(), parameters: [:])
        var state = try step.makeState([
            "weight": HostTensor(Self.weights, shape: [4]),
            "velocity": HostTensor([Double](repeating: 0, count: 4), shape: [4]),
        ])
        var path: [[Double]] = []
        var present = Self.weights
        for (index, rate) in Self.rates.enumerated() {
            let inputs = [
                HostTensor(Self.gradient(present, step: index), shape: [4]),
                HostTensor([rate], shape: []),
            ]
            _ = try step.run(inputs, state: &state)
            present = try #require(state.tensors()["weight"]).doubles()
            path.append(present)
        }
        return path
    }

    private func expectEqual(_ found: [[Double]], _ wanted: [[Double]]) {
        for (index, pair) in zip(found, wanted).enumerated() {
            for (found, wanted) in zip(pair.0, pair.1) {
                // A few roundings of float64 a step.
                #expect(abs(found - wanted) <= 1e-14, "step \(index)")
            }
        }
        #expect(found.count == wanted.count)
    }

    @Test("follow PyTorch's SGD", arguments: [false, true], [0, 0.1])
    func pyTorch(nesterov: Bool, weightDecay: Double) throws {
        // torch.optim.SGD's documentation: g += decay * p; b = momentum * b + g, at first g itself;
        // g = nesterov ? g + momentum * b : b; p -= lr * g.
        var weights = Self.weights
        var buffer: [Double]?
        var path: [[Double]] = []
        for (index, rate) in Self.rates.enumerated() {
            var g = Self.gradient(weights, step: index)
            for i in g.indices { g[i] += weightDecay * weights[i] }
            if var b = buffer {
                for i in g.indices { b[i] = 0.9 * b[i] + g[i] }
                buffer = b
            } else {
                buffer = g
            }
            let b = buffer ?? g
            for i in g.indices {
                let step = nesterov ? g[i] + 0.9 * b[i] : b[i]
                weights[i] -= rate * step
            }
            path.append(weights)
        }
        let rule = MomentumRule(momentum: 0.9, weightDecay: weightDecay, nesterov: nesterov)
        expectEqual(try run(rule), path)
    }

    @Test("follow Keras's SGD", arguments: [false, true])
    func keras(nesterov: Bool) throws {
        // tf.keras.optimizers.SGD's documentation: velocity = momentum * velocity - learning_rate * g; then
        // w = w + velocity, or with Nesterov w = w + momentum * velocity - learning_rate * g.
        var weights = Self.weights
        var velocity = [Double](repeating: 0, count: 4)
        var path: [[Double]] = []
        for (index, rate) in Self.rates.enumerated() {
            let g = Self.gradient(weights, step: index)
            for i in g.indices {
                velocity[i] = 0.9 * velocity[i] - rate * g[i]
                weights[i] += nesterov ? 0.9 * velocity[i] - rate * g[i] : velocity[i]
            }
            path.append(weights)
        }
        expectEqual(
            try run(MomentumRule(convention: .keras, momentum: 0.9, nesterov: nesterov)), path)
    }

    @Test("follow LARS as MLPerf's ResNet uses it")
    func lars() throws {
        // MLPerf's LARSOptimizer: the rate is scaled by eeta * |w| / (|g| + decay * |w| + epsilon), the gradient
        // gets decay * w, then v = momentum * v + rate * g and w = w - v.
        let (coefficient, decay, epsilon) = (0.05, 0.2, 0.01)
        func norm(_ values: [Double]) -> Double {
            values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        var weights = Self.weights
        var velocity = [Double](repeating: 0, count: 4)
        var path: [[Double]] = []
        for (index, rate) in Self.rates.enumerated() {
            let g = Self.gradient(weights, step: index)
            let ratio = coefficient * norm(weights) / (norm(g) + decay * norm(weights) + epsilon)
            for i in g.indices {
                velocity[i] = 0.9 * velocity[i] + rate * ratio * (g[i] + decay * weights[i])
            }
            for i in g.indices { weights[i] -= velocity[i] }
            path.append(weights)
        }
        let rule = MomentumRule(convention: .keras, momentum: 0.9, weightDecay: decay)
        let found = try run(rule) { (builder, rate, weight, gradient) throws(GraphError) in
            let ratio = try builder.trustRatio(
                weight: builder.squaredNorm([weight]), gradient: builder.squaredNorm([gradient]),
                coefficient: coefficient, weightDecay: decay, epsilon: epsilon)
            return try builder.multiply(rate, by: ratio)
        }
        expectEqual(found, path)
    }

    @Test("multiply gradients, not weight decay, with the gradient factor")
    func factor() throws {
        // One plain step: w - rate * (factor * g + decay * w).
        let found = try run(MomentumRule(momentum: 0, weightDecay: 0.5), factor: 0.25)[0]
        let g = Self.gradient(Self.weights, step: 0)
        for (index, weight) in Self.weights.enumerated() {
            #expect(abs(found[index] - (weight - 0.1 * (0.25 * g[index] + 0.5 * weight))) <= 1e-15)
        }
    }

    @Test("agree between conventions while the rate stays, and not once it changes")
    func conventions() throws {
        let first = try run(MomentumRule(momentum: 0.9))
        let second = try run(MomentumRule(convention: .keras, momentum: 0.9))
        expectEqual(Array(first[0..<2]), Array(second[0..<2]))
        #expect(abs(first[3][0] - second[3][0]) > 0.01)
    }
}
