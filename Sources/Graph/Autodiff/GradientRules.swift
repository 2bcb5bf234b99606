import Tensors

/// The rules: what each operation gives back to its operands.
extension Differentiation {
    /// The gradients for a node's operands, in order; `nil` where none is needed.
    ///
    /// - Parameters:
    ///   - node: reads at least one value whose gradient is needed.
    ///   - value: what the node makes.
    ///   - adjoint: the loss's gradient for that.
    /// - Throws: `GraphError` with code `.missingGradient` where there is no rule for an operand that needs one.
    mutating func gradients(
        of node: Node, at value: Value, adjoint: Value
    ) throws(GraphError) -> [Value?] {
        let label = label(of: value)
        // Sums for a narrow value come in float32; a cast passes them on as they are.
        if case .cast = node.operation {
            return [try castGradient(of: node, at: value, adjoint)]
        }
        let adjoint = try cast(adjoint, to: node.type.elementType, label: label)
        let operands = node.operands
        switch node.operation {
        case .convolution(let attributes):
            return try convolutionGradients(of: node, attributes, at: value, adjoint)
        case .batchNormalization(let epsilon):
            return try batchNormalizationGradients(of: node, epsilon, at: value, adjoint)
        case .normalizeBatch(let epsilon):
            return try normalizeBatchGradients(of: node, epsilon, at: value, adjoint)
        case .dense: return try denseGradients(of: node, at: value, adjoint)
        case .multiply: return try multiplyGradients(of: node, at: value, adjoint)
        case .relu: return [try builder.reluGradient(gradient: adjoint, y: value, label: label)]
        case .add: return [adjoint, adjoint]
        // Each replica's value went into every replica's mean: its gradient is the sum of theirs over their number.
        case .replicaMean: return [try builder.replicaMean(adjoint, label: label)]
        case .maxPool(let window):
            let indices = try builder.maxPoolIndices(
                operands[0], window, label: self.label(of: value, "indices"))
            return [
                try builder.maxPoolGradient(
                    gradient: adjoint, indices: indices, window, size: size(of: operands[0]),
                    label: label)
            ]
        case .globalAveragePool:
            return [
                try builder.globalAveragePoolGradient(
                    gradient: adjoint, size: size(of: operands[0]), label: label)
            ]
        case .crossEntropy(let loss):
            try requireUnneeded(operands.dropFirst(), at: value, "its targets or class weights")
            return [
                try builder.append(.crossEntropyGradient(loss), operands + [adjoint], label: label)
            ]
        case .cast, .input, .parameter, .state, .constant, .softmax, .normalizeImage,
            .batchMoments, .normalizationSums, .normalizeBatchGradient,
            .batchNormalizationGradient, .reluGradient, .convolutionInputGradient,
            .convolutionFilterGradient, .maxPoolIndices, .maxPoolGradient,
            .globalAveragePoolGradient, .denseInputGradient, .denseWeightGradient, .channelSums,
            .crossEntropyGradient, .correctCount, .row, .stack, .reciprocal, .squaredNorm,
            .isFinite, .select, .movingAverage, .clipFactor, .trustRatio, .velocityUpdate,
            .weightUpdate, .lossScaleUpdate, .replicaMoments:
            throw missing(value, "")
        }
    }

    private mutating func castGradient(
        of node: Node, at value: Value, _ adjoint: Value
    ) throws(GraphError) -> Value {
        let elementType = builder.nodes[node.operands[0].index].type.elementType
        guard elementType.isFloatingPoint else {
            throw missing(value, " of \(elementType.rawValue)")
        }
        return try cast(adjoint, to: elementType, label: label(of: value))
    }

    /// The filter's gradient follows the input's, so that the node's own gradient is read by neighbours.
    private mutating func convolutionGradients(
        of node: Node, _ attributes: Convolution, at value: Value, _ adjoint: Value
    ) throws(GraphError) -> [Value?] {
        guard !attributes.hasResidual, attributes.activation == .none else {
            throw missing(value, " with a residual or an activation; take gradients before `fuse`")
        }
        let (x, filter) = (node.operands[0], node.operands[1])
        var gradients = [Value?](repeating: nil, count: node.operands.count)
        if needs(x) {
            gradients[0] = try builder.convolutionInputGradient(
                gradient: adjoint, filter: filter, size: size(of: x), stride: attributes.stride,
                padding: attributes.padding, label: label(of: value))
        }
        if needs(filter) {
            gradients[1] = try builder.convolutionFilterGradient(
                gradient: adjoint, x: x, size: size(of: filter), stride: attributes.stride,
                padding: attributes.padding, label: label(of: value, "filter"))
        }
        if let index = attributes.biasIndex, needs(node.operands[index]) {
            gradients[index] = try builder.channelSums(adjoint, label: label(of: value, "bias"))
        }
        return gradients
    }

