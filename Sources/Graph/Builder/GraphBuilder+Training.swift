public import Tensors

/// One call an operation of training steps. Shapes and rules are those of `Operation`; each throws `GraphError`
/// naming the label, what was expected and what was found. Gradients are in `GraphBuilder+Gradients.swift`.
extension GraphBuilder {
    /// Adds one number, without axes.
    ///
    /// - Parameter elementType: float32 or float64.
    public mutating func constant(
        _ number: Double, _ elementType: ElementType = .float32, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.constant(number, elementType), [], label: label)
    }

    /// Adds mean and biased variance of each channel.
    ///
    /// Shape: `x` is `[N, C, H, W]`; the result is `[2, C]`, row 0 the means.
    public mutating func batchMoments(
        _ x: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.batchMoments, [x], label: label)
    }

    /// Adds a batch normalisation with the moments of `x` itself.
    ///
    /// Shape: `x` is `[N, C, H, W]`, `scale` and `shift` `[C]`, `moments` `[2, C]`.
    public mutating func normalizeBatch(
        _ x: Value, scale: Value, shift: Value, moments: Value, epsilon: Double = 1e-5,
        label: String = ""
    ) throws(GraphError) -> Value {
        try append(.normalizeBatch(epsilon: epsilon), [x, scale, shift, moments], label: label)
    }

    // MARK: Losses

    /// Adds the mean loss over a batch.
    ///
    /// Shape: `logits` is `[N, C]`; `targets` are labels, int32 `[N]`, or distributions `[N, C]`; `weights` `[C]`.
    public mutating func crossEntropy(
        _ logits: Value, targets: Value, weights: Value? = nil, smoothing: Double = 0,
        label: String = ""
    ) throws(GraphError) -> Value {
        let loss = CrossEntropy(smoothing: smoothing, hasWeights: weights != nil)
        let operands = [logits, targets] + [weights].compactMap { $0 }
        return try append(.crossEntropy(loss), operands, label: label)
    }

    /// Adds how many images have their label among the largest logits.
    ///
    /// Shape: `logits` is `[N, C]`, `labels` int32 `[N]`; the result has no axes.
    ///
    /// - Parameter top: how many of the largest, 1 to `C`.
    public mutating func correctCount(
        _ logits: Value, labels: Value, top: Int, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.correctCount(top: top), [logits, labels], label: label)
    }

    // MARK: Parts and products

    /// Adds one row along the first axis.
    public mutating func row(
        _ x: Value, index: Int, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.row(index: index), [x], label: label)
    }

    /// Adds vectors of one length under each other.
    public mutating func stack(
        _ vectors: [Value], label: String = ""
    ) throws(GraphError) -> Value {
        try append(.stack, vectors, label: label)
    }

    /// Adds a product by element, or by one number where `factor` has no axes.
    public mutating func multiply(
        _ x: Value, by factor: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.multiply, [x, factor], label: label)
    }

    /// Adds one over each element.
    public mutating func reciprocal(_ x: Value, label: String = "") throws(GraphError) -> Value {
        try append(.reciprocal, [x], label: label)
    }

    /// Adds the sum of squares over all elements of all operands.
    public mutating func squaredNorm(
        _ operands: [Value], label: String = ""
    ) throws(GraphError) -> Value {
        try append(.squaredNorm, operands, label: label)
    }

    /// Adds 1 where all elements of all operands are finite, else 0.
    public mutating func isFinite(
        _ operands: [Value], label: String = ""
    ) throws(GraphError) -> Value {
        try append(.isFinite, operands, label: label)
    }

    /// Adds one of two tensors: `first` where `condition` is not 0.
    public mutating func select(
        _ condition: Value, _ first: Value, _ second: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.select, [condition, first, second], label: label)
    }

    // MARK: Updates

    /// Adds `old + share * (new - old)`.
    ///
    /// - Parameter share: without axes.
    public mutating func movingAverage(
        _ old: Value, _ new: Value, share: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.movingAverage, [old, new, share], label: label)
    }

    /// Adds the factor that brings a norm down to `maximum` at most.
    public mutating func clipFactor(
        squaredNorm: Value, maximum: Double, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.clipFactor(maximum: maximum), [squaredNorm], label: label)
    }

    /// Adds LARS's trust ratio.
    ///
    /// - Parameters:
    ///   - weight: the squared norm of the weight, without axes.
    ///   - gradient: the squared norm of its gradient.
    public mutating func trustRatio(
        weight: Value, gradient: Value, coefficient: Double, weightDecay: Double, epsilon: Double,
        label: String = ""
    ) throws(GraphError) -> Value {
        try append(
            .trustRatio(coefficient: coefficient, weightDecay: weightDecay, epsilon: epsilon),
            [weight, gradient], label: label)
    }

    /// Adds the new velocity of a weight.
    ///
    /// - Parameters:
    ///   - rate: the learning rate, without axes.
    ///   - factor: what the gradient is multiplied with, without axes.
    public mutating func velocityUpdate(
        _ rule: MomentumRule, velocity: Value, weight: Value, gradient: Value, rate: Value,
        factor: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(
            .velocityUpdate(rule), [velocity, weight, gradient, rate, factor], label: label)
    }

    /// Adds the new weight.
    ///
    /// - Parameters:
    ///   - velocity: the new one, of `velocityUpdate`.
    ///   - rate: the learning rate, without axes.
    ///   - factor: what the gradient is multiplied with, without axes.
    public mutating func weightUpdate(
        _ rule: MomentumRule, weight: Value, gradient: Value, velocity: Value, rate: Value,
        factor: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(
            .weightUpdate(rule), [weight, gradient, velocity, rate, factor], label: label)
    }

    /// Adds the next loss scale and the count of finite steps.
    ///
    /// - Parameters:
    ///   - present: the present ones, `[2]`.
    ///   - isFinite: whether this step's gradients were finite, without axes.
    public mutating func lossScaleUpdate(
        _ rule: LossScaleRule, _ present: Value, isFinite: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.lossScaleUpdate(rule), [present, isFinite], label: label)
    }

    // MARK: Replicas

    /// Adds the mean over all replicas, by element; `x` itself where there is one.
    public mutating func replicaMean(_ x: Value, label: String = "") throws(GraphError) -> Value {
        try append(.replicaMean, [x], label: label)
    }

    /// Adds the moments of all replicas' data together; the moments themselves where there is one.
    ///
    /// Shape: `moments`, as of `batchMoments`, and the result are `[2, C]`.
    public mutating func replicaMoments(
        _ moments: Value, label: String = ""
    ) throws(GraphError) -> Value {
        try append(.replicaMoments, [moments], label: label)
    }
}
