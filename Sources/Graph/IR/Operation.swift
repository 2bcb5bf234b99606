public import Tensors

/// What a node does.
///
/// Logical axis order is `N, C, H, W`; filters are `O, I, H, W`.
public enum Operation: Sendable, Hashable {
    /// What the caller gives for each run. No operands.
    case input(name: String)
    /// What is given once, when the graph is compiled. No operands.
    case parameter(name: String)
    /// Operands: `x [N, C, H, W]`, `filter [O, C, h, w]`, bias `[O]` if any, residual `[N, O, H', W']` if any.
    case convolution(Convolution)
    /// Normalises with stored statistics. Operands: `x [N, C, H, W]`, scale, shift, mean, variance, each `[C]`.
    case batchNormalization(epsilon: Double)
    /// The larger of each element and zero. Operand: `x`.
    case relu
    /// The sum of two tensors of one shape.
    case add
    /// The maximum under a window. Operand: `x [N, C, H, W]`.
    case maxPool(Window)
    /// The mean over both spatial axes. Operand: `x [N, C, H, W]`; result `[N, C]`.
    case globalAveragePool
    /// `x · weightᵀ + bias`. Operands: `x [N, I]`, weight `[O, I]`, bias `[O]`; result `[N, O]` of the element
    /// type stated here: that of `x`, or float32 where `x` is narrower.
    case dense(elementType: ElementType)
    /// Probabilities along the last axis. Operand: logits `[N, C]`.
    case softmax
    /// `(x / 255 - mean) / deviation` per channel. Operand: `x` uint8 `[N, H, W, C]`, pixels as decoded;
    /// result `[N, C, H, W]` of the element type stated here.
    case normalizeImage(mean: [Double], deviation: [Double], elementType: ElementType)
    /// The same numbers in another element type. Operand: `x`.
    case cast(ElementType)

    // MARK: Training

    /// What a step changes: given once, read in each run, and set at its end by one of the graph's updates.
    /// No operands.
    case state(name: String)
    /// One number, as a tensor without axes, float32 or float64. No operands.
    case constant(Double, ElementType)
    /// Mean and biased variance of each channel over images and space. Operand: `x [N, C, H, W]`; result
    /// `[2, C]`, row 0 the means, row 1 the variances: float32, or float64 where `x` is.
    case batchMoments
    /// `(x - mean) / sqrt(variance + epsilon) * scale + shift` with the moments of `x` itself. Operands:
    /// `x [N, C, H, W]`, scale `[C]`, shift `[C]`, moments `[2, C]`.
    case normalizeBatch(epsilon: Double)
    /// What a batch norm's gradients are made of: per channel, row 0 the sum of the gradient, row 1 the sum of the
    /// gradient times the normalised `x`. These are the gradients of shift and scale. Operands: gradient and `x`,
    /// both `[N, C, H, W]`, moments `[2, C]`; result `[2, C]`, float32 or float64.
    case normalizationSums(epsilon: Double)
    /// The gradient of `normalizeBatch` for `x`, through the moments too. Operands: gradient, `x`, scale `[C]`,
    /// moments `[2, C]`, sums `[2, C]` of `normalizationSums`; result as `x`.
    case normalizeBatchGradient(epsilon: Double)
    /// The gradient of `batchNormalization` for `x`, its statistics being constants. Operands: gradient
    /// `[N, C, H, W]`, scale `[C]`, variance `[C]`; result as the gradient.
    case batchNormalizationGradient(epsilon: Double)
    /// The gradient where `y` is above zero, else zero. Operands: gradient, `y` the result of `relu`.
    case reluGradient
    /// The gradient of a convolution for its input, of the spatial extents stated. Operands: gradient
    /// `[N, O, H', W']`, filter `[O, C, h, w]`; result `[N, C, H, W]`.
    case convolutionInputGradient(Convolution, size: Spatial)
    /// The gradient of a convolution for its filter, of the spatial extents stated. Operands: gradient
    /// `[N, O, H', W']`, `x [N, C, H, W]`; result `[O, C, h, w]`, float32 or float64.
    case convolutionFilterGradient(Convolution, size: Spatial)
    /// Where under each position of a window the first of the largest elements is: row times the window's width
    /// plus column. Operand: `x [N, C, H, W]`; result uint8 `[N, C, H', W']`.
    case maxPoolIndices(Window)
    /// The gradient of `maxPool` for its input, of the spatial extents stated. Operands: gradient
    /// `[N, C, H', W']`, indices uint8 of the same shape; result `[N, C, H, W]`.
    case maxPoolGradient(Window, size: Spatial)
    /// The gradient of `globalAveragePool` for its input, of the spatial extents stated. Operand: gradient
    /// `[N, C]`; result `[N, C, H, W]`.
    case globalAveragePoolGradient(size: Spatial)
    /// `gradient · weight`. Operands: gradient `[N, O]`, weight `[O, I]`; result `[N, I]`.
    case denseInputGradient
    /// `gradientᵀ · x`. Operands: gradient `[N, O]`, `x [N, I]`; result `[O, I]`, float32 or float64.
    case denseWeightGradient
    /// The sum over all axes but the second. Operand: `x`, of rank 2 or more; result `[C]`, float32 or float64.
    case channelSums
    /// The mean loss over a batch. Operands: logits `[N, C]`, targets, class weights `[C]` if any; result
    /// without axes, float32 or float64.
    ///
    /// Targets are labels, int32 `[N]`, or distributions `[N, C]` of the logits' element type. A label outside
    /// `0 ..< C` makes the loss not-a-number. With targets `t` smoothed, `t' = (1 - smoothing) * t + smoothing / C`,
    /// and weights `w`, the loss is `-Σ w_c t'_c log p_c` over `N`, or with labels over the sum of their weights.
    ///
    /// Source: PyTorch's `CrossEntropyLoss`.
    case crossEntropy(CrossEntropy)
    /// The gradient of `crossEntropy` for the logits. Operands: those of `crossEntropy`, then the loss's gradient,
    /// without axes; result as the logits.
    case crossEntropyGradient(CrossEntropy)
    /// How many images have their label among the `top` largest logits; of equal ones the earlier classes count as
    /// larger. Operands: logits `[N, C]`, labels int32 `[N]`; result without axes, float32 or float64.
    case correctCount(top: Int)
    /// Row `index` along the first axis, without that axis. Operand: `x`, of rank 1 or more.
    case row(index: Int)
    /// Vectors of one length under each other. Operands: two or more `[C]`; result `[count, C]`.
    case stack
    /// The product, by element. Operands: `x`, and a factor of its shape or without axes.
    case multiply
    /// One over each element. Operand: `x`.
    case reciprocal
    /// The sum of squares over all elements of all operands; result without axes.
    case squaredNorm
    /// 1 where all elements of all operands are finite, else 0; float32 or float64, without axes.
    case isFinite
    /// One of two tensors of one type. Operands: a condition without axes, what to give where it is not 0, what
    /// to give where it is.
    case select
    /// `old + share * (new - old)`. Operands: old, new of its type, share without axes.
    case movingAverage
    /// The factor that brings a norm down to `maximum` at most: `min(1, maximum / (norm + 1e-6))`. Operand: the
    /// squared norm, without axes.
    ///
    /// Source: PyTorch's `clip_grad_norm_`.
    case clipFactor(maximum: Double)
    /// LARS's trust ratio: `coefficient * |w| / (|g| + weightDecay * |w| + epsilon)`, or 1 where either norm is 0.
    /// Operands: the squared norms of weight and gradient, without axes.
    ///
    /// Source: You et al. 2017, algorithm 1, with the epsilon of MLPerf's implementation.
    case trustRatio(coefficient: Double, weightDecay: Double, epsilon: Double)
    /// The new velocity of a weight. Operands: velocity, weight and gradient of one type, rate and gradient factor
    /// without axes.
    case velocityUpdate(MomentumRule)
    /// The new weight. Operands: weight, gradient and new velocity of one type, rate and gradient factor without
    /// axes.
    case weightUpdate(MomentumRule)
    /// The next loss scale and the number of finite steps since it last changed. Operands: the present ones `[2]`,
    /// and whether this step's gradients were finite, without axes; result `[2]`.
    case lossScaleUpdate(LossScaleRule)

