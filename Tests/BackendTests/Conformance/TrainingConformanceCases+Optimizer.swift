import Graph
import Tensors

private let momentumRules: [MomentumRule] = MomentumRule.Convention.allCases.flatMap {
    convention in
    [false, true].flatMap { nesterov in
        [0, 0.125].map { weightDecay in
            MomentumRule(
                convention: convention, momentum: 0.9, weightDecay: weightDecay,
                nesterov: nesterov)
        }
    }
}

extension MomentumRule {
    fileprivate var description: String {
        "\(convention.rawValue)\(nesterov ? " nesterov" : "")\(weightDecay > 0 ? " decay" : "")"
    }
}

let optimizerCases: [ConformanceCase] =
    momentumRules.flatMap { rule in
        ([[17], [10, 64], [33, 5, 3, 3], [64, 16, 1, 1]] as [Shape]).map { shape in
            ConformanceCase("momentum \(rule.description) \(shape)") {
                (builder) throws(GraphError) in
                let weight = try builder.state("weight", shape)
                let velocity = try builder.state("velocity", shape)
                let gradient = try builder.input("gradient", shape, builder.vectorType)
                let rate = try builder.scalar("rate", 0.1..<1)
                let factor = try builder.scalar("factor", 0.5..<2)
                try descend(&builder, rule, weight, velocity, gradient, rate, factor)
            }
        }
    }
    + [
        ConformanceCase("momentum without a velocity that stays") {
            (builder) throws(GraphError) in
            // Both halves from a state, so that neither is fused with the other.
            let rule = MomentumRule(momentum: 0.5)
            let weight = try builder.state("weight", [5, 7])
            let velocity = try builder.state("velocity", [5, 7])
            let gradient = try builder.input("gradient", [5, 7], builder.vectorType)
            let rate = try builder.scalar("rate", 0.1..<1)
            let factor = try builder.scalar("factor", 0.5..<2)
            try builder.output(
                builder.graph.velocityUpdate(
                    rule, velocity: velocity, weight: weight, gradient: gradient, rate: rate,
                    factor: factor))
            try builder.output(
                builder.graph.weightUpdate(
                    rule, weight: weight, gradient: gradient, velocity: velocity, rate: rate,
                    factor: factor))
        },
        ConformanceCase("LARS") { (builder) throws(GraphError) in
            let rate = try builder.scalar("rate", 0.1..<1)
            let factor = try builder.graph.constant(1, builder.vectorType)
            for shape in [[33, 5, 3, 3], [64, 16, 1, 1]] as [Shape] {
                let weight = try builder.state("weight", shape)
                let velocity = try builder.state("velocity", shape)
                let gradient = try builder.input("gradient", shape, builder.vectorType)
                let ratio = try builder.graph.trustRatio(
                    weight: builder.graph.squaredNorm([weight]),
                    gradient: builder.graph.squaredNorm([gradient]), coefficient: 0.5,
                    weightDecay: 0.25, epsilon: 0.125)
                let ownRate = try builder.graph.multiply(rate, by: ratio)
                let rule = MomentumRule(convention: .keras, momentum: 0.9, weightDecay: 0.25)
                try descend(&builder, rule, weight, velocity, gradient, ownRate, factor)
            }
        },
        ConformanceCase("trustRatio of norms, and where one is zero") {
            (builder) throws(GraphError) in
            for (weight, gradient) in [(4.0, 9.0), (0, 9), (4, 0), (0, 0)] {
                let type = builder.vectorType
                let first = try builder.input("weight", [], type, .these([weight]))
                let second = try builder.input("gradient", [], type, .these([gradient]))
                try builder.output(
                    builder.graph.trustRatio(
                        weight: first, gradient: second, coefficient: 0.001,
                        weightDecay: 0.0625, epsilon: 0.5))
            }
        },
        ConformanceCase("clipFactor above and below its maximum") {
            (builder) throws(GraphError) in
            for norm in [0, 0.25, 3.99, 4, 4.01, 1e6] {
                let type = builder.vectorType
                let squared = try builder.input("norm", [], type, .these([norm * norm]))
                try builder.output(builder.graph.clipFactor(squaredNorm: squared, maximum: 4))
            }
        },
        ConformanceCase("gradient clipping over several tensors") {
            (builder) throws(GraphError) in
            let shapes: [Shape] = [[17, 5, 3, 3], [33], [10, 17]]
            let rate = try builder.scalar("rate", 0.1..<1)
            var gradients: [Value] = []
            for shape in shapes {
                gradients.append(try builder.input("gradient", shape, builder.vectorType))
            }
            let factor = try builder.graph.clipFactor(
                squaredNorm: builder.graph.squaredNorm(gradients), maximum: 1)
            for (shape, gradient) in zip(shapes, gradients) {
                let weight = try builder.state("weight", shape)
                let velocity = try builder.state("velocity", shape)
                let rule = MomentumRule(momentum: 0.9, nesterov: true)
                try descend(&builder, rule, weight, velocity, gradient, rate, factor)
            }
        },
    ]
    + [
        // Scale and count; whether gradients are finite. Two runs reach the interval of 2.
        (8.0, 0.0, 1.0), (8, 1, 1), (8, 1, 0), (8, 0, 0),
    ].map { (scale: Double, count: Double, finite: Double) in
        ConformanceCase("lossScaleUpdate of \(scale), \(count), finite \(finite)") {
            (builder) throws(GraphError) in
            let state = try builder.state("scale", [2], .these([scale, count]))
            let isFinite = try builder.input(
                "finite", [], builder.vectorType, .these([finite]))
            let rule = LossScaleRule(growth: 4, backoff: 0.25, interval: 2)
            try builder.update(
                state, builder.graph.lossScaleUpdate(rule, state, isFinite: isFinite))
        }
    }
    + [1, Double.infinity, .nan].map { (special: Double) in
        ConformanceCase("step that is skipped unless finite, beside \(special)") {
            (builder) throws(GraphError) in
            try scaledStep(&builder, special: special)
        }
    }

