public import Tensors

/// Folds every batch normalisation that can be into the convolution before it.
///
/// A convolution is folded where its only reader is a batch normalisation, nothing is fused into it but a bias,
/// and filter, bias and statistics are parameters. It becomes a convolution with a bias, under new parameters:
/// `conv1.weight` and `bn1.bias` become `conv1.weight.folded` and `bn1.bias.folded`.
///
/// Precision: factors and sums are computed in float64; results are float32, or float64 where the filter is.
///
/// - Parameters:
///   - graph: a verified graph.
///   - parameters: tensors by name, at least those of the folded nodes; given back with the new ones added and
///     those that nothing reads any more left out.
/// - Returns: the new graph and its parameters.
/// - Throws: `GraphError` with code `.missingParameter`, or `.shapeMismatch` where a tensor is not of the shape
///   its parameter states.
public func foldBatchNormalization(
    _ graph: Graph, _ parameters: [String: HostTensor]
) throws(GraphError) -> (graph: Graph, parameters: [String: HostTensor]) {
    let readerCounts = graph.readerCounts
    var folder = BatchNormalizationFolder(graph: graph, parameters: parameters)
    // The place of each convolution that disappears into its batch normalisation.
    var folded: Set<Int> = []
    for node in graph.nodes where folder.canFold(node, readerCounts) {
        folded.insert(node.operands[0].index)
    }

    var builder = GraphBuilder(like: graph)
    var values: [Value] = []
    for (index, node) in graph.nodes.enumerated() {
        if folded.contains(index) {
            // Nothing but its batch normalisation, which replaces it, reads this place.
            values.append(Value(index: -1))
        } else if let source = node.operands.first, folded.contains(source.index) {
            let convolution = graph[source]
            values.append(
                try folder.fold(
                    convolution, node, x: values[convolution.operands[0].index], &builder))
        } else {
            values.append(
                try builder.copy(node, operands: node.operands.map { values[$0.index] }))
        }
    }
    try builder.copyResults(of: graph, values)
    let result = try removeDeadCode(builder.finish())
    return (result, folder.parameters(of: result))
}

private struct BatchNormalizationFolder {
    let graph: Graph
    var tensors: [String: HostTensor]
    var names: Set<String>
    /// Filters still to be multiplied, and their new names.
    private var pending: [(name: String, filter: HostTensor, factors: [Double])] = []

    init(graph: Graph, parameters: [String: HostTensor]) {
        self.graph = graph
        tensors = parameters
        names = Set(graph.parameters.map(\.name)).union(parameters.keys)
    }

    func canFold(_ node: Node, _ readerCounts: [Int]) -> Bool {
        guard case .batchNormalization = node.operation else { return false }
        let source = node.operands[0]
        guard case .convolution(let attributes) = graph[source].operation,
            !attributes.hasResidual, attributes.activation == .none,
            readerCounts[source.index] == 1
        else { return false }
        let constants = graph[source].operands.dropFirst() + node.operands.dropFirst()
        return constants.allSatisfy { parameterName($0) != nil }
    }

    /// Adds the convolution that does the work of both nodes.
    mutating func fold(
        _ convolution: Node, _ normalization: Node, x: Value, _ builder: inout GraphBuilder
    ) throws(GraphError) -> Value {
        guard case .convolution(var attributes) = convolution.operation,
            case .batchNormalization(let epsilon) = normalization.operation
        else { preconditionFailure("fold takes a convolution and its batch normalisation") }

        let filter = try tensor(convolution.operands[1])
        let scale = try tensor(normalization.operands[1]).doubles()
        let shift = try tensor(normalization.operands[2]).doubles()
        let mean = try tensor(normalization.operands[3]).doubles()
        let variance = try tensor(normalization.operands[4]).doubles()
        var bias = [Double](repeating: 0, count: scale.count)
        if let index = attributes.biasIndex {
            bias = try tensor(convolution.operands[index]).doubles()
        }
        let factors = scale.indices.map { channel in
            scale[channel] / (variance[channel] + epsilon).squareRoot()
        }
        let shifts = scale.indices.map { channel in
            shift[channel] + (bias[channel] - mean[channel]) * factors[channel]
        }

        let filterType = graph[convolution.operands[1]].type
        let isWide = filterType.elementType == .float64
        let biasTensor =
            isWide
            ? HostTensor(shifts, shape: [shifts.count])
            : HostTensor(shifts.map { Float($0) }, shape: [shifts.count])
        let (filterName, filterValue) = try addParameter(
            foldedFrom: convolution.operands[1], type: filterType, &builder)
        pending.append((filterName, filter, factors))
        let (biasName, biasValue) = try addParameter(
            foldedFrom: normalization.operands[2],
            type: TensorType(isWide ? .float64 : .float32, [shifts.count]), &builder)
        tensors[biasName] = biasTensor
        attributes.hasBias = true
        return try builder.append(
            .convolution(attributes), [x, filterValue, biasValue], label: convolution.label)
    }

    /// The tensors that a graph names, the folded filters among them.
    mutating func parameters(of graph: Graph) -> [String: HostTensor] {
        let scaled = HostTensor.scaled(
            pending.map(\.filter), alongFirstAxisBy: pending.map(\.factors))
        for (pending, filter) in zip(pending, scaled) { tensors[pending.name] = filter }
        let names = Set(graph.parameters.map(\.name))
        return tensors.filter { names.contains($0.key) }
    }

    private mutating func addParameter(
        foldedFrom source: Value, type: TensorType, _ builder: inout GraphBuilder
    ) throws(GraphError) -> (name: String, value: Value) {
        let stem = (parameterName(source) ?? "") + ".folded"
        var name = stem
        var suffix = 2
        while !names.insert(name).inserted {
            name = "\(stem).\(suffix)"
            suffix += 1
        }
        return (name, try builder.parameter(name, type: type, label: graph[source].label))
    }

    private func parameterName(_ value: Value) -> String? {
        guard case .parameter(let name) = graph[value].operation else { return nil }
        return name
    }

    private func tensor(_ value: Value) throws(GraphError) -> HostTensor {
        let name = parameterName(value) ?? ""
        guard let tensor = tensors[name] else {
            throw GraphError(
                .missingParameter, "\(name): expected a tensor for this parameter, found none")
        }
        let shape = graph[value].type.shape
        guard tensor.shape == shape else {
            throw GraphError(
                .shapeMismatch, "\(name): expected a tensor \(shape), found \(tensor.shape)")
        }
        guard tensor.elementType.isFloatingPoint else {
            throw GraphError(
                .elementTypeMismatch,
                "\(name): expected a tensor of floating-point numbers, "
                    + "found \(tensor.elementType.rawValue)")
        }
        return tensor
    }
}
