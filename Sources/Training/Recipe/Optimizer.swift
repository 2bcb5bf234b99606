public import Graph
import ResNetModel

/// How weights follow their gradients.
public enum Optimizer: Sendable, Hashable {
    /// Stochastic gradient descent with momentum.
    ///
    /// The convention says whose formula is used: see `MomentumRule`. They differ once the rate changes.
    case sgd(
        momentum: Double = 0.9, nesterov: Bool = false,
        convention: MomentumRule.Convention = .pyTorch)
    /// Layer-wise adaptive rate scaling: the rate of each filter and of the classifier's weight is multiplied with
    /// `coefficient * |w| / (|g| + weightDecay * |w| + epsilon)`; batch norms and biases take the plain rate. The
    /// velocity remembers the rates of its time, as in `.keras`.
    ///
    /// Source: You et al. 2017, algorithm 1; MLPerf Training's ResNet, `lars_optimizer.py`, whose epsilon is 0 in
    /// TensorFlow 1 and in NVIDIA's form, and 1e-7 in TensorFlow 2.
    case lars(momentum: Double = 0.9, coefficient: Double = 0.001, epsilon: Double = 0)

    /// The momentum.
    public var momentum: Double {
        switch self {
        case .sgd(let momentum, _, _), .lars(let momentum, _, _): momentum
        }
    }

    /// The rule of one parameter.
    func rule(weightDecay: Double) -> MomentumRule {
        switch self {
        case .sgd(let momentum, let nesterov, let convention):
            MomentumRule(
                convention: convention, momentum: momentum, weightDecay: weightDecay,
                nesterov: nesterov)
        case .lars(let momentum, _, _):
            MomentumRule(convention: .keras, momentum: momentum, weightDecay: weightDecay)
        }
    }
}
