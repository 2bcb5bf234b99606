import Tensors

extension Operation {
    /// The type of the result, from the types of the operands; the one place where types are inferred.
    ///
    /// The builder, the verifier, the parser and the passes all come here. Inputs, parameters and states state
    /// their types instead; asking for one throws.
    ///
    /// Precision: the operands of a convolution or a dense layer share one floating-point type, except that
    /// vectors of one number a channel (bias, batch-norm statistics) may be float32 beside narrower data.
    ///
    /// - Parameter operands: the operands' types, in order.
    /// - Throws: `GraphError` that says what was expected and what was found.
    public func inferType(operands: [TensorType]) throws(GraphError) -> TensorType {
        switch self {
        case .input, .parameter, .state:
            throw GraphError(.invalidAttribute, "\(name): states its type, it has none to infer")
        case .convolution(let attributes):
            return try Self.inferConvolution(attributes, operands)
        case .batchNormalization(let epsilon):
            return try Self.inferBatchNormalization(epsilon: epsilon, operands)
        case .relu:
            try requireCount(operands, 1)
            try requireFloatingPoint(operands[0], "x")
            return operands[0]
        case .add:
            try requireCount(operands, 2)
            try requireFloatingPoint(operands[0], "the first operand")
            try requireElementType(operands[1], "the second operand", operands[0].elementType)
            try requireShape(operands[1], "the second operand", operands[0].shape)
            return operands[0]
        case .maxPool(let window):
            return try inferMaxPool(window, operands)
        case .globalAveragePool:
            try requireCount(operands, 1)
            try requireFloatingPoint(operands[0], "x")
            try requireRank(operands[0], "x", 4, "[N, C, H, W]")
            let shape = operands[0].shape
            return TensorType(operands[0].elementType, [shape[0], shape[1]])
        case .dense(let elementType):
            return try Self.inferDense(elementType, operands)
        case .softmax:
            try requireCount(operands, 1)
            try requireFloatingPoint(operands[0], "x")
            try requireRank(operands[0], "x", 2, "[N, C]")
            return TensorType(operands[0].elementType.sumType, operands[0].shape)
        case .normalizeImage(let mean, let deviation, let elementType):
            return try inferNormalizeImage(mean, deviation, elementType, operands)
        case .cast(let elementType):
            try requireCount(operands, 1)
            guard elementType.isFloatingPoint else {
                throw GraphError(
                    .invalidAttribute,
                    "cast: expected a floating-point element type, found \(elementType.rawValue)")
            }
            return TensorType(elementType, operands[0].shape)
        case .constant(let number, let elementType):
            return try inferConstant(number, elementType, operands)
        case .batchMoments: return try inferBatchMoments(operands)
        case .normalizeBatch(let epsilon):
            return try inferNormalizeBatch(epsilon: epsilon, operands)
        case .normalizationSums(let epsilon):
            return try inferNormalizationSums(epsilon: epsilon, operands)
        case .normalizeBatchGradient(let epsilon):
            return try inferNormalizeBatchGradient(epsilon: epsilon, operands)
        case .batchNormalizationGradient(let epsilon):
            return try inferBatchNormalizationGradient(epsilon: epsilon, operands)
        case .reluGradient: return try inferReluGradient(operands)
        case .convolutionInputGradient(let attributes, let size):
            return try inferConvolutionInputGradient(attributes, size, operands)
        case .convolutionFilterGradient(let attributes, let size):
            return try inferConvolutionFilterGradient(attributes, size, operands)
        case .maxPoolIndices(let window): return try inferMaxPoolIndices(window, operands)
        case .maxPoolGradient(let window, let size):
            return try inferMaxPoolGradient(window, size, operands)
        case .globalAveragePoolGradient(let size):
            return try inferGlobalAveragePoolGradient(size, operands)
        case .denseInputGradient: return try inferDenseInputGradient(operands)
        case .denseWeightGradient: return try inferDenseWeightGradient(operands)
        case .channelSums: return try inferChannelSums(operands)
        case .crossEntropy(let loss): return try inferCrossEntropy(loss, operands)
        case .crossEntropyGradient(let loss):
            return try inferCrossEntropyGradient(loss, operands)
        case .correctCount(let top): return try inferCorrectCount(top: top, operands)
        case .row(let index): return try inferRow(index, operands)
        case .stack: return try inferStack(operands)
        case .multiply: return try inferMultiply(operands)
        case .reciprocal: return try inferReciprocal(operands)
        case .squaredNorm, .isFinite: return try inferNumberOfAll(operands)
        case .select: return try inferSelect(operands)
        case .movingAverage: return try inferMovingAverage(operands)
        case .clipFactor(let maximum): return try inferClipFactor(maximum: maximum, operands)
        case .trustRatio(let coefficient, let weightDecay, let epsilon):
            return try inferTrustRatio([coefficient, weightDecay, epsilon], operands)
        case .velocityUpdate(let rule):
            return try inferMomentum(rule, operands, ["velocity", "weight", "gradient"])
        case .weightUpdate(let rule):
            return try inferMomentum(rule, operands, ["weight", "gradient", "velocity"])
        case .lossScaleUpdate(let rule): return try inferLossScaleUpdate(rule, operands)
        case .replicaMean:
            try requireCount(operands, 1)
            try requireFloatingPoint(operands[0], "x")
            return operands[0]
        case .replicaMoments: return try inferReplicaMoments(operands)
        }
    }

