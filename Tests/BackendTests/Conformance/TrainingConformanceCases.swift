import Graph
import Tensors

/// What every back end must do of training, case by case; `checkConformance` runs them through `compileUpdate`.
let trainingConformanceCases: [ConformanceCase] =
    convolutionGradientCases + normalizationGradientCases + poolingGradientCases
    + denseGradientCases + lossCases + elementwiseTrainingCases + optimizerCases + stateCases
    + networkTrainingCases + replicaCases(1)

// MARK: - Convolutions

/// Windows and strides of ResNets, and what is off every vector width, unlike along both axes, or unread.
private let gradientSizes: [ConvolutionSizes] = [
    // The stem: three channels under a wide window, even and odd extents.
    ConvolutionSizes([1, 3, 33, 31], 8, size: 7, stride: 2, padding: 3),
    ConvolutionSizes([2, 3, 16, 16], 64, size: 7, stride: 2, padding: 3),
    // One by one.
    ConvolutionSizes([1, 64, 14, 14], 64, size: 1),
    ConvolutionSizes([3, 17, 5, 7], 33, size: 1),
    ConvolutionSizes([3, 5, 4, 7], 3, size: 1),
    ConvolutionSizes([1, 1, 1, 1], 1, size: 1),
    ConvolutionSizes([2, 31, 1, 1], 65, size: 1),
    // One by one with a stride, which leaves most of the input unread.
    ConvolutionSizes([1, 33, 9, 9], 17, size: 1, stride: 2),
    ConvolutionSizes([3, 64, 8, 8], 64, size: 1, stride: 2),
    ConvolutionSizes([8, 16, 5, 5], 32, size: 1, stride: 2),
    ConvolutionSizes([1, 16, 7, 7], 5, size: 1, stride: 3),
    // Three by three.
    ConvolutionSizes([1, 64, 7, 7], 64, size: 3, padding: 1),
    ConvolutionSizes([2, 32, 14, 14], 16, size: 3, padding: 1),
    ConvolutionSizes([2, 17, 9, 7], 5, size: 3, padding: 1),
    ConvolutionSizes([3, 3, 5, 5], 33, size: 3, padding: 1),
    ConvolutionSizes([2, 1, 6, 6], 16, size: 3, padding: 1),
    ConvolutionSizes([1, 16, 6, 6], 1, size: 3, padding: 1),
    ConvolutionSizes([2, 8, 1, 1], 8, size: 3, padding: 1),
    ConvolutionSizes([1, 7, 2, 2], 9, size: 3, padding: 2),
    ConvolutionSizes([1, 4, 29, 57], 3, size: 3, padding: 1),
    // More channels than a block has, and more tiles.
    ConvolutionSizes([3, 40, 9, 7], 70, size: 3, padding: 1),
    ConvolutionSizes([2, 130, 5, 3], 20, size: 3, padding: 1),
    ConvolutionSizes([4, 32, 19, 22], 33, size: 3, padding: 1),
    // Three by three with a stride.
    ConvolutionSizes([3, 33, 11, 11], 17, size: 3, stride: 2, padding: 1),
    ConvolutionSizes([1, 64, 8, 8], 64, size: 3, stride: 2, padding: 1),
    ConvolutionSizes([2, 5, 6, 6], 3, size: 3, stride: 2, padding: 1),
    ConvolutionSizes([17, 3, 5, 5], 16, size: 3, stride: 3, padding: 1),
    // Rows and columns at the end that no window reaches.
    ConvolutionSizes([2, 6, 11, 11], 6, size: 2, stride: 2),
    ConvolutionSizes([1, 3, 10, 9], 5, size: 3, stride: 4),
    ConvolutionSizes([1, 16, 7, 7], 16, size: 2),
    ConvolutionSizes([3, 3, 7, 7], 4, size: 7),
    // Unlike along both axes.
    ConvolutionSizes(
        [2, 5, 12, 9], 7, size: Spatial(height: 3, width: 1), stride: Spatial(1),
        padding: Padding(top: 1, left: 0, bottom: 1, right: 0)),
    ConvolutionSizes(
        [1, 3, 9, 14], 6, size: Spatial(height: 2, width: 5),
        stride: Spatial(height: 1, width: 3), padding: Padding(0)),
    // TensorFlow's SAME: less before than after.
    ConvolutionSizes(
        [1, 3, 16, 16], 8, size: Spatial(7), stride: Spatial(2),
        padding: Padding(top: 2, left: 2, bottom: 3, right: 3)),
    ConvolutionSizes(
        [2, 17, 8, 8], 16, size: Spatial(3), stride: Spatial(2),
        padding: Padding(top: 0, left: 0, bottom: 1, right: 1)),
    ConvolutionSizes(
        [1, 16, 6, 5], 31, size: Spatial(3), stride: Spatial(1),
        padding: Padding(top: 2, left: 0, bottom: 0, right: 1)),
]

extension ConvolutionSizes {
    /// The shape of the result, and of its gradient.
    fileprivate var result: Shape {
        [
            x[0], channels,
            (x[2] + padding.top + padding.bottom - size.height) / stride.height + 1,
            (x[3] + padding.left + padding.right - size.width) / stride.width + 1,
        ]
    }

