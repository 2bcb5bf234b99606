import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// The product by element, with a factor of the same shape or a single one.
    mutating func multiply(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let x = try wide(node.operands[0])
        let factor = try hlo.broadcast(wide(node.operands[1]), to: x.shape)
        return try narrowed(hlo.multiply(x, factor), node)
    }

    /// The sum of squares of all elements of all operands.
    mutating func squaredNorm(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        var sum = hlo.constant(0, node.type.elementType)
        for operand in node.operands {
            let x = hlo.convert(try anyOrder(operand), to: node.type.elementType)
            let squares = try hlo.reduce(
                hlo.multiply(x, x), .add, over: Array(0..<x.shape.rank))
            sum = try hlo.add(sum, squares)
        }
        return sum
    }

    /// 1 where all elements of all operands are finite, else 0.
    mutating func isFinite(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        var all = hlo.constant(1, .bool)
        for operand in node.operands {
            let x = try anyOrder(operand)
            let isFinite = try hlo.reduce(
                hlo.isFinite(x), .and, over: Array(0..<x.shape.rank))
            all = try hlo.and(all, isFinite)
        }
        return narrowed(all, node)
    }

    /// One of two tensors.
    mutating func select(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let condition = try stored(node.operands[0])
        return try hlo.select(
            hlo.compare(condition, .notEqual, number(0, like: condition)),
            stored(node.operands[1]), stored(node.operands[2]))
    }

    /// `old + share * (new - old)`.
    mutating func movingAverage(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let old = try wide(node.operands[0])
        let difference = try hlo.subtract(wide(node.operands[1]), old)
        let share = try hlo.broadcast(wide(node.operands[2]), to: old.shape)
        return try narrowed(hlo.add(old, hlo.multiply(share, difference)), node)
    }

    /// `min(1, maximum / (norm + 1e-6))`; not-a-number where the norm is.
    mutating func clipFactor(
        maximum: Double, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let norm = try hlo.squareRoot(wide(node.operands[0]))
        let factor = try hlo.divide(
            number(maximum, like: norm), hlo.add(norm, number(1e-6, like: norm)))
        return try narrowed(hlo.minimum(factor, number(1, like: factor)), node)
    }

    /// `coefficient * |w| / (|g| + weightDecay * |w| + epsilon)`, or 1 where either norm is 0.
    mutating func trustRatio(
        coefficient: Double, weightDecay: Double, epsilon: Double, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let squaredWeight = try wide(node.operands[0])
        let squaredGradient = try wide(node.operands[1])
        let zero = try number(0, like: squaredWeight)
        let isZero = try hlo.or(
            hlo.compare(squaredWeight, .equal, zero), hlo.compare(squaredGradient, .equal, zero))
        let weight = try hlo.squareRoot(squaredWeight)
        let decayed = try hlo.multiply(number(weightDecay, like: weight), weight)
        let divisor = try hlo.add(
            hlo.add(hlo.squareRoot(squaredGradient), decayed), number(epsilon, like: weight))
        let ratio = try hlo.divide(
            hlo.multiply(number(coefficient, like: weight), weight), divisor)
        return try narrowed(hlo.select(isZero, number(1, like: ratio), ratio), node)
    }

    /// The new velocity.
    ///
    /// Operands: velocity, weight, gradient, rate, gradient factor.
    mutating func velocityUpdate(
        _ rule: MomentumRule, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let velocity = try wide(node.operands[0])
        let step = try descent(rule, weight: node.operands[1], node)
        let kept = try hlo.multiply(number(rule.momentum, like: velocity), velocity)
        switch rule.convention {
        case .pyTorch: return try narrowed(hlo.add(kept, step), node)
        case .keras:
            let rate = try hlo.broadcast(wide(node.operands[3]), to: step.shape)
            return try narrowed(hlo.subtract(kept, hlo.multiply(rate, step)), node)
        }
    }

    /// The new weight.
    ///
    /// Operands: weight, gradient, new velocity, rate, gradient factor.
    mutating func weightUpdate(
        _ rule: MomentumRule, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let weight = try wide(node.operands[0])
        let velocity = try wide(node.operands[2])
        let rate = try hlo.broadcast(wide(node.operands[3]), to: weight.shape)
        var change = velocity
        if rule.nesterov {
            let gradient = try descent(rule, weight: node.operands[0], gradient: 1, node)
            let ahead = try hlo.multiply(number(rule.momentum, like: velocity), velocity)
            switch rule.convention {
            case .pyTorch: change = try hlo.add(gradient, ahead)
            case .keras: change = try hlo.subtract(ahead, hlo.multiply(rate, gradient))
            }
        }
        switch rule.convention {
        case .pyTorch:
            return try narrowed(hlo.subtract(weight, hlo.multiply(rate, change)), node)
        case .keras: return try narrowed(hlo.add(weight, change), node)
        }
    }

    /// `factor * gradient + weightDecay * weight`.
    ///
    /// - Parameter place: the gradient's among the operands; the factor is the last of them.
    private mutating func descent(
        _ rule: MomentumRule, weight: Value, gradient place: Int = 2, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let gradient = try wide(node.operands[place])
        let factor = try hlo.broadcast(wide(node.operands[4]), to: gradient.shape)
        let weight = try wide(weight)
        return try hlo.add(
            hlo.multiply(factor, gradient),
            hlo.multiply(number(rule.weightDecay, like: weight), weight))
    }

    /// The next loss scale, and the number of finite steps since it changed.
    ///
    /// A scale that would not be finite stays, as in PyTorch's `GradScaler`.
    mutating func lossScaleUpdate(
        _ rule: LossScaleRule, _ node: Node
    ) throws(ExecutionError) -> [StableHLOValue] {
        let computed = node.type.elementType.sumType
        let scale = hlo.convert(try row(0, of: node.operands[0]), to: computed)
        let steps = hlo.convert(try row(1, of: node.operands[0]), to: computed)
        let zero = hlo.constant(0, computed)
        let isFinite = try hlo.compare(wide(node.operands[1]), .notEqual, zero)
        let count = try hlo.add(steps, hlo.constant(1, computed))
        let isDue = try hlo.compare(
            count, .atLeast, hlo.constant(Double(rule.interval), computed))
        let grown = try hlo.multiply(scale, hlo.constant(rule.growth, computed))
        let next = try hlo.select(hlo.and(isDue, hlo.isFinite(grown)), grown, scale)
        let reduced = try hlo.multiply(scale, hlo.constant(rule.backoff, computed))
        let newScale = try hlo.select(isFinite, next, reduced)
        let newCount = try hlo.select(isFinite, hlo.select(isDue, zero, count), zero)
        return [narrowed(newScale, node), narrowed(newCount, node)]
    }
}