/// Updates a weight and its velocity.
private func descend(
    _ builder: inout CaseBuilder, _ rule: MomentumRule, _ weight: Value, _ velocity: Value,
    _ gradient: Value, _ rate: Value, _ factor: Value
) throws(GraphError) {
    let newVelocity = try builder.graph.velocityUpdate(
        rule, velocity: velocity, weight: weight, gradient: gradient, rate: rate, factor: factor)
    let newWeight = try builder.graph.weightUpdate(
        rule, weight: weight, gradient: gradient, velocity: newVelocity, rate: rate,
        factor: factor)
    try builder.update(velocity, newVelocity)
    try builder.update(weight, newWeight)
}

/// A step with a dynamic loss scale: gradients are divided by it, and states stay where one is not finite.
private func scaledStep(_ builder: inout CaseBuilder, special: Double) throws(GraphError) {
    let scale = try builder.state("scale", [2], .these([16, 0]))
    let weight = try builder.state("weight", [5, 7])
    let velocity = try builder.state("velocity", [5, 7])
    let numbers = (0..<35).map { $0 == 17 ? special : Double($0) / 8 }
    let gradient = try builder.input("gradient", [5, 7], builder.vectorType, .these(numbers))
    let rate = try builder.scalar("rate", 0.1..<1)
    let factor = try builder.graph.reciprocal(builder.graph.row(scale, index: 0))
    let rule = MomentumRule(momentum: 0.9, weightDecay: 0.125)
    let newVelocity = try builder.graph.velocityUpdate(
        rule, velocity: velocity, weight: weight, gradient: gradient, rate: rate, factor: factor)
    let newWeight = try builder.graph.weightUpdate(
        rule, weight: weight, gradient: gradient, velocity: newVelocity, rate: rate,
        factor: factor)
    let isFinite = try builder.graph.isFinite([gradient])
    try builder.update(velocity, builder.graph.select(isFinite, newVelocity, velocity))
    try builder.update(weight, builder.graph.select(isFinite, newWeight, weight))
    let next = try builder.graph.lossScaleUpdate(
        LossScaleRule(growth: 2, backoff: 0.5, interval: 1), scale, isFinite: isFinite)
    try builder.update(scale, next)
    try builder.output(isFinite)
}

