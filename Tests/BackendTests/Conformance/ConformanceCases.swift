import Graph
import Tensors

/// What every back end must do, case by case.
let conformanceCases: [ConformanceCase] =
    convolutionCases + fusedConvolutionCases + poolingCases + otherOperationCases
    + combinationCases

/// A convolution's sizes: batch, channels, height and width; channels of the result; window, stride, padding.
struct ConvolutionSizes {
    var x: Shape
    var channels: Int
    var size: Spatial
    var stride = Spatial(1)
    var padding = Padding(0)

    init(
        _ x: Shape, _ channels: Int, size: Int, stride: Int = 1, padding: Int = 0
    ) {
        self.x = x
        self.channels = channels
        self.size = Spatial(size)
        self.stride = Spatial(stride)
        self.padding = Padding(padding)
    }

    init(_ x: Shape, _ channels: Int, size: Spatial, stride: Spatial, padding: Padding) {
        self.x = x
        self.channels = channels
        self.size = size
        self.stride = stride
        self.padding = padding
    }

    var description: String {
        "\(x) to \(channels), \(size.height)x\(size.width) step \(stride.height)x\(stride.width) "
            + "padding \(padding.top),\(padding.left),\(padding.bottom),\(padding.right)"
    }
}

/// Batches, channel counts off every vector width, windows, strides and paddings.
private let convolutionSizes: [ConvolutionSizes] = [
    ConvolutionSizes([1, 3, 33, 33], 8, size: 7, stride: 2, padding: 3),
    ConvolutionSizes([2, 3, 16, 16], 64, size: 7, stride: 2, padding: 3),
    ConvolutionSizes([1, 64, 14, 14], 64, size: 1),
    ConvolutionSizes([3, 64, 7, 7], 17, size: 1),
    ConvolutionSizes([1, 65, 9, 9], 31, size: 1, stride: 2),
    ConvolutionSizes([8, 16, 5, 5], 32, size: 1, stride: 2),
    ConvolutionSizes([17, 5, 4, 4], 3, size: 1),
    ConvolutionSizes([1, 1, 1, 1], 1, size: 1),
    ConvolutionSizes([2, 31, 1, 1], 65, size: 1),
    ConvolutionSizes([1, 32, 8, 8], 32, size: 3, padding: 1),
    ConvolutionSizes([2, 17, 9, 7], 5, size: 3, padding: 1),
    ConvolutionSizes([1, 64, 7, 7], 64, size: 3, padding: 1),
    ConvolutionSizes([3, 31, 11, 11], 17, size: 3, stride: 2, padding: 1),
    ConvolutionSizes([8, 5, 6, 6], 31, size: 3, stride: 2, padding: 1),
    ConvolutionSizes([17, 3, 5, 5], 16, size: 3, stride: 3, padding: 1),
    ConvolutionSizes([1, 4, 57, 57], 3, size: 3, padding: 1),
    ConvolutionSizes([2, 8, 1, 1], 8, size: 3, padding: 1),
    ConvolutionSizes([1, 7, 2, 2], 9, size: 3, padding: 2),
    ConvolutionSizes([2, 6, 10, 10], 6, size: 2, stride: 2),
    ConvolutionSizes([1, 16, 7, 7], 16, size: 2),
    ConvolutionSizes([1, 3, 7, 7], 4, size: 7),
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

private let convolutionCases: [ConformanceCase] = convolutionSizes.flatMap { sizes in
    [false, true].map { hasBias in
        ConformanceCase(
            "convolution \(sizes.description)\(hasBias ? " bias" : "")", x: sizes.x
        ) { (builder, x) throws(GraphError) in
            try builder.convolution(
                x, channels: sizes.channels, size: sizes.size, stride: sizes.stride,
                padding: sizes.padding, bias: hasBias)
        }
    }
}

private let fusedConvolutionCases: [ConformanceCase] = [
    ConvolutionSizes([1, 16, 7, 7], 64, size: 1),
    ConvolutionSizes([2, 64, 14, 14], 32, size: 1),
    ConvolutionSizes([3, 17, 5, 5], 31, size: 3, padding: 1),
    ConvolutionSizes([8, 32, 7, 7], 16, size: 3, stride: 2, padding: 1),
    ConvolutionSizes([17, 5, 3, 3], 65, size: 1, stride: 2),
].flatMap { sizes in
    [(true, Activation.relu), (true, .none), (false, .relu)].flatMap { hasBias, activation in
        [false, true].map { hasResidual in
            let parts = [
                hasBias ? " bias" : "", hasResidual ? " residual" : "",
                activation == .relu ? " relu" : "",
            ]
            return ConformanceCase(
                "convolution \(sizes.description)\(parts.joined())", x: sizes.x
            ) { (builder, x) throws(GraphError) in
                // The residual is computed, as in a network, so that it is laid out as a result is.
                let residual =
                    hasResidual
                    ? try builder.convolution(
                        x, channels: sizes.channels, size: sizes.size, stride: sizes.stride,
                        padding: sizes.padding, bias: false)
                    : nil
                return try builder.convolution(
                    x, channels: sizes.channels, size: sizes.size, stride: sizes.stride,
                    padding: sizes.padding, bias: hasBias, residual: residual,
                    activation: activation)
            }
        }
    }
}

let poolingWindows: [(x: Shape, window: Window)] =
    [
        ([1, 64, 15, 15], Window(size: Spatial(3), stride: Spatial(2), padding: Padding(1))),
        ([8, 16, 16, 16], Window(size: Spatial(3), stride: Spatial(2), padding: Padding(1))),
        ([2, 31, 9, 9], Window(size: Spatial(2), stride: Spatial(2), padding: Padding(0))),
        ([3, 5, 7, 8], Window(size: Spatial(3), stride: Spatial(1), padding: Padding(1))),
        ([1, 3, 1, 1], Window(size: Spatial(3), stride: Spatial(2), padding: Padding(1))),
        (
            [2, 17, 6, 6],
            Window(
                size: Spatial(3), stride: Spatial(2),
                padding: Padding(top: 0, left: 0, bottom: 1, right: 1))
        ),
        (
            [1, 8, 11, 7],
            Window(
                size: Spatial(height: 4, width: 2), stride: Spatial(height: 3, width: 1),
                padding: Padding(top: 2, left: 0, bottom: 1, right: 1))
        ),
    ]

private let poolingCases: [ConformanceCase] =
    poolingWindows.map { shape, window in
        ConformanceCase(
            "maxPool \(shape), \(window.size.height)x\(window.size.width) "
                + "step \(window.stride.height)x\(window.stride.width)", x: shape
        ) { (builder, x) throws(GraphError) in
            // All negative, so that padding counted as zero would win.
            let filter = try builder.parameter("negative", [shape[1], shape[1], 1, 1])
            let bias = try builder.parameter("below", [shape[1]], builder.vectorType)
            let negative = try builder.graph.convolution(x, filter: filter, bias: bias)
            return try builder.graph.maxPool(
                negative, size: window.size, stride: window.stride, padding: window.padding)
        }
    }
    + ([[1, 64, 7, 7], [2, 31, 1, 1], [8, 17, 3, 5], [1, 5, 57, 57]] as [Shape]).map { shape in
        ConformanceCase("globalAveragePool \(shape)", x: shape) { (builder, x) throws(GraphError) in
            try builder.graph.globalAveragePool(x)
        }
    }

private let otherOperationCases: [ConformanceCase] =
    ([[1, 64, 7, 7], [3, 5, 9, 4], [17, 31, 1, 1]] as [Shape]).flatMap { shape in
        [
            ConformanceCase("relu \(shape)", x: shape) { (builder, x) throws(GraphError) in
                try builder.graph.relu(x)
            },
            ConformanceCase("add \(shape)", x: shape) { (builder, x) throws(GraphError) in
                let other = try builder.convolution(x, channels: shape[1], size: Spatial(1))
                return try builder.graph.add(x, other)
            },
            ConformanceCase("add of one value twice \(shape)", x: shape) {
                (builder, x) throws(GraphError) in
                try builder.graph.add(x, x)
            },
            ConformanceCase("batchNormalization \(shape)", x: shape) {
                (builder, x) throws(GraphError) in
                try batchNormalization(&builder, x, channels: shape[1])
            },
        ]
    }
    + ([[1, 64], [3, 31], [17, 5], [2, 512]] as [Shape]).flatMap { shape in
        [
            ConformanceCase("dense \(shape)", x: shape) { (builder, x) throws(GraphError) in
                try dense(&builder, x, inputs: shape[1], outputs: 37)
            },
            ConformanceCase("softmax \(shape)", x: shape) { (builder, x) throws(GraphError) in
                try builder.graph.softmax(x)
            },
            ConformanceCase("softmax of scores \(shape)", x: shape) {
                (builder, x) throws(GraphError) in
                let scores = try dense(&builder, x, inputs: shape[1], outputs: 1000)
                return try builder.graph.softmax(scores)
            },
        ]
    }
    + ([[1, 9, 7, 3], [3, 4, 4, 3], [2, 5, 6, 1]] as [Shape]).map { shape in
        ConformanceCase("normalizeImage \(shape)", pixels: shape) {
            (builder, x) throws(GraphError) in
            try builder.graph.normalizeImage(
                x, mean: [0.485, 0.456, 0.406].suffix(shape[3]),
                deviation: [0.229, 0.224, 0.225].suffix(shape[3]),
                elementType: builder.elementType)
        }
    }
    + [
        ConformanceCase("cast to float32", x: [2, 5, 3, 3]) { (builder, x) throws(GraphError) in
            let y = try builder.graph.cast(x, to: .float32)
            return try builder.graph.cast(y, to: builder.elementType)
        }
    ]

private let combinationCases: [ConformanceCase] = [
    ConformanceCase("value read twice and far apart", x: [2, 16, 8, 8]) {
        (builder, x) throws(GraphError) in
        let a = try builder.convolution(x, channels: 16, size: Spatial(1), activation: .relu)
        var y = a
        for _ in 0..<3 {
            y = try builder.convolution(
                y, channels: 16, size: Spatial(3), padding: Padding(1), activation: .relu)
        }
        return try builder.graph.add(a, y)
    },
    ConformanceCase("bottleneck with a projection", x: [2, 32, 9, 9]) {
        (builder, x) throws(GraphError) in
        let shortcut = try builder.convolution(
            x, channels: 64, size: Spatial(1), stride: Spatial(2))
        var y = try builder.convolution(x, channels: 16, size: Spatial(1), activation: .relu)
        y = try builder.convolution(
            y, channels: 16, size: Spatial(3), stride: Spatial(2), padding: Padding(1),
            activation: .relu)
        return try builder.convolution(
            y, channels: 64, size: Spatial(1), residual: shortcut, activation: .relu)
    },
    ConformanceCase("pixels to probabilities", pixels: [3, 20, 20, 3]) {
        (builder, x) throws(GraphError) in
        var y = try builder.graph.normalizeImage(
            x, mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25],
            elementType: builder.elementType)
        y = try builder.convolution(
            y, channels: 16, size: Spatial(7), stride: Spatial(2), padding: Padding(3),
            activation: .relu)
        y = try builder.graph.maxPool(
            y, size: Spatial(3), stride: Spatial(2), padding: Padding(1))
        y = try builder.graph.globalAveragePool(y)
        let scores = try dense(&builder, y, inputs: 16, outputs: 10)
        return try builder.graph.softmax(scores)
    },
]

private func batchNormalization(
    _ builder: inout CaseBuilder, _ x: Value, channels: Int
) throws(GraphError) -> Value {
    let type = builder.vectorType
    let scale = try builder.parameter("scale", [channels], type)
    let shift = try builder.parameter("shift", [channels], type)
    let mean = try builder.parameter("mean", [channels], type)
    let variance = try builder.parameter("variance", [channels], type)
    return try builder.graph.batchNormalization(
        x, scale: scale, shift: shift, mean: mean, variance: variance)
}

private func dense(
    _ builder: inout CaseBuilder, _ x: Value, inputs: Int, outputs: Int
) throws(GraphError) -> Value {
    let weight = try builder.parameter("weight", [outputs, inputs])
    let bias = try builder.parameter("bias", [outputs], builder.vectorType)
    return try builder.graph.dense(
        x, weight: weight, bias: bias, elementType: builder.vectorType)
}
