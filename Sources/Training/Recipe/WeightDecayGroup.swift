public import ResNetModel

/// Which parameters decay.
public enum WeightDecayGroup: String, Sendable, Hashable, CaseIterable {
    /// All that are trained.
    ///
    /// Source: torchvision's recipe.
    case all
    /// Filters and the classifier's weight, and nothing else.
    ///
    /// Source: MLPerf's LARS; Goyal et al. 2017, section 5.3, for batch norms.
    case noneOnNormalizationAndBias
    /// All whose name does not hold `bn`: the batch norms of projections (`downsample.1`) and the classifier's bias
    /// do decay.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, PyTorch ConvNets, `optimizers.py`. Its README says
    /// that no batch norm decays; the code is what trained the published weights.
    case nvidiaByName
    /// All but batch norms: the classifier's bias decays.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, `resnet.py`.
    case tensorFlow

    /// Whether a parameter decays.
    public func contains(_ parameter: ResNetParameter) -> Bool {
        guard parameter.isTrained else { return false }
        let isOfNormalization = parameter.role == .scale || parameter.role == .shift
        switch self {
        case .all: return true
        case .noneOnNormalizationAndBias: return !isOfNormalization && parameter.role != .bias
        case .nvidiaByName: return !parameter.name.contains("bn")
        case .tensorFlow: return !isOfNormalization
        }
    }
}
