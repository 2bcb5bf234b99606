import Tensors

/// One call an operation that computes gradients; `gradients(of:withRespectTo:scale:)` makes these calls.
extension GraphBuilder {
    /// Adds per channel the sum of the gradient, and of the gradient times the normalised `x`.
    ///
    /// Shape: `gradient` and `x` are `[N, C, H, W]`; `moments` and the result `[2, C]`.
    public mutating func normalizationSums(
        gradient: Value, x: Value, moments: Value, epsilon: Double = 1e-5, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.normalizationSums(epsilon: epsilon), [gradient, x, moments], label: label)
    }

    /// Adds the gradient of `normalizeBatch` for `x`, through the moments too.
    ///
    /// Shape: `gradient` and `x` are `[N, C, H, W]`, `scale` `[C]`, `moments` and `sums` `[2, C]`.
    public mutating func normalizeBatchGradient(
        gradient: Value, x: Value, scale: Value, moments: Value, sums: Value,
        epsilon: Double = 1e-5, label: String = ""
    ) throws(GraphError) -> Value {
        try append(
            .normalizeBatchGradient(epsilon: epsilon), [gradient, x, scale, moments, sums],
            label: label)
    }

    /// Adds the gradient of `batchNormalization` for its input.
    ///
    /// Shape: `gradient` is `[N, C, H, W]`, `scale` and `variance` `[C]`.
    public mutating func batchNormalizationGradient(
        gradient: Value, scale: Value, variance: Value, epsilon: Double = 1e-5, label: String = ""
    ) throws(GraphError) -> Value {
        try append(
            .batchNormalizationGradient(epsilon: epsilon), [gradient, scale, variance],
            label: label)
    }

    /// Adds the gradient where `y`, a result of `relu`, is above zero, else zero.
    public mutating func reluGradient(
        gradient: Value, y: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.reluGradient, [gradient, y], label: label)
    }

    /// Adds the gradient of a convolution for its input.
    ///
    /// Shape: `gradient` is `[N, O, H', W']`, `filter` `[O, C, h, w]`; the result is `[N, C, H, W]`.
    ///
    /// - Parameter size: the input's spatial extents.
    public mutating func convolutionInputGradient(
        gradient: Value, filter: Value, size: Spatial, stride: Spatial = Spatial(1),
        padding: Padding = Padding(0), label: String = ""
    ) throws(GraphError) -> Value {
        let convolution = Convolution(stride: stride, padding: padding)
        return try append(
            .convolutionInputGradient(convolution, size: size), [gradient, filter], label: label)
    }

    /// Adds the gradient of a convolution for its filter.
    ///
    /// Shape: `gradient` is `[N, O, H', W']`, `x` `[N, C, H, W]`; the result is `[O, C, h, w]`.
    ///
    /// - Parameter size: the filter's spatial extents.
    public mutating func convolutionFilterGradient(
        gradient: Value, x: Value, size: Spatial, stride: Spatial = Spatial(1),
        padding: Padding = Padding(0), label: String = ""
    ) throws(GraphError) -> Value {
        let convolution = Convolution(stride: stride, padding: padding)
        return try append(
            .convolutionFilterGradient(convolution, size: size), [gradient, x], label: label)
    }

    /// Adds where under each position of a window the first of the largest elements is.
    public mutating func maxPoolIndices(
        _ x: Value, _ window: Window, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.maxPoolIndices(window), [x], label: label)
    }

    /// Adds the gradient of `maxPool` for its input.
    ///
    /// Shape: `gradient` and `indices` are `[N, C, H', W']`; the result is `[N, C, H, W]`.
    ///
    /// - Parameter size: the input's spatial extents.
    public mutating func maxPoolGradient(
        gradient: Value, indices: Value, _ window: Window, size: Spatial, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.maxPoolGradient(window, size: size), [gradient, indices], label: label)
    }

    /// Adds the gradient of `globalAveragePool` for its input.
    ///
    /// Shape: `gradient` is `[N, C]`; the result is `[N, C, H, W]`.
    ///
    /// - Parameter size: the input's spatial extents.
    public mutating func globalAveragePoolGradient(
        gradient: Value, size: Spatial, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.globalAveragePoolGradient(size: size), [gradient], label: label)
    }

    /// Adds the gradient of a dense layer for its input.
    ///
    /// Shape: `gradient` is `[N, O]`, `weight` `[O, I]`; the result is `[N, I]`.
    public mutating func denseInputGradient(
        gradient: Value, weight: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.denseInputGradient, [gradient, weight], label: label)
    }

    /// Adds the gradient of a dense layer for its weight.
    ///
    /// Shape: `gradient` is `[N, O]`, `x` `[N, I]`; the result is `[O, I]`.
    public mutating func denseWeightGradient(
        gradient: Value, x: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.denseWeightGradient, [gradient, x], label: label)
    }

    /// Adds the sum over all axes but the second.
    public mutating func channelSums(_ x: Value, label: String = "") throws(GraphError) -> Value {
        try append(.channelSums, [x], label: label)
    }

    /// Adds the gradient of `crossEntropy` for the logits.
    ///
    /// Shape: as for `crossEntropy`; `gradient` has no axes.
    public mutating func crossEntropyGradient(
        _ logits: Value, targets: Value, weights: Value? = nil, gradient: Value,
        smoothing: Double = 0, label: String = ""
    ) throws(GraphError) -> Value {
        let loss = CrossEntropy(smoothing: smoothing, hasWeights: weights != nil)
        let operands = [logits, targets] + [weights].compactMap { $0 } + [gradient]
        return try append(.crossEntropyGradient(loss), operands, label: label)
    }
}