// MARK: - State

let stateCases: [ConformanceCase] = [
    ConformanceCase("two states that change places") { (builder) throws(GraphError) in
        let first = try builder.state("a", [5, 7])
        let second = try builder.state("b", [5, 7])
        try builder.update(first, second)
        try builder.update(second, first)
    },
    ConformanceCase("filters that change places") { (builder) throws(GraphError) in
        let x = try builder.input("x", [1, 17, 6, 6])
        let first = try builder.state("filter", [17, 17, 3, 3])
        let second = try builder.state("filter", [17, 17, 3, 3])
        try builder.output(
            builder.graph.convolution(x, filter: builder.narrowed(first), padding: Padding(1)))
        try builder.update(first, second)
        try builder.update(second, first)
    },
    ConformanceCase("a state that is read after its update is made") {
        (builder) throws(GraphError) in
        let sum = try builder.state("sum", [17])
        let x = try builder.input("x", [17], builder.vectorType)
        let next = try builder.graph.add(sum, x)
        try builder.update(sum, next)
        // Reads the state as it was.
        try builder.output(builder.graph.multiply(sum, by: next))
        try builder.output(builder.graph.add(sum, sum))
    },
    ConformanceCase("a state that is an output, one that becomes an input, one that stays") {
        (builder) throws(GraphError) in
        let first = try builder.state("first", [5, 7])
        let second = try builder.state("second", [33])
        let third = try builder.state("third", [3])
        let x = try builder.input("x", [33], builder.vectorType)
        try builder.output(first)
        try builder.output(builder.graph.add(second, second))
        try builder.output(third)
        try builder.update(second, x)
        try builder.update(first, builder.graph.add(first, first))
    },
    ConformanceCase("a filter that is an output and has an update") {
        (builder) throws(GraphError) in
        let x = try builder.input("x", [2, 5, 6, 6])
        let filter = try builder.state("filter", [33, 5, 3, 3])
        try builder.output(filter)
        try builder.output(
            builder.graph.convolution(x, filter: builder.narrowed(filter), padding: Padding(1)))
        let factor = try builder.graph.constant(0.5, builder.vectorType)
        try builder.update(filter, builder.graph.multiply(filter, by: factor))
    },
    ConformanceCase("a filter that two convolutions read") { (builder) throws(GraphError) in
        let x = try builder.input("x", [1, 16, 9, 9])
        let filter = try builder.state("filter", [16, 16, 3, 3])
        let read = try builder.narrowed(filter)
        let y = try builder.graph.convolution(x, filter: read, padding: Padding(1))
        try builder.output(
            builder.graph.convolution(y, filter: read, stride: Spatial(2), padding: Padding(1)))
        // Accumulated over steps, as gradients are, and averaged, as weights are for evaluation.
        let gradient = try builder.graph.convolutionFilterGradient(
            gradient: y, x: x, size: Spatial(3), padding: Padding(1))
        let sum = try builder.state("sum", [16, 16, 3, 3])
        try builder.update(sum, builder.graph.add(sum, gradient))
        let average = try builder.state("average", [16, 16, 3, 3])
        let share = try builder.scalar("share", 0.1..<0.5)
        try builder.update(
            average, builder.graph.movingAverage(average, filter, share: share))
    },
    ConformanceCase("a state of whole numbers that counts") { (builder) throws(GraphError) in
        let count = try builder.state("count", [], .these([1024]))
        let one = try builder.graph.constant(1, builder.vectorType)
        try builder.update(count, builder.graph.add(count, one))
        try builder.output(count)
    },
]
