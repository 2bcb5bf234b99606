import Graph
import Tensors

/// Parts of networks, forward and back, with an update of every state: what a back end fuses meets here.
let networkTrainingCases: [ConformanceCase] =
    [false, true].flatMap { frozen in
        let suffix = frozen ? "frozen statistics" : "batch statistics"
        return [
            networkCase("stem and bottleneck from pixels, \(suffix)") {
                (builder) throws(GraphError) in
                try builder.smallNetwork(pixels: (8, 33, 31), channels: 16, frozen: frozen)
            },
            networkCase("basic blocks, \(suffix)") { (builder) throws(GraphError) in
                var y = try builder.input("x", [8, 3, 9, 7])
                y = try builder.layer(y, channels: 17, size: 3, frozen: frozen)
                y = try builder.graph.relu(y)
                y = try builder.basicBlock(y, frozen: frozen)
                y = try builder.basicBlock(y, frozen: frozen)
                return try builder.classificationLoss(y, classes: 10)
            },
            networkCase("bottlenecks with and without a projection, \(suffix)") {
                (builder) throws(GraphError) in
                var y = try builder.input("x", [4, 16, 14, 14])
                y = try builder.bottleneck(y, channels: 64, frozen: frozen)
                y = try builder.bottleneck(y, channels: 64, frozen: frozen)
                y = try builder.bottleneck(y, channels: 96, stride: 2, frozen: frozen)
                return try builder.classificationLoss(y, classes: 10)
            },
            networkCase("bottleneck of one image, \(suffix)") { (builder) throws(GraphError) in
                var y = try builder.input("x", [1, 3, 21, 23])
                y = try builder.bottleneck(y, channels: 34, stride: 2, frozen: frozen)
                return try builder.classificationLoss(y, classes: 5)
            },
        ]
    }

/// A loss as an output, and a step of Nesterov's down its gradients.
///
/// In float32, errors of `2^-24` add up over a dozen nodes forward and back; dividing by a deviation enlarges them
/// a few times. This is where wiring is held to account.
///
/// In bfloat16 nodes round by up to `2^-9`, so that of a thousand activations a few end on the other side of zero and
/// pass or stop a whole gradient: the error of a gradient is then the root of their share. In the reference itself,
/// which rounds exactly at the graph's nodes, it is up to 0.19; a back end that rounds elsewhere has as much again in
/// other elements. A gradient that is wrong has an error of about 1.
private func networkCase(
    _ name: String, _ body: @escaping @Sendable (inout CaseBuilder) throws(GraphError) -> Value
) -> ConformanceCase {
    ConformanceCase(
        "\(name), forward and back", comparison: .byRootMeanSquare(float32: 2e-5, bfloat16: 0.3)
    ) { (builder) throws(GraphError) in
        let loss = try body(&builder)
        try builder.output(loss)
        let states = builder.states.map(\.value)
        let gradients = try builder.graph.gradients(of: loss, withRespectTo: states)
        let rule = MomentumRule(momentum: 0.9, weightDecay: 0.01, nesterov: true)
        let rate = try builder.graph.constant(0.01, builder.vectorType)
        let factor = try builder.graph.constant(1, builder.vectorType)
        for (weight, gradient) in zip(states, gradients) {
            // Velocities start at zero, so that the first ones are the gradients.
            let shape = builder.graph.type(of: weight)?.shape ?? []
            let velocity = try builder.state(
                "velocity", shape, .these([Double](repeating: 0, count: shape.elementCount)))
            let newVelocity = try builder.graph.velocityUpdate(
                rule, velocity: velocity, weight: weight, gradient: gradient, rate: rate,
                factor: factor)
            try builder.update(velocity, newVelocity)
            try builder.update(
                weight,
                builder.graph.weightUpdate(
                    rule, weight: weight, gradient: gradient, velocity: newVelocity, rate: rate,
                    factor: factor))
        }
    }
}
