import Graph
import Tensors

/// A loss through each operation that has a gradient rule, and through blocks of a network.
let gradientCases: [GradientCase] =
    convolutionCases + normalizationCases + layerCases + lossGradientCases + blockCases
    + replicaGradientCases

private let convolutionCases: [GradientCase] = [
    ConvolutionSizes([2, 3, 5, 7], 4, size: 3, padding: 1),
    ConvolutionSizes([1, 3, 7, 5], 2, size: 3, stride: 2, padding: 1),
    ConvolutionSizes([1, 3, 11, 9], 3, size: 7, stride: 2, padding: 3),
    ConvolutionSizes([3, 5, 3, 3], 2, size: 1),
    ConvolutionSizes([2, 3, 5, 4], 5, size: 1, stride: 2),
    ConvolutionSizes([1, 2, 8, 8], 3, size: 3, stride: 3),
    ConvolutionSizes(
        [2, 2, 6, 6], 3, size: Spatial(3), stride: Spatial(2),
        padding: Padding(top: 0, left: 0, bottom: 1, right: 1)),
    ConvolutionSizes(
        [1, 2, 6, 7], 3, size: Spatial(height: 2, width: 4),
        stride: Spatial(height: 1, width: 3), padding: Padding(top: 1, left: 2, bottom: 0, right: 1)
    ),
].flatMap { sizes in
    [false, true].map { hasBias in
        GradientCase("convolution \(sizes.description)\(hasBias ? " bias" : "")") {
            (builder) throws(GraphError) in
            let x = try builder.state("x", sizes.x)
            let filter = try builder.state(
                "filter", [sizes.channels, sizes.x[1], sizes.size.height, sizes.size.width])
            let bias = hasBias ? try builder.state("bias", [sizes.channels]) : nil
            return try builder.loss(
                of: builder.graph.convolution(
                    x, filter: filter, bias: bias, stride: sizes.stride, padding: sizes.padding))
        }
    }
}

private let normalizationCases: [GradientCase] =
    ([[2, 3, 5, 3], [1, 4, 3, 3], [3, 2, 1, 1], [1, 2, 1, 3]] as [Shape]).flatMap { shape in
        [
            GradientCase("batch statistics \(shape)") { (builder) throws(GraphError) in
                try normalized(&builder, shape, nil)
            },
            GradientCase("batch statistics with a mean of 100 \(shape)") {
                (builder) throws(GraphError) in
                try normalized(&builder, shape, .normal(mean: 100))
            },
            GradientCase("frozen statistics \(shape)") { (builder) throws(GraphError) in
                let x = try builder.state("x", shape)
                return try builder.loss(of: builder.frozenNorm(x))
            },
        ]
    }

private func normalized(
    _ builder: inout CaseBuilder, _ shape: Shape, _ numbers: Numbers?
) throws(GraphError) -> Value {
    let x = try builder.state("x", shape, numbers)
    return try builder.loss(of: builder.batchNorm(x))
}

private let layerCases: [GradientCase] =
    [
        GradientCase("relu") { (builder) throws(GraphError) in
            try builder.loss(of: builder.graph.relu(builder.state("x", [2, 3, 5, 3])))
        },
        GradientCase("add") { (builder) throws(GraphError) in
            let first = try builder.state("x", [2, 3, 3, 3])
            let second = try builder.state("x", [2, 3, 3, 3])
            return try builder.loss(of: builder.graph.add(first, second))
        },
        GradientCase("add of one value twice, which is read elsewhere too") {
            (builder) throws(GraphError) in
            let x = try builder.state("x", [2, 3, 3, 3])
            let twice = try builder.graph.add(x, x)
            let product = try builder.graph.multiply(twice, by: x)
            return try builder.loss(of: builder.graph.add(product, builder.graph.relu(x)))
        },
        GradientCase("multiply by element") { (builder) throws(GraphError) in
            let first = try builder.state("x", [2, 3, 3, 3])
            let second = try builder.state("x", [2, 3, 3, 3])
            return try builder.loss(of: builder.graph.multiply(first, by: second))
        },
        GradientCase("multiply by a number") { (builder) throws(GraphError) in
            let x = try builder.state("x", [2, 3, 3, 3])
            let factor = try builder.scalar("factor", 1..<2)
            return try builder.loss(of: builder.graph.multiply(x, by: factor))
        },
        GradientCase("globalAveragePool") { (builder) throws(GraphError) in
            let x = try builder.state("x", [2, 3, 5, 3])
            return try builder.loss(of: builder.graph.globalAveragePool(x))
        },
        GradientCase("dense") { (builder) throws(GraphError) in
            let x = try builder.state("x", [3, 5])
            let weight = try builder.state("weight", [4, 5])
            let bias = try builder.state("bias", [4])
            return try builder.loss(of: builder.graph.dense(x, weight: weight, bias: bias))
        },
    ]
    + [
        Window(size: Spatial(3), stride: Spatial(2), padding: Padding(1)),
        Window(size: Spatial(2), stride: Spatial(2), padding: Padding(0)),
        Window(
            size: Spatial(height: 4, width: 2), stride: Spatial(height: 3, width: 1),
            padding: Padding(top: 2, left: 0, bottom: 1, right: 1)),
    ].map { window in
        GradientCase("maxPool \(window.size.height)x\(window.size.width)") {
            (builder) throws(GraphError) in
            let x = try builder.state("x", [2, 3, 7, 6])
            return try builder.loss(
                of: builder.graph.maxPool(
                    x, size: window.size, stride: window.stride, padding: window.padding))
        }
    }