    // MARK: Replicas

    /// The mean over all replicas, by element, the same on each; where there is one, `x` itself. It is summed in
    /// float32, or float64 where `x` is. Operand: `x`.
    case replicaMean
    /// The moments of all replicas' data together, from those of each replica's own, which have as many values a
    /// channel on all of them: the mean of the means; the mean of the variances plus the variance of the means. The
    /// same on each replica; where there is one, the moments themselves. Operand: moments `[2, C]`, float32 or float64,
    /// as of `batchMoments`.
    case replicaMoments

    /// What the text form and messages call it.
    public var name: String {
        switch self {
        case .input: "input"
        case .parameter: "parameter"
        case .convolution: "convolution"
        case .batchNormalization: "batchNormalization"
        case .relu: "relu"
        case .add: "add"
        case .maxPool: "maxPool"
        case .globalAveragePool: "globalAveragePool"
        case .dense: "dense"
        case .softmax: "softmax"
        case .normalizeImage: "normalizeImage"
        case .cast: "cast"
        case .state: "state"
        case .constant: "constant"
        case .batchMoments: "batchMoments"
        case .normalizeBatch: "normalizeBatch"
        case .normalizationSums: "normalizationSums"
        case .normalizeBatchGradient: "normalizeBatchGradient"
        case .batchNormalizationGradient: "batchNormalizationGradient"
        case .reluGradient: "reluGradient"
        case .convolutionInputGradient: "convolutionInputGradient"
        case .convolutionFilterGradient: "convolutionFilterGradient"
        case .maxPoolIndices: "maxPoolIndices"
        case .maxPoolGradient: "maxPoolGradient"
        case .globalAveragePoolGradient: "globalAveragePoolGradient"
        case .denseInputGradient: "denseInputGradient"
        case .denseWeightGradient: "denseWeightGradient"
        case .channelSums: "channelSums"
        case .crossEntropy: "crossEntropy"
        case .crossEntropyGradient: "crossEntropyGradient"
        case .correctCount: "correctCount"
        case .row: "row"
        case .stack: "stack"
        case .multiply: "multiply"
        case .reciprocal: "reciprocal"
        case .squaredNorm: "squaredNorm"
        case .isFinite: "isFinite"
        case .select: "select"
        case .movingAverage: "movingAverage"
        case .clipFactor: "clipFactor"
        case .trustRatio: "trustRatio"
        case .velocityUpdate: "velocityUpdate"
        case .weightUpdate: "weightUpdate"
        case .lossScaleUpdate: "lossScaleUpdate"
        case .replicaMean: "replicaMean"
        case .replicaMoments: "replicaMoments"
        }
    }
}