    fileprivate var filter: Shape { [channels, x[1], size.height, size.width] }
}

private let convolutionGradientCases: [ConformanceCase] =
    gradientSizes.flatMap { sizes in
        WeightKind.allCases.map { kind in
            ConformanceCase("convolutionInputGradient \(sizes.description), \(kind)") {
                (builder) throws(GraphError) in
                let gradient = try builder.input("gradient", sizes.result)
                let filter = try builder.weights(kind, "filter", sizes.filter)
                try builder.output(
                    builder.graph.convolutionInputGradient(
                        gradient: gradient, filter: filter,
                        size: Spatial(height: sizes.x[2], width: sizes.x[3]),
                        stride: sizes.stride, padding: sizes.padding))
            }
        } + [
            ConformanceCase("convolutionFilterGradient \(sizes.description)") {
                (builder) throws(GraphError) in
                let gradient = try builder.input("gradient", sizes.result)
                let x = try builder.input("x", sizes.x)
                try builder.output(
                    builder.graph.convolutionFilterGradient(
                        gradient: gradient, x: x, size: sizes.size, stride: sizes.stride,
                        padding: sizes.padding))
            },
            ConformanceCase("convolution of a state \(sizes.description)") {
                (builder) throws(GraphError) in
                let x = try builder.input("x", sizes.x)
                let filter = try builder.weights(.state, "filter", sizes.filter)
                try builder.output(
                    builder.graph.convolution(
                        x, filter: filter, stride: sizes.stride, padding: sizes.padding))
            },
            // The filter, its gradient and its velocity meet element by element, however each is laid out.
            ConformanceCase("convolution, its gradients and its update \(sizes.description)") {
                (builder) throws(GraphError) in
                try convolutionStep(&builder, sizes)
            },
        ]
    }

/// Forward, both gradients, and an update of filter and velocity.
private func convolutionStep(
    _ builder: inout CaseBuilder, _ sizes: ConvolutionSizes
) throws(GraphError) {
    let x = try builder.input("x", sizes.x)
    let gradient = try builder.input("gradient", sizes.result)
    let master = try builder.state("filter", sizes.filter)
    let velocity = try builder.state("velocity", sizes.filter)
    let filter = try builder.narrowed(master)
    try builder.output(
        builder.graph.convolution(
            x, filter: filter, stride: sizes.stride, padding: sizes.padding))
    try builder.output(
        builder.graph.convolutionInputGradient(
            gradient: gradient, filter: filter,
            size: Spatial(height: sizes.x[2], width: sizes.x[3]), stride: sizes.stride,
            padding: sizes.padding))
    let filterGradient = try builder.graph.convolutionFilterGradient(
        gradient: gradient, x: x, size: sizes.size, stride: sizes.stride, padding: sizes.padding)
    let rule = MomentumRule(momentum: 0.9, weightDecay: 0.1)
    let rate = try builder.scalar("rate", 0.01..<0.1)
    let factor = try builder.graph.constant(0.125, builder.vectorType)
    let newVelocity = try builder.graph.velocityUpdate(
        rule, velocity: velocity, weight: master, gradient: filterGradient, rate: rate,
        factor: factor)
    let newFilter = try builder.graph.weightUpdate(
        rule, weight: master, gradient: filterGradient, velocity: newVelocity, rate: rate,
        factor: factor)
    try builder.update(velocity, newVelocity)
    try builder.update(master, newFilter)
}

// MARK: - Batch norm

private let normalizedShapes: [Shape] = [
    [1, 64, 7, 7], [3, 5, 9, 4], [8, 17, 3, 5], [2, 33, 1, 1], [1, 3, 1, 2], [4, 1, 5, 5],
    [3, 16, 17, 19],
]

private let normalizationGradientCases: [ConformanceCase] =
    normalizedShapes.flatMap { shape in normalizationCases(shape) }
    + [1, 100, -1000].flatMap { (mean: Double) in
        // The two rows are compared apart, since the means would hide errors of the variances.
        ([[4, 3, 15, 15], [2, 17, 7, 9]] as [Shape]).map { shape in
            ConformanceCase("batchMoments \(shape) with means of \(mean)") {
                (builder) throws(GraphError) in
                let x = try builder.input("x", shape, nil, .normal(mean: mean))
                try outputMoments(&builder, builder.graph.batchMoments(x))
            }
        }
    }
    + [
        // `x * a + (b - mean * a)` takes the difference of two numbers ten times as large as the result.
        ConformanceCase(
            "normalizeBatch with means of 10", comparison: .byElement(amplification: 16)
        ) { (builder) throws(GraphError) in
            let x = try builder.input("x", [2, 17, 7, 9], nil, .normal(mean: 10))
            let moments = try builder.graph.batchMoments(x)
            let scale = try builder.input("scale", [17], builder.vectorType)
            let shift = try builder.input("shift", [17], builder.vectorType)
            try builder.output(
                builder.graph.normalizeBatch(x, scale: scale, shift: shift, moments: moments))
        }
    ]