private let lossGradientCases: [GradientCase] = [1, 3].flatMap { (images: Int) in
    [false, true].flatMap { soft in
        [false, true].flatMap { weighted in
            [0, 0.1].map { smoothing in
                GradientCase(
                    "crossEntropy of \(images)\(soft ? " distributions" : " labels")"
                        + "\(weighted ? " weighted" : "")\(smoothing > 0 ? " smoothed" : "")"
                ) { (builder) throws(GraphError) in
                    let logits = try builder.state("logits", [images, 7], .uniform(-3..<3))
                    let targets =
                        soft
                        ? try builder.input("targets", [images, 7], nil, .distributions)
                        : try builder.labels(images, of: 7)
                    let weights =
                        weighted
                        ? try builder.parameter("class weights", [7], nil, .uniform(0.5..<2)) : nil
                    return try builder.graph.crossEntropy(
                        logits, targets: targets, weights: weights, smoothing: smoothing)
                }
            }
        }
    }
}

private let blockCases: [GradientCase] =
    [false, true].flatMap { frozen in
        [
            GradientCase("basic block, \(frozen ? "frozen" : "batch") statistics") {
                (builder) throws(GraphError) in
                let x = try builder.state("x", [2, 4, 5, 7])
                return try builder.loss(of: builder.basicBlock(x, frozen: frozen))
            },
            GradientCase("bottleneck with a projection, \(frozen ? "frozen" : "batch") statistics")
            {
                (builder) throws(GraphError) in
                let x = try builder.state("x", [3, 5, 7, 5])
                return try builder.loss(
                    of: builder.bottleneck(x, channels: 6, stride: 2, frozen: frozen))
            },
            GradientCase("bottleneck of one image, \(frozen ? "frozen" : "batch") statistics") {
                (builder) throws(GraphError) in
                let x = try builder.state("x", [1, 5, 9, 7])
                return try builder.loss(
                    of: builder.bottleneck(x, channels: 6, stride: 2, frozen: frozen))
            },
            GradientCase("small network from pixels, \(frozen ? "frozen" : "batch") statistics") {
                (builder) throws(GraphError) in
                try builder.smallNetwork(pixels: (3, 17, 15), channels: 3, frozen: frozen)
            },
        ]
    }

/// What one replica's values do to other replicas' losses.
private let replicaGradientCases: [GradientCase] =
    [2, 3].flatMap { replicas in
        [
            GradientCase("a mean over \(replicas) replicas on the way", replicas: replicas) {
                (builder) throws(GraphError) in
                let x = try ownActivations(&builder, [2, 3, 3, 3])
                let mean = try builder.graph.replicaMean(x)
                return try builder.loss(of: builder.graph.multiply(mean, by: x))
            },
            GradientCase("a loss that is a mean over \(replicas) replicas", replicas: replicas) {
                (builder) throws(GraphError) in
                let loss = try builder.loss(of: ownActivations(&builder, [2, 3, 3, 3]))
                return try builder.graph.replicaMean(loss)
            },
            GradientCase(
                "synchronised batch statistics of \(replicas) replicas", replicas: replicas
            ) { (builder) throws(GraphError) in
                builder.isSynchronized = true
                let x = try ownActivations(&builder, [2, 3, 5, 3])
                return try builder.loss(of: builder.batchNorm(x))
            },
            GradientCase("own batch statistics of \(replicas) replicas", replicas: replicas) {
                (builder) throws(GraphError) in
                let x = try ownActivations(&builder, [2, 3, 5, 3])
                return try builder.loss(of: builder.batchNorm(x))
            },
            GradientCase(
                "bottleneck with a projection, synchronised on \(replicas) replicas",
                replicas: replicas
            ) { (builder) throws(GraphError) in
                builder.isSynchronized = true
                let x = try ownActivations(&builder, [2, 5, 7, 5])
                return try builder.loss(
                    of: builder.bottleneck(x, channels: 6, stride: 2, frozen: false))
            },
        ]
    }

/// A state times an input, so that each replica has other numbers.
private func ownActivations(
    _ builder: inout CaseBuilder, _ shape: Shape
) throws(GraphError) -> Value {
    let x = try builder.state("x", shape)
    return try builder.graph.multiply(x, by: builder.input("own", shape))
}
