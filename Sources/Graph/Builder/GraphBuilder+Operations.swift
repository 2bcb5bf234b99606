public import Tensors

/// One call an operation. Shapes and rules are those of `Operation`; each throws `GraphError` naming the label,
/// what was expected and what was found.
extension GraphBuilder {
    /// Adds a convolution, with what is fused into it.
    ///
    /// Shape: `x` is `[N, C, H, W]`, `filter` `[O, C, h, w]`, `bias` `[O]`; `residual` is shaped as the result.
    public mutating func convolution(
        _ x: Value, filter: Value, bias: Value? = nil, residual: Value? = nil,
        stride: Spatial = Spatial(1), padding: Padding = Padding(0),
        activation: Activation = .none, label: String = ""
    ) throws(GraphError) -> Value {
        let attributes = Convolution(
            stride: stride, padding: padding, hasBias: bias != nil, hasResidual: residual != nil,
            activation: activation)
        let operands = [x, filter] + [bias, residual].compactMap { $0 }
        return try append(.convolution(attributes), operands, label: label)
    }

    /// Adds a batch normalisation with stored statistics.
    ///
    /// Shape: `x` is `[N, C, H, W]`, all others `[C]`.
    public mutating func batchNormalization(
        _ x: Value, scale: Value, shift: Value, mean: Value, variance: Value,
        epsilon: Double = 1e-5, label: String = ""
    ) throws(GraphError) -> Value {
        try append(
            .batchNormalization(epsilon: epsilon), [x, scale, shift, mean, variance],
            label: label)
    }

    /// Adds the larger of each element and zero.
    public mutating func relu(_ x: Value, label: String = "") throws(GraphError) -> Value {
        try append(.relu, [x], label: label)
    }

    /// Adds a sum of two tensors of one type.
    public mutating func add(
        _ first: Value, _ second: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.add, [first, second], label: label)
    }

    /// Adds a maximum under a moving window; padding is never chosen.
    public mutating func maxPool(
        _ x: Value, size: Spatial, stride: Spatial, padding: Padding = Padding(0),
        label: String = ""
    ) throws(GraphError) -> Value {
        try append(
            .maxPool(Window(size: size, stride: stride, padding: padding)), [x], label: label)
    }

    /// Adds a mean over both spatial axes.
    public mutating func globalAveragePool(
        _ x: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.globalAveragePool, [x], label: label)
    }

    /// Adds a fully connected layer.
    ///
    /// Shape: `x` is `[N, I]`, `weight` `[O, I]`, `bias` `[O]`.
    ///
    /// - Parameter elementType: the result's, that of `x` by default.
    public mutating func dense(
        _ x: Value, weight: Value, bias: Value, elementType: ElementType? = nil,
        label: String = ""
    ) throws(GraphError) -> Value {
        let elementType = elementType ?? type(of: x)?.elementType ?? .float32
        return try append(.dense(elementType: elementType), [x, weight, bias], label: label)
    }

    /// Adds probabilities along the last axis.
    public mutating func softmax(_ x: Value, label: String = "") throws(GraphError) -> Value {
        try append(.softmax, [x], label: label)
    }

    /// Adds the step from decoded pixels to a network's input.
    ///
    /// Shape: `x` is uint8 `[N, H, W, C]`; the result is `[N, C, H, W]`.
    public mutating func normalizeImage(
        _ x: Value, mean: [Double], deviation: [Double], elementType: ElementType = .float32,
        label: String = ""
    ) throws(GraphError) -> Value {
        try append(
            .normalizeImage(mean: mean, deviation: deviation, elementType: elementType), [x],
            label: label)
    }

    /// Adds a change of element type.
    public mutating func cast(
        _ x: Value, to elementType: ElementType, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.cast(elementType), [x], label: label)
    }
}
