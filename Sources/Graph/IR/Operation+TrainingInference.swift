import Tensors

/// Types of losses, of numbers about a step, and of what it changes.
extension Operation {
    func inferConstant(
        _ number: Double, _ elementType: ElementType, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 0)
        guard elementType == .float32 || elementType == .float64 else {
            throw GraphError(
                .invalidAttribute,
                "constant: expected float32 or float64, found \(elementType.rawValue)")
        }
        guard elementType == .float64 ? number.isFinite : Float(number).isFinite else {
            throw GraphError(
                .invalidAttribute,
                "constant: expected a finite \(elementType.rawValue), found \(number)")
        }
        return TensorType(elementType, [])
    }

    // MARK: Losses

    func inferCrossEntropy(
        _ loss: CrossEntropy, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, loss.operandCount)
        try requireLoss(loss, operands)
        return TensorType(operands[0].elementType.sumType, [])
    }

    func inferCrossEntropyGradient(
        _ loss: CrossEntropy, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, loss.operandCount + 1)
        try requireLoss(loss, operands)
        try requireScalar(
            operands[loss.operandCount], "the loss's gradient", operands[0].elementType.sumType)
        return operands[0]
    }

    private func requireLoss(
        _ loss: CrossEntropy, _ operands: [TensorType]
    ) throws(GraphError) {
        let (logits, targets) = (operands[0], operands[1])
        try requireFloatingPoint(logits, "logits")
        try requireRank(logits, "logits", 2, "[N, C]")
        switch targets.elementType {
        case .int32: try requireShape(targets, "labels", [logits.shape[0]])
        case logits.elementType: try requireShape(targets, "targets", logits.shape)
        default:
            throw GraphError(
                .elementTypeMismatch,
                "\(name): expected labels of int32 or targets of \(logits.elementType.rawValue), "
                    + "found \(targets.elementType.rawValue)")
        }
        if loss.hasWeights {
            try requireVector(operands[2], "class weights", logits.shape[1], beside: logits)
        }
        guard loss.smoothing >= 0, loss.smoothing <= 1 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a smoothing of 0 to 1, found \(loss.smoothing)")
        }
    }

    func inferCorrectCount(
        top: Int, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let logits = operands[0]
        try requireFloatingPoint(logits, "logits")
        try requireRank(logits, "logits", 2, "[N, C]")
        try requireElementType(operands[1], "labels", .int32)
        try requireShape(operands[1], "labels", [logits.shape[0]])
        guard (1...max(1, logits.shape[1])).contains(top) else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a top of 1 to the \(logits.shape[1]) classes, found \(top)")
        }
        return TensorType(logits.elementType.sumType, [])
    }

    // MARK: Parts and products

    func inferRow(_ index: Int, _ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        let x = operands[0]
        try requireFloatingPoint(x, "x")
        guard let count = x.shape.dimensions.first else {
            throw GraphError(
                .rankMismatch, "\(name): expected x of one or more axes, found \(x.shape)")
        }
        guard (0..<count).contains(index) else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected an index of 0 to \(count - 1), found \(index)")
        }
        return try type(x.elementType, Array(x.shape.dimensions.dropFirst()))
    }

    func inferStack(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        guard operands.count >= 2 else {
            throw GraphError(
                .operandCountMismatch,
                "\(name): expected 2 operands or more, found \(operands.count)")
        }
        let first = operands[0]
        try requireFloatingPoint(first, "vectors")
        try requireRank(first, "vectors", 1, "[C]")
        for operand in operands.dropFirst() { try requireType(operand, "vectors", first) }
        return try type(first.elementType, [operands.count, first.shape[0]])
    }

    func inferMultiply(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let (x, factor) = (operands[0], operands[1])
        try requireFloatingPoint(x, "x")
        try requireElementType(factor, "factor", x.elementType)
        if factor.shape.rank > 0 { try requireShape(factor, "factor", x.shape) }
        return x
    }

    func inferReciprocal(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        try requireFloatingPoint(operands[0], "x")
        return operands[0]
    }

    /// One number about all elements of all operands, in the widest type of their sums.
    func inferNumberOfAll(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        guard !operands.isEmpty else {
            throw GraphError(
                .operandCountMismatch, "\(name): expected 1 operand or more, found 0")
        }
        for operand in operands { try requireFloatingPoint(operand, "operands") }
        let isWide = operands.contains { $0.elementType == .float64 }
        return TensorType(isWide ? .float64 : .float32, [])
    }

    func inferSelect(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 3)
        try requireFloatingPoint(operands[0], "condition")
        try requireScalar(operands[0], "condition", operands[0].elementType.sumType)
        try requireType(operands[2], "the last operand", operands[1])
        return operands[1]
    }

    // MARK: Updates

    func inferMovingAverage(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 3)
        let old = operands[0]
        try requireFloatingPoint(old, "old")
        try requireType(operands[1], "new", old)
        try requireScalar(operands[2], "share", old.elementType)
        return old
    }

    func inferClipFactor(
        maximum: Double, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        try requireFloatingPoint(operands[0], "squared norm")
        try requireScalar(operands[0], "squared norm", operands[0].elementType)
        try requireAboveZero(maximum, "maximum")
        return operands[0]
    }

    /// - Parameter attributes: coefficient, weight decay, epsilon.
    func inferTrustRatio(
        _ attributes: [Double], _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let norm = operands[0]
        try requireFloatingPoint(norm, "squared norms")
        for operand in operands { try requireScalar(operand, "squared norms", norm.elementType) }
        for (number, attribute) in zip(attributes, ["coefficient", "weightDecay", "epsilon"]) {
            try requireAtLeast(0, number, attribute)
        }
        return norm
    }

    /// Both halves of an optimizer's step: three tensors of one type, then rate and gradient factor.
    func inferMomentum(
        _ rule: MomentumRule, _ operands: [TensorType], _ roles: [String]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 5)
        let first = operands[0]
        try requireFloatingPoint(first, roles[0])
        try requireType(operands[1], roles[1], first)
        try requireType(operands[2], roles[2], first)
        try requireScalar(operands[3], "rate", first.elementType)
        try requireScalar(operands[4], "gradient factor", first.elementType)
        try requireAtLeast(0, rule.momentum, "momentum")
        try requireAtLeast(0, rule.weightDecay, "weightDecay")
        return first
    }

    func inferLossScaleUpdate(
        _ rule: LossScaleRule, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let present = operands[0]
        try requireFloatingPoint(present, "scale and count")
        try requireShape(present, "scale and count", [2])
        try requireScalar(operands[1], "whether gradients were finite", present.elementType)
        try requireAtLeast(1, rule.growth, "growth")
        try requireAboveZero(rule.backoff, "backoff")
        guard rule.backoff <= 1, rule.interval >= 1 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a backoff of at most 1 and an interval of at least 1, "
                    + "found \(rule.backoff) and \(rule.interval)")
        }
        return present
    }
}
