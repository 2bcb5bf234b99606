import Graph
import Tensors

/// The product by element, with a factor of the same shape or a single one.
func multiply<Scalar: ReferenceScalar>(
    _ x: Operand<Scalar>, _ factor: Operand<Scalar>
) -> [Scalar] {
    if factor.shape != x.shape, factor.shape.rank == 0 {
        let number = factor.values[0]
        return x.values.map { $0 * number }
    }
    return zip(x.values, factor.values).map { $0 * $1 }
}

/// The sum of squares of all elements of all operands, in parts so that running sums, and so roundings, stay small.
func squaredNorm<Scalar: ReferenceScalar>(_ operands: [Operand<Scalar>]) -> Scalar {
    var sum: Scalar = 0
    for operand in operands {
        for start in stride(from: 0, to: operand.values.count, by: 256) {
            var part: Scalar = 0
            for index in start..<min(start + 256, operand.values.count) {
                part += operand.values[index] * operand.values[index]
            }
            sum += part
        }
    }
    return sum
}

/// `min(1, maximum / (norm + 1e-6))`; not-a-number where the norm is.
func clipFactor<Scalar: ReferenceScalar>(maximum: Scalar, squaredNorm: Scalar) -> Scalar {
    let factor = maximum / (squaredNorm.squareRoot() + Scalar(1e-6))
    return factor > 1 ? 1 : factor
}

/// LARS's `coefficient * |w| / (|g| + weightDecay * |w| + epsilon)`, or 1 where either norm is 0.
func trustRatio<Scalar: ReferenceScalar>(
    coefficient: Scalar, weightDecay: Scalar, epsilon: Scalar, squaredWeight: Scalar,
    squaredGradient: Scalar
) -> Scalar {
    if squaredWeight == 0 || squaredGradient == 0 { return 1 }
    let weight = squaredWeight.squareRoot()
    let gradient = squaredGradient.squareRoot()
    return coefficient * weight / (gradient + weightDecay * weight + epsilon)
}

/// The new velocity.
///
/// Operands: velocity, weight, gradient, rate, gradient factor.
func velocityUpdate<Scalar: ReferenceScalar>(
    _ rule: MomentumRule, _ operands: [Operand<Scalar>]
) -> [Scalar] {
    let momentum = Scalar(rule.momentum)
    let decay = Scalar(rule.weightDecay)
    let velocity = operands[0].values
    let weight = operands[1].values
    let gradient = operands[2].values
    let rate = operands[3].values[0]
    let factor = operands[4].values[0]
    return velocity.indices.map { index in
        let step = factor * gradient[index] + decay * weight[index]
        switch rule.convention {
        case .pyTorch: return momentum * velocity[index] + step
        case .keras: return momentum * velocity[index] - rate * step
        }
    }
}

/// The new weight.
///
/// Operands: weight, gradient, new velocity, rate, gradient factor.
func weightUpdate<Scalar: ReferenceScalar>(
    _ rule: MomentumRule, _ operands: [Operand<Scalar>]
) -> [Scalar] {
    let momentum = Scalar(rule.momentum)
    let decay = Scalar(rule.weightDecay)
    let weight = operands[0].values
    let gradient = operands[1].values
    let velocity = operands[2].values
    let rate = operands[3].values[0]
    let factor = operands[4].values[0]
    return weight.indices.map { index in
        let step = factor * gradient[index] + decay * weight[index]
        let ahead = momentum * velocity[index]
        switch rule.convention {
        case .pyTorch:
            return weight[index] - rate * (rule.nesterov ? step + ahead : velocity[index])
        case .keras:
            return weight[index] + (rule.nesterov ? ahead - rate * step : velocity[index])
        }
    }
}

/// The next loss scale and the number of finite steps since it changed.
///
/// A scale that would not be finite stays, as in PyTorch's `GradScaler`.
func lossScaleUpdate<Scalar: ReferenceScalar>(
    _ rule: LossScaleRule, _ present: [Scalar], isFinite: Bool
) -> [Scalar] {
    guard isFinite else { return [present[0] * Scalar(rule.backoff), 0] }
    let count = present[1] + 1
    guard count >= Scalar(rule.interval) else { return [present[0], count] }
    let grown = present[0] * Scalar(rule.growth)
    return [grown.isFinite ? grown : present[0], 0]
}
