public import Tensors

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
        }
    }
}
