import Tensors

/// Types of batch statistics and of gradients.
extension Operation {
    func inferBatchMoments(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        let x = operands[0]
        try requireActivations(x, "x")
        return try type(x.elementType.sumType, [2, x.shape[1]])
    }

    func inferReplicaMoments(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        let moments = operands[0]
        try requireFloatingPoint(moments, "moments")
        try requireElementType(moments, "moments", moments.elementType.sumType)
        try requireRank(moments, "moments", 2, "[2, C]")
        try requireShape(moments, "moments", [2, moments.shape[1]])
        return moments
    }

    func inferNormalizeBatch(
        epsilon: Double, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 4)
        let x = operands[0]
        try requireActivations(x, "x")
        try requireVector(operands[1], "scale", x.shape[1], beside: x)
        try requireVector(operands[2], "shift", x.shape[1], beside: x)
        try requirePairs(operands[3], "moments", beside: x)
        try requireAtLeast(0, epsilon, "epsilon")
        return x
    }

    func inferNormalizationSums(
        epsilon: Double, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 3)
        let x = operands[1]
        try requireActivations(x, "x")
        try requireType(operands[0], "gradient", x)
        try requirePairs(operands[2], "moments", beside: x)
        try requireAtLeast(0, epsilon, "epsilon")
        return operands[2]
    }

    func inferNormalizeBatchGradient(
        epsilon: Double, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 5)
        let x = operands[1]
        try requireActivations(x, "x")
        try requireType(operands[0], "gradient", x)
        try requireVector(operands[2], "scale", x.shape[1], beside: x)
        try requirePairs(operands[3], "moments", beside: x)
        try requirePairs(operands[4], "sums", beside: x)
        try requireAtLeast(0, epsilon, "epsilon")
        return x
    }

    func inferBatchNormalizationGradient(
        epsilon: Double, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 3)
        let gradient = operands[0]
        try requireActivations(gradient, "gradient")
        try requireVector(operands[1], "scale", gradient.shape[1], beside: gradient)
        try requireVector(operands[2], "variance", gradient.shape[1], beside: gradient)
        try requireAtLeast(0, epsilon, "epsilon")
        return gradient
    }

    func inferReluGradient(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        try requireFloatingPoint(operands[0], "gradient")
        try requireType(operands[1], "y", operands[0])
        return operands[0]
    }

    func inferConvolutionInputGradient(
        _ attributes: Convolution, _ size: Spatial, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let (gradient, filter) = (operands[0], operands[1])
        try requireActivations(gradient, "gradient")
        try requireElementType(filter, "filter", gradient.elementType)
        try requireRank(filter, "filter", 4, "[O, C, h, w]")
        guard filter.shape[0] == gradient.shape[1] else {
            throw GraphError(
                .shapeMismatch,
                "\(name): expected a filter that gives the \(gradient.shape[1]) channels of the "
                    + "gradient \(gradient.shape), found \(filter.shape) for \(filter.shape[0])")
        }
        let x = try type(
            gradient.elementType,
            [gradient.shape[0], filter.shape[1], size.height, size.width])
        try requireForward(
            attributes, x.shape, Spatial(height: filter.shape[2], width: filter.shape[3]),
            gives: gradient.shape)
        return x
    }

    func inferConvolutionFilterGradient(
        _ attributes: Convolution, _ size: Spatial, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let (gradient, x) = (operands[0], operands[1])
        try requireActivations(gradient, "gradient")
        try requireElementType(x, "x", gradient.elementType)
        try requireRank(x, "x", 4, "[N, C, H, W]")
        guard x.shape[0] == gradient.shape[0] else {
            throw GraphError(
                .shapeMismatch,
                "\(name): expected x for the \(gradient.shape[0]) images of the gradient "
                    + "\(gradient.shape), found \(x.shape)")
        }
        try requireForward(attributes, x.shape, size, gives: gradient.shape)
        return try type(
            x.elementType.sumType, [gradient.shape[1], x.shape[1], size.height, size.width])
    }

    /// That a plain convolution of `x` with a filter of these extents gives a result of the gradient's extents.
    private func requireForward(
        _ attributes: Convolution, _ x: Shape, _ filter: Spatial, gives gradient: Shape
    ) throws(GraphError) {
        guard !attributes.hasBias, !attributes.hasResidual, attributes.activation == .none else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a convolution without bias, residual and activation, "
                    + "found \(attributes)")
        }
        let size = try slide(
            over: x, filter, stride: attributes.stride, padding: attributes.padding)
        try requireExtents(gradient, size, forwardOf: x)
    }

    func inferMaxPoolIndices(
        _ window: Window, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        let x = operands[0]
        try requireActivations(x, "x")
        try requireCountable(window)
        let size = try slide(window, over: x.shape)
        return try type(.uint8, [x.shape[0], x.shape[1], size.height, size.width])
    }

    func inferMaxPoolGradient(
        _ window: Window, _ size: Spatial, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let gradient = operands[0]
        try requireActivations(gradient, "gradient")
        try requireElementType(operands[1], "indices", .uint8)
        try requireShape(operands[1], "indices", gradient.shape)
        try requireCountable(window)
        let x = try type(
            gradient.elementType,
            [gradient.shape[0], gradient.shape[1], size.height, size.width])
        try requireExtents(gradient.shape, slide(window, over: x.shape), forwardOf: x.shape)
        return x
    }

    func inferGlobalAveragePoolGradient(
        _ size: Spatial, _ operands: [TensorType]
    ) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        let gradient = operands[0]
        try requireFloatingPoint(gradient, "gradient")
        try requireRank(gradient, "gradient", 2, "[N, C]")
        guard size.height >= 1, size.width >= 1 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected extents of at least 1x1, found \(size.height)x\(size.width)")
        }
        return try type(
            gradient.elementType,
            [gradient.shape[0], gradient.shape[1], size.height, size.width])
    }

    func inferDenseInputGradient(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let (gradient, weight) = (operands[0], operands[1])
        try requireFloatingPoint(gradient, "gradient")
        try requireElementType(weight, "weight", gradient.elementType)
        try requireRank(gradient, "gradient", 2, "[N, O]")
        try requireRank(weight, "weight", 2, "[O, I]")
        guard weight.shape[0] == gradient.shape[1] else {
            throw GraphError(
                .shapeMismatch,
                "\(name): expected a weight that gives the \(gradient.shape[1]) features of the "
                    + "gradient \(gradient.shape), found \(weight.shape) for \(weight.shape[0])")
        }
        return try type(gradient.elementType, [gradient.shape[0], weight.shape[1]])
    }

    func inferDenseWeightGradient(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 2)
        let (gradient, x) = (operands[0], operands[1])
        try requireFloatingPoint(gradient, "gradient")
        try requireElementType(x, "x", gradient.elementType)
        try requireRank(gradient, "gradient", 2, "[N, O]")
        try requireRank(x, "x", 2, "[N, I]")
        guard x.shape[0] == gradient.shape[0] else {
            throw GraphError(
                .shapeMismatch,
                "\(name): expected x for the \(gradient.shape[0]) rows of the gradient "
                    + "\(gradient.shape), found \(x.shape)")
        }
        return try type(x.elementType.sumType, [gradient.shape[1], x.shape[1]])
    }

    func inferChannelSums(_ operands: [TensorType]) throws(GraphError) -> TensorType {
        try requireCount(operands, 1)
        let x = operands[0]
        try requireFloatingPoint(x, "x")
        guard x.shape.rank >= 2 else {
            throw GraphError(
                .rankMismatch, "\(name): expected x of two or more axes, found \(x.shape)")
        }
        return TensorType(x.elementType.sumType, [x.shape[1]])
    }

    // MARK: Checks

    /// Two numbers a channel, in the type of sums.
    private func requirePairs(
        _ pairs: TensorType, _ role: String, beside x: TensorType
    ) throws(GraphError) {
        try requireElementType(pairs, role, x.elementType.sumType)
        try requireShape(pairs, role, try type(x.elementType, [2, x.shape[1]]).shape)
    }

    /// A window whose places fit into a byte.
    private func requireCountable(_ window: Window) throws(GraphError) {
        let (count, overflow) = window.size.height.multipliedReportingOverflow(
            by: window.size.width)
        guard !overflow, count <= 256 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a window of at most 256 elements, "
                    + "found \(window.size.height)x\(window.size.width)")
        }
    }

    private func requireExtents(
        _ gradient: Shape, _ size: Spatial, forwardOf x: Shape
    ) throws(GraphError) {
        guard gradient[2] == size.height, gradient[3] == size.width else {
            throw GraphError(
                .shapeMismatch,
                "\(name): expected a gradient of \(size.height)x\(size.width), as x \(x) gives; "
                    + "found \(gradient)")
        }
    }
}
