/// The part of a network that training leaves as it is.
///
/// What is frozen has neither gradients nor updates; frozen batch norms normalise with their stored statistics, which
/// stay too.
public enum FrozenPart: String, Sendable, Hashable, CaseIterable {
    /// Nothing: everything is trained.
    case none
    /// The first convolution and its batch norm.
    case stem
    /// Everything but the classifier.
    case allButHead = "all-but-head"
    /// All batch norms: scale, shift and statistics.
    case normalizations = "bn"

    /// Whether a parameter or a running statistic stays as it is.
    public func contains(_ parameter: ResNetParameter) -> Bool {
        switch self {
        case .none: false
        case .stem: parameter.name.hasPrefix("conv1.") || parameter.name.hasPrefix("bn1.")
        case .allButHead: parameter.role != .weight && parameter.role != .bias
        case .normalizations:
            switch parameter.role {
            case .scale, .shift, .runningMean, .runningVariance: true
            case .filter, .weight, .bias: false
            }
        }
    }

    /// Whether a batch norm, named as in `layer1.0.bn2`, normalises with its stored statistics.
    func containsNormalization(_ name: String) -> Bool {
        switch self {
        case .none: false
        case .stem: name == "bn1"
        case .allButHead, .normalizations: true
        }
    }
}
