public import ResNetModel
import Tensors

/// All that decides a step beside the network, the batch and the learning rate.
public struct TrainingRecipe: Sendable, Hashable {
    /// What forward and backward pass compute in; weights, statistics, loss and updates are float32 in all.
    public enum Precision: String, Sendable, Hashable, CaseIterable {
        /// float32.
        case float32
        /// bfloat16, with sums in float32.
        case bfloat16
        /// float16, with sums in float32; give it a loss scaling.
        case float16
    }

    /// What says which class an image belongs to.
    public enum Targets: String, Sendable, Hashable, CaseIterable {
        /// One label an image.
        case labels
        /// A share of each class an image, as mix-up makes.
        case distributions
    }

    /// How weights follow gradients.
    public var optimizer: Optimizer
    /// What is added to a gradient for each unit of its weight.
    public var weightDecay: Double
    /// Which parameters decay.
    public var weightDecayGroup: WeightDecayGroup
    /// The share of each target that is spread evenly over all classes.
    public var labelSmoothing: Double
    /// What each class counts in the loss; all the same where `nil`.
    public var classWeights: [Double]?
    /// What the targets are.
    public var targets: Targets
    /// The norm of all gradients together above which they are scaled down; none where `nil`.
    public var gradientClipNorm: Double?
    /// Into how many parts, computed one after the other, each batch is cut.
    ///
    /// Gradients are averaged over them; batch norms see one part at a time.
    public var microBatchCount: Int
    /// A slow average of the weights, if any.
    public var averaging: WeightAveraging?
    /// What the loss is multiplied with.
    public var lossScaling: LossScaling
    /// What is computed in.
    public var precision: Precision
    /// How batch norms normalise.
    public var normalization: BatchNormalizationOptions
    /// The part that stays as it is.
    public var frozen: FrozenPart

    /// Makes a recipe; the defaults are torchvision's.
    public init(
        optimizer: Optimizer = .sgd(), weightDecay: Double = 1e-4,
        weightDecayGroup: WeightDecayGroup = .all, labelSmoothing: Double = 0,
        classWeights: [Double]? = nil, targets: Targets = .labels,
        gradientClipNorm: Double? = nil, microBatchCount: Int = 1,
        averaging: WeightAveraging? = nil, lossScaling: LossScaling = .none,
        precision: Precision = .float32,
        normalization: BatchNormalizationOptions = BatchNormalizationOptions(),
        frozen: FrozenPart = .none
    ) {
        self.optimizer = optimizer
        self.weightDecay = weightDecay
        self.weightDecayGroup = weightDecayGroup
        self.labelSmoothing = labelSmoothing
        self.classWeights = classWeights
        self.targets = targets
        self.gradientClipNorm = gradientClipNorm
        self.microBatchCount = microBatchCount
        self.averaging = averaging
        self.lossScaling = lossScaling
        self.precision = precision
        self.normalization = normalization
        self.frozen = frozen
    }

    /// The weight decay of one parameter.
    public func weightDecay(of parameter: ResNetParameter) -> Double {
        weightDecayGroup.contains(parameter) ? weightDecay : 0
    }

    /// The trust ratio of one parameter under LARS, as coefficient and epsilon; `nil` for a plain rate.
    func trust(of parameter: ResNetParameter) -> (coefficient: Double, epsilon: Double)? {
        guard case .lars(_, let coefficient, let epsilon) = optimizer,
            parameter.role == .filter || parameter.role == .weight
        else { return nil }
        return (coefficient, epsilon)
    }
}

extension TrainingRecipe.Precision {
    var elementType: ElementType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .float16: .float16
        }
    }
}
