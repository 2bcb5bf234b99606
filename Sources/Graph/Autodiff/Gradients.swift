import Tensors

extension GraphBuilder {
    /// Adds the gradients of a loss.
    ///
    /// The nodes between the values asked for and the loss are walked backwards, and each adds what its rule says
    /// (`GradientRules.swift`): so gradients are made in the reverse order of what they are the gradients of, and
    /// those of a convolution for its input and its filter next to each other. Where a value is read several
    /// times, its gradients are added. Nothing is made for values that lead to none of those asked for. Gradient
    /// nodes carry the label of what they belong to, as in `layer1.0.conv2.gradient`.
    ///
    /// Precision: a gradient has its value's element type, except that the gradients of filters, weights and
    /// vectors of one number a channel are float32 also where these are narrower.
    ///
    /// Replicas: each has a loss of its own, and the gradients are those of the *sum* of all replicas' losses for this
    /// replica's values. What a value does to other replicas' losses comes back through the means that they share:
    /// with `y = Σ x / R` on each of `R` replicas, the gradient for one's `x` is the sum of all their gradients for `y`
    /// over `R`, a mean again. Of a parameter each replica has an equal copy; so its gradient of the *mean* of the
    /// losses is the mean of the copies' gradients, `replicaMean` of what is given here.
    ///
    /// - Parameters:
    ///   - loss: without axes, float32 or float64.
    ///   - wanted: what to differentiate with respect to, each of a floating-point type.
    ///   - scale: the gradient to start from, of the loss's type, as in loss scaling; 1 where `nil`.
    /// - Returns: one gradient a value asked for, of its shape, in the same order.
    /// - Throws: `GraphError` with code `.missingGradient` where there is no rule for an operation on the way or
    ///   the loss does not depend on a value; `.rankMismatch` or `.elementTypeMismatch` where loss or scale is not
    ///   such a number; `.unknownValue`. The builder is then as it was.
    public mutating func gradients(
        of loss: Value, withRespectTo wanted: [Value], scale: Value? = nil
    ) throws(GraphError) -> [Value] {
        for value in [loss] + wanted + [scale].compactMap({ $0 })
        where !nodes.indices.contains(value.index) {
            throw GraphError(
                .unknownValue,
                "gradients: expected values of this graph (%0 to %\(nodes.count - 1)), "
                    + "found %\(value.index)")
        }
        let type = nodes[loss.index].type
        guard type.shape.rank == 0 else {
            throw GraphError(
                .rankMismatch, "gradients: expected a loss without axes, found \(type)")
        }
        guard type.elementType == .float32 || type.elementType == .float64 else {
            throw GraphError(
                .elementTypeMismatch,
                "gradients: expected a loss of float32 or float64, found \(type)")
        }
        if let scale, nodes[scale.index].type != type {
            let found = nodes[scale.index].type
            throw GraphError(
                found.shape.rank == 0 ? .elementTypeMismatch : .rankMismatch,
                "gradients: expected a scale of the loss's \(type), found \(found)")
        }
        var differentiation = try Differentiation(self, loss: loss, wanted: wanted)
        let result = try differentiation.run(scale: scale)
        self = differentiation.builder
        return result
    }
}

/// One walk from a loss back to the values asked for.
struct Differentiation {
    /// Holds the nodes to differentiate, and takes those of the gradients.
    var builder: GraphBuilder
    let loss: Value
    let wanted: [Value]
    /// For each node up to the loss, whether it is one of those asked for or depends on one.
    private let leadsToWanted: [Bool]
    /// The gradients so far, by the place of what they belong to.
    private var adjoints: [Int: Value] = [:]

    init(_ builder: GraphBuilder, loss: Value, wanted: [Value]) throws(GraphError) {
        self.builder = builder
        self.loss = loss
        self.wanted = wanted
        var leads = [Bool](repeating: false, count: builder.nodes.count)
        for value in wanted {
            let type = builder.nodes[value.index].type
            guard type.elementType.isFloatingPoint else {
                throw GraphError(
                    .missingGradient,
                    "gradients: expected values of floating-point types, "
                        + "found \(builder.describe(value)) of \(type)")
            }
            leads[value.index] = true
        }
        for (index, node) in builder.nodes.enumerated().prefix(loss.index + 1) where !leads[index] {
            leads[index] = node.operands.contains { leads[$0.index] }
        }
        leadsToWanted = leads
    }

    /// Whether a value's gradient is needed.
    func needs(_ value: Value) -> Bool { leadsToWanted[value.index] }

    mutating func run(scale: Value?) throws(GraphError) -> [Value] {
        if needs(loss) {
            var seed = scale
            if seed == nil {
                let elementType = builder.nodes[loss.index].type.elementType
                seed = try builder.constant(1, elementType, label: label(of: loss))
            }
            adjoints[loss.index] = seed
        }
        for index in (0...loss.index).reversed() {
            let node = builder.nodes[index]
            guard let adjoint = adjoints[index], node.operands.contains(where: needs) else {
                continue
            }
            let gradients = try gradients(of: node, at: Value(index: index), adjoint: adjoint)
            for (operand, gradient) in zip(node.operands, gradients) where needs(operand) {
                if let gradient { try add(gradient, to: operand) }
            }
        }
        var result: [Value] = []
        for value in wanted {
            guard let gradient = adjoints[value.index] else {
                throw GraphError(
                    .missingGradient,
                    "gradients: expected values that the loss \(builder.describe(loss)) depends on, "
                        + "found \(builder.describe(value))")
            }
            result.append(gradient)
        }
        return result
    }

    /// Adds a gradient to those that came another way.
    private mutating func add(_ gradient: Value, to value: Value) throws(GraphError) {
        guard var sum = adjoints[value.index] else {
            adjoints[value.index] = gradient
            return
        }
        var gradient = gradient
        if builder.type(of: sum) != builder.type(of: gradient) {
            // One came as sums do, in float32; the other in the narrower type of the data.
            let wide = builder.nodes[value.index].type.elementType.sumType
            sum = try cast(sum, to: wide, label: label(of: value))
            gradient = try cast(gradient, to: wide, label: label(of: value))
        }
        adjoints[value.index] = try builder.add(sum, gradient, label: label(of: value))
    }

    /// A value in an element type: itself where it has that.
    mutating func cast(
        _ value: Value, to elementType: ElementType, label: String
    ) throws(GraphError) -> Value {
        if builder.type(of: value)?.elementType == elementType { return value }
        return try builder.cast(value, to: elementType, label: label)
    }

    /// What a gradient is called: as in `conv1.gradient`, or `conv1.filter.gradient` for one of its operands.
    func label(of value: Value, _ part: String = "") -> String {
        let stem = builder.describe(value)
        return part.isEmpty ? "\(stem).gradient" : "\(stem).\(part).gradient"
    }
}

extension GraphBuilder {
    /// What messages call a value made so far: its label, else its name, else its place.
    fileprivate func describe(_ value: Value) -> String {
        let node = nodes[value.index]
        if !node.label.isEmpty { return node.label }
        switch node.operation {
        case .input(let name), .parameter(let name), .state(let name): return name
        default: return "%\(value.index)"
        }
    }
}