    private static func inferConvolution(
        _ attributes: Convolution, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        let operation = Operation.convolution(attributes)
        try operation.requireCount(operands, attributes.operandCount)
        let x = operands[0]
        let filter = operands[1]
        try operation.requireFloatingPoint(x, "x")
        try operation.requireElementType(filter, "filter", x.elementType)
        try operation.requireRank(x, "x", 4, "[N, C, H, W]")
        try operation.requireRank(filter, "filter", 4, "[O, I, H, W]")
        guard filter.shape[1] == x.shape[1] else {
            throw GraphError(
                .shapeMismatch,
                "convolution: expected a filter for the \(x.shape[1]) channels of x \(x.shape), "
                    + "found \(filter.shape) for \(filter.shape[1])")
        }
        let size = try operation.slide(
            over: x.shape, Spatial(height: filter.shape[2], width: filter.shape[3]),
            stride: attributes.stride, padding: attributes.padding)
        let result = try operation.type(
            x.elementType, [x.shape[0], filter.shape[0], size.height, size.width])
        if let index = attributes.biasIndex {
            try operation.requireVector(operands[index], "bias", filter.shape[0], beside: x)
        }
        if let index = attributes.residualIndex {
            try operation.requireElementType(operands[index], "residual", x.elementType)
            try operation.requireShape(operands[index], "residual", result.shape)
        }
        return result
    }

    private static func inferBatchNormalization(
        epsilon: Double, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        let operation = Operation.batchNormalization(epsilon: epsilon)
        try operation.requireCount(operands, 5)
        let x = operands[0]
        try operation.requireFloatingPoint(x, "x")
        try operation.requireRank(x, "x", 4, "[N, C, H, W]")
        for (index, role) in ["scale", "shift", "mean", "variance"].enumerated() {
            try operation.requireVector(operands[index + 1], role, x.shape[1], beside: x)
        }
        try operation.requireAtLeast(0, epsilon, "epsilon")
        return x
    }

    private func inferMaxPool(
        _ window: Window, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        let x = operands[0]
        try requireActivations(x, "x")
        let size = try slide(window, over: x.shape)
        return try type(x.elementType, [x.shape[0], x.shape[1], size.height, size.width])
    }

    private static func inferDense(
        _ elementType: ElementType, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        let operation = Operation.dense(elementType: elementType)
        try operation.requireCount(operands, 3)
        let x = operands[0]
        let weight = operands[1]
        try operation.requireFloatingPoint(x, "x")
        try operation.requireElementType(weight, "weight", x.elementType)
        try operation.requireRank(x, "x", 2, "[N, I]")
        try operation.requireRank(weight, "weight", 2, "[O, I]")
        guard weight.shape[1] == x.shape[1] else {
            throw GraphError(
                .shapeMismatch,
                "dense: expected a weight for the \(x.shape[1]) features of x \(x.shape), "
                    + "found \(weight.shape) for \(weight.shape[1])")
        }
        try operation.requireVector(operands[2], "bias", weight.shape[0], beside: x)
        guard elementType == x.elementType || (x.elementType.isNarrow && elementType == .float32)
        else {
            throw GraphError(
                .elementTypeMismatch,
                "dense: expected a result of x's \(x.elementType.rawValue) or, where that is "
                    + "narrower, float32; found \(elementType.rawValue)")
        }
        return try operation.type(elementType, [x.shape[0], weight.shape[0]])
    }

    private func inferNormalizeImage(
        _ mean: [Double], _ deviation: [Double], _ elementType: ElementType,
        _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        let x = operands[0]
        try requireElementType(x, "x", .uint8)
        try requireRank(x, "x", 4, "[N, H, W, C]")
        let channels = x.shape[3]
        guard mean.count == channels, deviation.count == channels else {
            throw GraphError(
                .invalidAttribute,
                "normalizeImage: expected a mean and a deviation for each of the \(channels) channels "
                    + "of x \(x.shape), found \(mean.count) and \(deviation.count)")
        }
        let isValid =
            mean.allSatisfy(\.isFinite) && deviation.allSatisfy { $0.isFinite && $0 > 0 }
        guard isValid else {
            throw GraphError(
                .invalidAttribute,
                "normalizeImage: expected finite means and deviations above 0, "
                    + "found \(mean) and \(deviation)")
        }
        guard elementType.isFloatingPoint else {
            throw GraphError(
                .invalidAttribute,
                "normalizeImage: expected a floating-point element type, "
                    + "found \(elementType.rawValue)")
        }
        return try type(elementType, [x.shape[0], channels, x.shape[1], x.shape[2]])
    }
}