private func outputMoments(
    _ builder: inout CaseBuilder, _ moments: Value
) throws(GraphError) {
    try builder.output(builder.graph.row(moments, index: 0))
    try builder.output(builder.graph.row(moments, index: 1))
}

/// Cases of one shape, with moments that are given, so that each operation stands alone, and with computed ones.
private func normalizationCases(_ shape: Shape) -> [ConformanceCase] {
    let channels = shape[1]
    return [
        ConformanceCase("batchMoments \(shape)") { (builder) throws(GraphError) in
            // Means near zero, whose errors are those of sums of numbers as large as a deviation.
            try builder.output(builder.graph.batchMoments(builder.input("x", shape)))
        },
        ConformanceCase("normalizeBatch \(shape)") { (builder) throws(GraphError) in
            let x = try builder.input("x", shape)
            let moments = try builder.input(
                "moments", [2, channels], builder.vectorType, .moments)
            let scale = try builder.parameter("scale", [channels], builder.vectorType)
            let shift = try builder.state("shift", [channels])
            try builder.output(
                builder.graph.normalizeBatch(
                    x, scale: scale, shift: shift, moments: moments, epsilon: 0.125))
        },
        ConformanceCase("normalizationSums \(shape)") { (builder) throws(GraphError) in
            let gradient = try builder.input("gradient", shape)
            let x = try builder.input("x", shape)
            let moments = try builder.input(
                "moments", [2, channels], builder.vectorType, .moments)
            try builder.output(
                builder.graph.normalizationSums(
                    gradient: gradient, x: x, moments: moments, epsilon: 0.125))
        },
        ConformanceCase("normalizeBatchGradient \(shape)") { (builder) throws(GraphError) in
            let gradient = try builder.input("gradient", shape)
            let x = try builder.input("x", shape)
            let scale = try builder.state("scale", [channels])
            let moments = try builder.input(
                "moments", [2, channels], builder.vectorType, .moments)
            // As large as sums over a channel are.
            let count = Double(shape[0] * shape[2] * shape[3])
            let sums = try builder.input(
                "sums", [2, channels], builder.vectorType, .uniform(-count..<count))
            try builder.output(
                builder.graph.normalizeBatchGradient(
                    gradient: gradient, x: x, scale: scale, moments: moments, sums: sums,
                    epsilon: 0.125))
        },
        ConformanceCase("batchNormalizationGradient \(shape)") { (builder) throws(GraphError) in
            let gradient = try builder.input("gradient", shape)
            let scale = try builder.state("scale", [channels])
            let variance = try builder.state("variance", [channels])
            try builder.output(
                builder.graph.batchNormalizationGradient(
                    gradient: gradient, scale: scale, variance: variance, epsilon: 0.125))
        },
        ConformanceCase("batchNormalization of states \(shape)") {
            (builder) throws(GraphError) in
            let x = try builder.input("x", shape)
            let scale = try builder.state("scale", [channels])
            let shift = try builder.state("shift", [channels])
            let mean = try builder.state("mean", [channels])
            let variance = try builder.state("variance", [channels])
            try builder.output(
                builder.graph.batchNormalization(
                    x, scale: scale, shift: shift, mean: mean, variance: variance))
        },
        ConformanceCase(
            "batch norm forward and back \(shape)",
            // Where a channel has few positions its variance may be small, and dividing by it enlarges errors.
            comparison: .byElement(amplification: 8)
        ) { (builder) throws(GraphError) in
            try batchNormStep(&builder, shape)
        },
    ]
}

/// Moments, running statistics, forward and all gradients, as a network's layer has them.
private func batchNormStep(_ builder: inout CaseBuilder, _ shape: Shape) throws(GraphError) {
    let channels = shape[1]
    let epsilon = 0.125
    let x = try builder.input("x", shape)
    let gradient = try builder.input("gradient", shape)
    let scale = try builder.state("scale", [channels])
    let shift = try builder.state("shift", [channels])
    let moments = try builder.graph.batchMoments(x)
    try builder.output(
        builder.graph.normalizeBatch(
            x, scale: scale, shift: shift, moments: moments, epsilon: epsilon))
    let sums = try builder.graph.normalizationSums(
        gradient: gradient, x: x, moments: moments, epsilon: epsilon)
    try builder.output(
        builder.graph.normalizeBatchGradient(
            gradient: gradient, x: x, scale: scale, moments: moments, sums: sums,
            epsilon: epsilon))
    try builder.output(sums)
    let share = try builder.graph.constant(0.1, builder.vectorType)
    let count = Double(shape[0] * shape[2] * shape[3])
    let unbiased = try builder.graph.constant(count / max(count - 1, 1), builder.vectorType)
    let mean = try builder.state("mean", [channels])
    let variance = try builder.state("variance", [channels])
    let newMean = try builder.graph.row(moments, index: 0)
    let biased = try builder.graph.row(moments, index: 1)
    let newVariance = try builder.graph.multiply(biased, by: unbiased)
    try builder.update(mean, builder.graph.movingAverage(mean, newMean, share: share))
    try builder.update(variance, builder.graph.movingAverage(variance, newVariance, share: share))
}
