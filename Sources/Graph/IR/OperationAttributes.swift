/// Elements added around the two spatial axes before a window moves over them.
public struct Padding: Sendable, Hashable {
    /// Rows above.
    public var top: Int
    /// Columns to the left.
    public var left: Int
    /// Rows below.
    public var bottom: Int
    /// Columns to the right.
    public var right: Int

    /// Makes a padding.
    public init(top: Int, left: Int, bottom: Int, right: Int) {
        self.top = top
        self.left = left
        self.bottom = bottom
        self.right = right
    }

    /// The same padding on all four sides.
    public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
}

/// Two extents or steps, along height and width.
public struct Spatial: Sendable, Hashable {
    /// Along the rows.
    public var height: Int
    /// Along the columns.
    public var width: Int

    /// Makes a pair.
    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// The same along both axes.
    public init(_ both: Int) { self.init(height: both, width: both) }
}

/// What a fused operation does to each element at its end.
public enum Activation: String, Sendable, Hashable, CaseIterable {
    /// Nothing.
    case none
    /// The larger of the element and zero.
    case relu
}

/// What a convolution does beside multiplying.
public struct Convolution: Sendable, Hashable {
    /// Steps of the window.
    public var stride: Spatial
    /// Zeros around the input.
    public var padding: Padding
    /// Whether the third operand is a bias `[O]`.
    public var hasBias: Bool
    /// Whether the last operand, shaped as the result, is added before the activation.
    public var hasResidual: Bool
    /// What is done at the end.
    public var activation: Activation

    /// Makes a convolution's attributes.
    public init(
        stride: Spatial = Spatial(1), padding: Padding = Padding(0), hasBias: Bool = false,
        hasResidual: Bool = false, activation: Activation = .none
    ) {
        self.stride = stride
        self.padding = padding
        self.hasBias = hasBias
        self.hasResidual = hasResidual
        self.activation = activation
    }

    /// The number of operands: `x`, the filter, and what there is of bias and residual.
    public var operandCount: Int { 2 + (hasBias ? 1 : 0) + (hasResidual ? 1 : 0) }

    /// The place of the bias among the operands, if there is one.
    public var biasIndex: Int? { hasBias ? 2 : nil }

    /// The place of the residual among the operands, if there is one.
    public var residualIndex: Int? { hasResidual ? operandCount - 1 : nil }
}

/// A window that moves over the spatial axes.
public struct Window: Sendable, Hashable {
    /// The window's extents.
    public var size: Spatial
    /// Its steps.
    public var stride: Spatial
    /// Elements around the input that are never chosen by a maximum.
    public var padding: Padding

    /// Makes a window.
    public init(size: Spatial, stride: Spatial, padding: Padding) {
        self.size = size
        self.stride = stride
        self.padding = padding
    }
}

/// How a loss over classes is computed.
public struct CrossEntropy: Sendable, Hashable {
    /// The share of each target that is spread evenly over all classes, 0 to 1.
    public var smoothing: Double
    /// Whether the third operand is a weight for each class.
    public var hasWeights: Bool

    /// Makes a loss's attributes.
    public init(smoothing: Double = 0, hasWeights: Bool = false) {
        self.smoothing = smoothing
        self.hasWeights = hasWeights
    }

    /// The number of operands of a loss: logits, targets, and the weights if any.
    public var operandCount: Int { hasWeights ? 3 : 2 }
}

/// How a weight follows its gradients: stochastic gradient descent with momentum.
///
/// With `d = factor * gradient + weightDecay * weight`:
///
/// - `.pyTorch`, also TensorFlow's `MomentumOptimizer`: `v' = momentum * v + d`, then
///   `w' = w - rate * (nesterov ? d + momentum * v' : v')`.
/// - `.keras`: `v' = momentum * v - rate * d`, then `w' = w + (nesterov ? momentum * v' - rate * d : v')`.
///
/// They differ once the rate changes: in the second the velocity remembers the rates of its time.
public struct MomentumRule: Sendable, Hashable {
    /// Whose formula is used.
    public enum Convention: String, Sendable, Hashable, CaseIterable {
        /// PyTorch's `SGD` without dampening, and TensorFlow's `MomentumOptimizer`.
        case pyTorch
        /// Keras's `SGD`, and LARS as MLPerf uses it.
        case keras
    }

    /// Whose formula is used.
    public var convention: Convention
    /// The share of the velocity that stays, at least 0.
    public var momentum: Double
    /// What is added to the gradient for each unit of the weight, at least 0.
    public var weightDecay: Double
    /// Whether the step looks ahead.
    public var nesterov: Bool

    /// Makes a rule.
    public init(
        convention: Convention = .pyTorch, momentum: Double, weightDecay: Double = 0,
        nesterov: Bool = false
    ) {
        self.convention = convention
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.nesterov = nesterov
    }
}

/// How a loss scale follows whether gradients were finite.
///
/// Source: PyTorch's `GradScaler`.
public struct LossScaleRule: Sendable, Hashable {
    /// What the scale is multiplied with after `interval` finite steps in a row.
    public var growth: Double
    /// What it is multiplied with after a step that was not finite.
    public var backoff: Double
    /// Finite steps before it grows.
    public var interval: Int

    /// Makes a rule.
    public init(growth: Double = 2, backoff: Double = 0.5, interval: Int = 2000) {
        self.growth = growth
        self.backoff = backoff
        self.interval = interval
    }
}