    /// With stored statistics, which are constants.
    private mutating func batchNormalizationGradients(
        of node: Node, _ epsilon: Double, at value: Value, _ adjoint: Value
    ) throws(GraphError) -> [Value?] {
        let (x, scale, shift) = (node.operands[0], node.operands[1], node.operands[2])
        let (mean, variance) = (node.operands[3], node.operands[4])
        try requireUnneeded([mean, variance], at: value, "its mean or variance")
        var gradients: [Value?] = [nil, nil, nil, nil, nil]
        if needs(x) {
            gradients[0] = try builder.batchNormalizationGradient(
                gradient: adjoint, scale: scale, variance: variance, epsilon: epsilon,
                label: label(of: value))
        }
        if needs(scale) || needs(shift) {
            let wide = node.type.elementType.sumType
            let label = label(of: value, "sums")
            let moments = try builder.stack(
                [
                    cast(mean, to: wide, label: label), cast(variance, to: wide, label: label),
                ], label: label)
            let sums = try builder.normalizationSums(
                gradient: adjoint, x: x, moments: moments, epsilon: epsilon, label: label)
            try addRows(of: sums, to: &gradients, node, at: value)
        }
        return gradients
    }

    /// The gradient for `x` goes through its moments too, so that these need none of their own.
    private mutating func normalizeBatchGradients(
        of node: Node, _ epsilon: Double, at value: Value, _ adjoint: Value
    ) throws(GraphError) -> [Value?] {
        let (x, scale, moments) = (node.operands[0], node.operands[1], node.operands[3])
        var source = builder.nodes[moments.index]
        // The moments of all replicas' x together, of which this replica's x is a part.
        let isSynchronized = source.operation == .replicaMoments
        if isSynchronized { source = builder.nodes[source.operands[0].index] }
        let isOfX = source.operation == .batchMoments && source.operands == [x]
        guard isOfX || !(needs(x) || needs(moments)), !wanted.contains(moments) else {
            throw missing(value, " through moments that are not the batch moments of its x")
        }
        var gradients: [Value?] = [nil, nil, nil, nil]
        let sums = try builder.normalizationSums(
            gradient: adjoint, x: x, moments: moments, epsilon: epsilon,
            label: label(of: value, "sums"))
        if needs(x) {
            // It takes means of the gradients that the moments were made for: those of all replicas.
            let label = label(of: value)
            let sumsOfMoments = isSynchronized ? try builder.replicaMean(sums, label: label) : sums
            gradients[0] = try builder.normalizeBatchGradient(
                gradient: adjoint, x: x, scale: scale, moments: moments, sums: sumsOfMoments,
                epsilon: epsilon, label: label)
        }
        try addRows(of: sums, to: &gradients, node, at: value)
        return gradients
    }

    /// The gradients of scale and shift, the second and third operands, which are rows of sums.
    private mutating func addRows(
        of sums: Value, to gradients: inout [Value?], _ node: Node, at value: Value
    ) throws(GraphError) {
        if needs(node.operands[1]) {
            gradients[1] = try builder.row(sums, index: 1, label: label(of: value, "scale"))
        }
        if needs(node.operands[2]) {
            gradients[2] = try builder.row(sums, index: 0, label: label(of: value, "shift"))
        }
    }

    /// Products are of the operands' type, which may be narrower than the result; the bias's sum is of the
    /// gradient as it came.
    private mutating func denseGradients(
        of node: Node, at value: Value, _ adjoint: Value
    ) throws(GraphError) -> [Value?] {
        let (x, weight, bias) = (node.operands[0], node.operands[1], node.operands[2])
        var gradients: [Value?] = [nil, nil, nil]
        if needs(x) || needs(weight) {
            let elementType = builder.nodes[x.index].type.elementType
            let gradient = try cast(adjoint, to: elementType, label: label(of: value))
            if needs(x) {
                gradients[0] = try builder.denseInputGradient(
                    gradient: gradient, weight: weight, label: label(of: value))
            }
            if needs(weight) {
                gradients[1] = try builder.denseWeightGradient(
                    gradient: gradient, x: x, label: label(of: value, "weight"))
            }
        }
        if needs(bias) {
            gradients[2] = try builder.channelSums(adjoint, label: label(of: value, "bias"))
        }
        return gradients
    }

    private mutating func multiplyGradients(
        of node: Node, at value: Value, _ adjoint: Value
    ) throws(GraphError) -> [Value?] {
        let (x, factor) = (node.operands[0], node.operands[1])
        var gradients: [Value?] = [nil, nil]
        if needs(x) {
            gradients[0] = try builder.multiply(adjoint, by: factor, label: label(of: value))
        }
        if needs(factor) {
            guard builder.type(of: x) == builder.type(of: factor) else {
                throw missing(value, " for a factor without axes")
            }
            gradients[1] = try builder.multiply(adjoint, by: x, label: label(of: value))
        }
        return gradients
    }

    // MARK: Helpers

    /// The last two extents.
    private func size(of value: Value) -> Spatial {
        let shape = builder.nodes[value.index].type.shape
        return Spatial(height: shape[2], width: shape[3])
    }

    private func requireUnneeded(
        _ operands: some Sequence<Value>, at value: Value, _ what: String
    ) throws(GraphError) {
        if operands.contains(where: needs) { throw missing(value, " for \(what)") }
    }

    /// That a rule is missing, and where.
    private func missing(_ value: Value, _ what: String) -> GraphError {
        let node = builder.nodes[value.index]
        let place = node.label.isEmpty ? "%\(value.index)" : node.label
        return GraphError(
            .missingGradient,
            "\(place): expected an operation with a gradient rule on the way to what gradients are "
                + "asked for, found \(node.operation.name)\(what)")
    }
}
