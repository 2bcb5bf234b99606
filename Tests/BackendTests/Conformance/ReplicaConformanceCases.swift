import Graph
import Tensors

/// What every back end must do that runs several replicas; with one, the cases of all back ends have these too.
let replicaConformanceCases: [ConformanceCase] =
    replicaCases(2) + replicaCases(4) + [2, 4].flatMap { replicaNetworkCases($0) }

/// Each operation that replicas meet in, and what they share and what each has of its own.
func replicaCases(_ replicas: Int) -> [ConformanceCase] {
    let suffix = replicas == 1 ? "1 replica" : "\(replicas) replicas"
    return [
        ConformanceCase("replicaMean of a tensor and of a number, \(suffix)", replicas: replicas) {
            (builder) throws(GraphError) in
            let x = try builder.input("x", [3, 5, 7])
            try builder.output(builder.graph.replicaMean(x))
            let norm = try builder.graph.squaredNorm([x])
            try builder.output(builder.graph.replicaMean(norm))
            // Not a mean: each replica's own.
            try builder.output(builder.graph.relu(x))
        },
        ConformanceCase("replicaMean of images with channels, \(suffix)", replicas: replicas) {
            (builder) throws(GraphError) in
            let x = try builder.input("x", [2, 17, 5, 3])
            let mean = try builder.graph.replicaMean(builder.graph.relu(x))
            try builder.output(builder.graph.add(mean, x))
        },
        ConformanceCase("replicaMean of labels counted, \(suffix)", replicas: replicas) {
            (builder) throws(GraphError) in
            let logits = try builder.input("logits", [5, 10])
            let labels = try builder.labels(5, of: 10)
            let factor = try builder.scalar("factor", 0.5..<2)
            let count = try builder.graph.correctCount(logits, labels: labels, top: 3)
            let mean = try builder.graph.replicaMean(count)
            try builder.output(mean)
            try builder.output(builder.graph.multiply(mean, by: factor))
            let loss = try builder.graph.crossEntropy(logits, targets: labels)
            try builder.output(builder.graph.replicaMean(loss))
        },
        ConformanceCase(
            "states that stay equal, and one that does not, \(suffix)", replicas: replicas
        ) { (builder) throws(GraphError) in
            let x = try builder.input("x", [4, 9])
            let share = try builder.graph.constant(0.25, builder.vectorType)
            let average = try builder.state("average", [9])
            let sum = try builder.state("sum", [9])
            let sums = try builder.graph.channelSums(x)
            let mean = try builder.graph.replicaMean(sums)
            try builder.update(
                average, builder.graph.movingAverage(average, mean, share: share))
            // Collected on each replica over the runs, and put together at once.
            let collected = try builder.graph.add(sum, sums)
            try builder.update(sum, collected)
            try builder.output(builder.graph.replicaMean(collected))
            try builder.output(collected)
        },
    ] + replicaMomentsCases(replicas, suffix)
}

private func replicaMomentsCases(_ replicas: Int, _ suffix: String) -> [ConformanceCase] {
    [0, 100].map { (mean: Double) in
        ConformanceCase(
            "replicaMoments with means of \(mean), \(suffix)",
            // Means of 100 are rounded by up to 2^-18, and what lies between two of them is about a tenth: squared it is
            // off by some 2^-20.
            comparison: .byElement(amplification: mean == 0 ? 1 : 4), replicas: replicas
        ) { (builder) throws(GraphError) in
            let x = try builder.input("x", [2, 17, 7, 9], nil, .normal(mean: mean))
            let moments = try builder.graph.replicaMoments(builder.graph.batchMoments(x))
            // Apart, since the means would hide errors of the variances.
            try builder.output(builder.graph.row(moments, index: 0))
            try builder.output(builder.graph.row(moments, index: 1))
        }
    } + [
        ConformanceCase("replicaMoments of moments far apart, \(suffix)", replicas: replicas) {
            (builder) throws(GraphError) in
            let moments = try builder.input("moments", [2, 33], builder.vectorType, .moments)
            try builder.output(builder.graph.replicaMoments(moments))
        },
        ConformanceCase(
            "synchronised batch norm forward and back, \(suffix)",
            comparison: .byElement(amplification: 8), replicas: replicas
        ) { (builder) throws(GraphError) in
            let x = try builder.input("x", [3, 5, 9, 4])
            let gradient = try builder.input("gradient", [3, 5, 9, 4])
            let scale = try builder.state("scale", [5])
            let shift = try builder.state("shift", [5])
            let moments = try builder.graph.replicaMoments(builder.graph.batchMoments(x))
            try builder.output(
                builder.graph.normalizeBatch(
                    x, scale: scale, shift: shift, moments: moments, epsilon: 0.125))
            let own = try builder.graph.normalizationSums(
                gradient: gradient, x: x, moments: moments, epsilon: 0.125)
            let sums = try builder.graph.replicaMean(own)
            try builder.output(
                builder.graph.normalizeBatchGradient(
                    gradient: gradient, x: x, scale: scale, moments: moments, sums: sums,
                    epsilon: 0.125))
            try builder.update(scale, builder.graph.row(sums, index: 1))
        },
    ]
}

/// A network's step with statistics of either kind.
///
/// Gradients, which each replica has of its own share, meet before the update. Tolerances are those of networks on one
/// replica.
private func replicaNetworkCases(_ replicas: Int) -> [ConformanceCase] {
    [false, true].map { isSynchronized in
        ConformanceCase(
            "small network, \(isSynchronized ? "synchronised" : "own") statistics, "
                + "\(replicas) replicas",
            comparison: .byRootMeanSquare(float32: 2e-5, bfloat16: 0.3), replicas: replicas
        ) { (builder) throws(GraphError) in
            builder.isSynchronized = isSynchronized
            let loss = try builder.smallNetwork(pixels: (4, 33, 31), channels: 16, frozen: false)
            try builder.output(builder.graph.replicaMean(loss))
            let states = builder.states.map(\.value)
            let gradients = try builder.graph.gradients(of: loss, withRespectTo: states)
            let rule = MomentumRule(momentum: 0.9, weightDecay: 0.01)
            let rate = try builder.graph.constant(0.01, builder.vectorType)
            let factor = try builder.graph.constant(1, builder.vectorType)
            for (weight, own) in zip(states, gradients) {
                let gradient = try builder.graph.replicaMean(own)
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
                        rule, weight: weight, gradient: gradient, velocity: newVelocity,
                        rate: rate, factor: factor))
            }
        }
    }
}
