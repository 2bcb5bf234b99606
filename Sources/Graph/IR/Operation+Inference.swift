import Tensors

extension Operation {
    /// The type of the result, from the types of the operands; the one place where types are inferred.
    ///
    /// The builder, the verifier, the parser and the passes all come here. Inputs and parameters state their
    /// types instead; asking for one throws.
    ///
    /// Precision: the operands of a convolution or a dense layer share one floating-point type, except that
    /// vectors of one number a channel (bias, batch-norm statistics) may be float32 beside narrower data.
    ///
    /// - Parameter operands: the operands' types, in order.
    /// - Throws: `GraphError` that says what was expected and what was found.
    public func inferType(operands: [TensorType]) throws(GraphError) -> TensorType {
        switch self {
        case .input, .parameter:
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
            return try Self.inferMaxPool(window, operands)
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
            let wide = operands[0].elementType == .float64
            return TensorType(wide ? .float64 : .float32, operands[0].shape)
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
        guard epsilon.isFinite, epsilon >= 0 else {
            throw GraphError(
                .invalidAttribute,
                "batchNormalization: expected a finite epsilon of at least 0, found \(epsilon)")
        }
        return x
    }

    private static func inferMaxPool(
        _ window: Window, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        let operation = Operation.maxPool(window)
        try operation.requireCount(operands, 1)
        let x = operands[0]
        try operation.requireFloatingPoint(x, "x")
        try operation.requireRank(x, "x", 4, "[N, C, H, W]")
        let padding = window.padding
        guard max(padding.top, padding.bottom) < window.size.height,
            max(padding.left, padding.right) < window.size.width
        else {
            throw GraphError(
                .invalidAttribute,
                "maxPool: expected padding smaller than the window "
                    + "\(window.size.height)x\(window.size.width), found \(padding)")
        }
        let size = try operation.slide(
            over: x.shape, window.size, stride: window.stride, padding: padding)
        return try operation.type(
            x.elementType, [x.shape[0], x.shape[1], size.height, size.width])
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

// MARK: - Checks

extension Operation {
    private func requireCount(_ operands: [TensorType], _ count: Int) throws(GraphError) {
        guard operands.count == count else {
            throw GraphError(
                .operandCountMismatch,
                "\(name): expected \(count) operands, found \(operands.count)")
        }
    }

    private func requireRank(
        _ type: TensorType, _ role: String, _ rank: Int, _ axes: String
    ) throws(GraphError) {
        guard type.shape.rank == rank else {
            throw GraphError(
                .rankMismatch, "\(name): expected \(role) \(axes), found \(type.shape)")
        }
    }

    private func requireFloatingPoint(_ type: TensorType, _ role: String) throws(GraphError) {
        guard type.elementType.isFloatingPoint else {
            throw GraphError(
                .elementTypeMismatch,
                "\(name): expected \(role) of a floating-point type, "
                    + "found \(type.elementType.rawValue)")
        }
    }

    private func requireElementType(
        _ type: TensorType, _ role: String, _ expected: ElementType
    ) throws(GraphError) {
        guard type.elementType == expected else {
            throw GraphError(
                .elementTypeMismatch,
                "\(name): expected \(role) of \(expected.rawValue), "
                    + "found \(type.elementType.rawValue)")
        }
    }

    private func requireShape(
        _ type: TensorType, _ role: String, _ expected: Shape
    ) throws(GraphError) {
        guard type.shape == expected else {
            throw GraphError(
                .shapeMismatch, "\(name): expected \(role) \(expected), found \(type.shape)")
        }
    }

    /// One number a channel, of the data's type or, beside narrower data, of float32.
    private func requireVector(
        _ type: TensorType, _ role: String, _ count: Int, beside x: TensorType
    ) throws(GraphError) {
        try requireShape(type, role, [count])
        guard
            type.elementType == x.elementType
                || (x.elementType.isNarrow && type.elementType == .float32)
        else {
            throw GraphError(
                .elementTypeMismatch,
                "\(name): expected \(role) of x's \(x.elementType.rawValue) or, where that is "
                    + "narrower, float32; found \(type.elementType.rawValue)")
        }
    }

    private func type(
        _ elementType: ElementType, _ dimensions: [Int]
    ) throws(GraphError) -> TensorType {
        do {
            return TensorType(elementType, try Shape(validating: dimensions))
        } catch {
            throw GraphError(.shapeMismatch, "\(name): the result is too large: \(error.message)")
        }
    }

    /// How often a window fits along both spatial axes of `[N, C, H, W]`.
    private func slide(
        over shape: Shape, _ window: Spatial, stride: Spatial, padding: Padding
    ) throws(GraphError) -> Spatial {
        guard stride.height >= 1, stride.width >= 1 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected strides of at least 1, found \(stride.height)x\(stride.width)")
        }
        guard window.height >= 1, window.width >= 1 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a window of at least 1x1, found \(window.height)x\(window.width)"
            )
        }
        return Spatial(
            height: try positions(
                "height", shape[2], window.height, stride.height, padding.top, padding.bottom),
            width: try positions(
                "width", shape[3], window.width, stride.width, padding.left, padding.right))
    }

    private func positions(
        _ axis: String, _ extent: Int, _ window: Int, _ stride: Int, _ before: Int, _ after: Int
    ) throws(GraphError) -> Int {
        // Text may state any number; sums below this bound cannot overflow.
        let bound = 1 << 40
        guard (0...bound).contains(before), (0...bound).contains(after) else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a padding of at least 0, found \(before) and \(after) "
                    + "along the \(axis)")
        }
        guard extent <= bound, window <= extent + before + after else {
            throw GraphError(
                .shapeMismatch,
                "\(name): expected a \(axis) of at least the window's \(window), "
                    + "found \(extent) padded by \(before) and \(after)")
        }
        return (extent + before + after - window) / stride + 1
    }
}

extension ElementType {
    /// Whether the type is a floating-point one of fewer bits than float32.
    var isNarrow: Bool { self == .bfloat16 || self == .float16 }
}
