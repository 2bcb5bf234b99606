public import Tensors

/// Rewrites a graph to compute in another floating-point type.
///
/// Activations, filters and dense weights take the new type. Vectors of one number a channel (biases, batch-norm
/// statistics) are float32, or float64 where the new type is. A dense layer on narrower data gives float32, so
/// logits and probabilities are never rounded to the narrow type. Inputs keep their types (`normalizeImage`
/// emits the new one), and so do outputs, by casts. Parameters only state the new type: a back end converts their
/// tensors when it compiles.
///
/// - Parameters:
///   - graph: a verified graph.
///   - elementType: a floating-point type.
/// - Throws: `GraphError` with code `.invalidAttribute` for any other element type.
public func convert(
    _ graph: Graph, to elementType: ElementType
) throws(GraphError) -> Graph {
    guard elementType.isFloatingPoint else {
        throw GraphError(
            .invalidAttribute,
            "convert: expected a floating-point element type, found \(elementType.rawValue)")
    }
    var converter = PrecisionConverter(graph: graph, elementType: elementType)
    for node in graph.nodes { try converter.add(node) }
    for output in graph.outputs {
        let type = graph[output.value].type.elementType
        let value = try converter.value(output.value, as: type)
        try converter.builder.output(output.name, value)
    }
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

    init(graph: Graph, elementType: ElementType) {
        self.graph = graph
        compute = elementType
        builder = GraphBuilder(name: graph.name)
        parameterTypes = Self.typesWanted(graph, elementType)
    }

    mutating func add(_ node: Node) throws(GraphError) {
        var operation = node.operation
        switch operation {
        case .input: break
        case .parameter:
            let type = TensorType(
                parameterTypes[values.count] ?? node.type.elementType, node.type.shape)
            values.append(try builder.addLeaf(operation, type: type, label: node.label))
            return
        case .normalizeImage(let mean, let deviation, _):
            operation = .normalizeImage(mean: mean, deviation: deviation, elementType: compute)
        case .dense: operation = .dense(elementType: compute.vectorType)
        case .cast, .softmax, .convolution, .batchNormalization, .relu, .add, .maxPool,
            .globalAveragePool:
            break
        }
        var operands: [Value] = []
        for (place, operand) in node.operands.enumerated() {
            if let wanted = operation.wantedType(ofOperand: place, computingIn: compute) {
                operands.append(try value(operand, as: wanted))
            } else {
                operands.append(values[operand.index])
            }
        }
        var converted = node
        converted.operation = operation
        values.append(try builder.copy(converted, operands: operands))
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

    /// For each parameter the type its readers want, where they agree.
    private static func typesWanted(_ graph: Graph, _ compute: ElementType) -> [ElementType?] {
        var wanted = [Set<ElementType>](repeating: [], count: graph.nodes.count)
        for node in graph.nodes {
            for (place, operand) in node.operands.enumerated() {
                let type = node.operation.wantedType(ofOperand: place, computingIn: compute)
                wanted[operand.index].insert(type ?? graph[operand].type.elementType)
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
        switch self {
        case .convolution(let attributes):
            place == attributes.biasIndex ? compute.vectorType : compute
        case .dense: place == 2 ? compute.vectorType : compute
        case .batchNormalization: place == 0 ? compute : compute.vectorType
        case .relu, .add, .maxPool, .globalAveragePool: compute
        case .input, .parameter, .softmax, .normalizeImage, .cast: nil
        }
    }
}

extension ElementType {
    /// The type of vectors of one number a channel beside data of this type.
    fileprivate var vectorType: ElementType { isNarrow ? .float32 : self }
}
