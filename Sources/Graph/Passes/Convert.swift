public import Tensors

/// Rewrites a graph to compute in another floating-point type.
///
/// Activations, filters and dense weights take the new type. Vectors of one number a channel (biases, batch-norm
/// statistics and moments), losses, counts and all that an optimizer computes are float32, or float64 where the
/// new type is. A dense layer on narrower data gives float32, so logits and probabilities are never rounded to the
/// narrow type. Inputs keep their types (`normalizeImage` emits the new one), and so do outputs, by casts.
/// Parameters and states only state the new type: a back end converts parameters' tensors when it compiles.
///
/// - Parameters:
///   - graph: a verified graph.
///   - elementType: a floating-point type.
///   - keepingParameters: whether parameters and states keep their types and are cast, once each, for those that
///     read them in another. A network whose weights stay float32 can be trained in a narrower type.
/// - Throws: `GraphError` with code `.invalidAttribute` for any other element type.
public func convert(
    _ graph: Graph, to elementType: ElementType, keepingParameters: Bool = false
) throws(GraphError) -> Graph {
    guard elementType.isFloatingPoint else {
        throw GraphError(
            .invalidAttribute,
            "convert: expected a floating-point element type, found \(elementType.rawValue)")
    }
    var converter = PrecisionConverter(
        graph: graph, elementType: elementType, keepingParameters: keepingParameters)
    for node in graph.nodes { try converter.add(node) }
    for output in graph.outputs {
        let type = graph[output.value].type.elementType
        let value = try converter.value(output.value, as: type)
        try converter.builder.output(output.name, value)
    }
    for update in graph.updates { try converter.add(update) }
    return try converter.builder.finish()
}

private struct PrecisionConverter {
    private struct CastKey: Hashable {
        var value: Value
        var elementType: ElementType
    }

    let graph: Graph
    let compute: ElementType
    let parameterTypes: [ElementType?]
    var builder: GraphBuilder
    private var values: [Value] = []
    private var casts: [CastKey: Value] = [:]
    private var states: [String: Value] = [:]

    init(graph: Graph, elementType: ElementType, keepingParameters: Bool) {
        self.graph = graph
        compute = elementType
        builder = GraphBuilder(like: graph)
        parameterTypes =
            keepingParameters
            ? [ElementType?](repeating: nil, count: graph.nodes.count)
            : Self.typesWanted(graph, elementType)
    }

    mutating func add(_ node: Node) throws(GraphError) {
        var operation = node.operation
        switch operation {
        case .parameter, .state:
            let type = TensorType(
                parameterTypes[values.count] ?? node.type.elementType, node.type.shape)
            let value = try builder.addLeaf(operation, type: type, label: node.label)
            if case .state(let name) = operation { states[name] = value }
            values.append(value)
            return
        case .normalizeImage(let mean, let deviation, _):
            operation = .normalizeImage(mean: mean, deviation: deviation, elementType: compute)
        case .dense: operation = .dense(elementType: compute.sumType)
        case .constant(let number, _): operation = .constant(number, compute.sumType)
        default: break
        }
        var operands: [Value] = []
        for (place, operand) in node.operands.enumerated() {
            let isReal = graph[operand].type.elementType.isFloatingPoint
            if isReal, let wanted = operation.wantedType(ofOperand: place, computingIn: compute) {
                operands.append(try value(operand, as: wanted))
            } else {
                operands.append(values[operand.index])
            }
        }
        var converted = node
        converted.operation = operation
        values.append(try builder.copy(converted, operands: operands))
    }

    /// Carries an update over, in the type that its state has now.
    mutating func add(_ update: GraphOutput) throws(GraphError) {
        let type = states[update.name].flatMap { builder.type(of: $0)?.elementType }
        let old = graph[update.value].type.elementType
        try builder.update(update.name, try value(update.value, as: type ?? old))
    }

    /// What an old value has become, cast where it has another type.
    mutating func value(_ old: Value, as elementType: ElementType) throws(GraphError) -> Value {
        let value = values[old.index]
        if builder.type(of: value)?.elementType == elementType { return value }
        let key = CastKey(value: value, elementType: elementType)
        if let cast = casts[key] { return cast }
        let cast = try builder.cast(value, to: elementType, label: graph[old].label)
        casts[key] = cast
        return cast
    }

    /// For each parameter and state the type its readers want, where they agree.
    private static func typesWanted(_ graph: Graph, _ compute: ElementType) -> [ElementType?] {
        var wanted = [Set<ElementType>](repeating: [], count: graph.nodes.count)
        for node in graph.nodes {
            for (place, operand) in node.operands.enumerated() {
                let old = graph[operand].type.elementType
                let type = node.operation.wantedType(ofOperand: place, computingIn: compute)
                wanted[operand.index].insert(old.isFloatingPoint ? type ?? old : old)
            }
        }
        for output in graph.outputs {
            wanted[output.value.index].insert(graph[output.value].type.elementType)
        }
        return wanted.map { $0.count == 1 ? $0.first : nil }
    }
}

extension Operation {
    /// The element type of an operand when computing in a type; `nil` where any will do.
    fileprivate func wantedType(
        ofOperand place: Int, computingIn compute: ElementType
    ) -> ElementType? {
        let vector = compute.sumType
        return switch self {
        case .convolution(let attributes): place == attributes.biasIndex ? vector : compute
        case .dense: place == 2 ? vector : compute
        case .batchNormalization, .normalizeBatch, .batchNormalizationGradient:
            place == 0 ? compute : vector
        case .normalizationSums, .normalizeBatchGradient: place <= 1 ? compute : vector
        case .relu, .add, .maxPool, .globalAveragePool, .batchMoments, .reluGradient,
            .convolutionInputGradient, .convolutionFilterGradient, .maxPoolIndices,
            .maxPoolGradient, .globalAveragePoolGradient, .denseInputGradient,
            .denseWeightGradient:
            compute
        // Losses, what is said about a step, and updates.
        case .crossEntropy, .crossEntropyGradient, .correctCount, .row, .stack, .multiply,
            .reciprocal, .select, .movingAverage, .clipFactor, .trustRatio, .velocityUpdate,
            .weightUpdate, .lossScaleUpdate, .replicaMoments:
            vector
        case .input, .parameter, .state, .constant, .softmax, .normalizeImage, .cast,
            .channelSums, .squaredNorm, .isFinite:
            nil
        // A mean of what stays wide beside narrow data stays so too.
        case .replicaMean: compute.isNarrow ? nil : compute
        }
    }
}
