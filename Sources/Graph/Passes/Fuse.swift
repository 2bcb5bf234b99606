/// Fuses a residual add and a ReLU into the convolution before them.
///
/// `relu(convolution)`, `convolution + y` and `relu(convolution + y)` become one convolution each, where nothing
/// else reads what disappears. Where both terms of a sum are convolutions that could take the other, the later
/// one does: in a bottleneck with a projection that is the last of the main branch, and the projection, computed
/// earlier, is what it adds.
///
/// - Parameter graph: a verified graph.
/// - Throws: `GraphError` where the graph does not hold.
public func fuse(_ graph: Graph) throws(GraphError) -> Graph {
    let fusions = findFusions(graph)
    var isAbsorbed = [Bool](repeating: false, count: graph.nodes.count)
    for fusion in fusions.values {
        for index in fusion.absorbed { isAbsorbed[index] = true }
    }

    var builder = GraphBuilder(like: graph)
    var values: [Value] = []
    for (index, node) in graph.nodes.enumerated() {
        if isAbsorbed[index] {
            values.append(Value(index: -1))
        } else if let fusion = fusions[index] {
            // The fused node stands where its last part stood: all that it reads is made by then.
            let operands = fusion.operands.map { values[$0.index] }
            values.append(
                try builder.append(
                    .convolution(fusion.attributes), operands, label: fusion.label))
        } else {
            values.append(
                try builder.copy(node, operands: node.operands.map { values[$0.index] }))
        }
    }
    try builder.copyResults(of: graph, values)
    return try builder.finish()
}

/// A convolution and what follows it, to be one node.
private struct Fusion {
    var attributes: Convolution
    var operands: [Value]
    var label: String
    /// The places of the nodes that disappear.
    var absorbed: [Int]
}

/// The fusions by the place of their last part.
private func findFusions(_ graph: Graph) -> [Int: Fusion] {
    let readerCounts = graph.readerCounts
    var fusions: [Int: Fusion] = [:]

    /// What the value is as a convolution that may still grow, if it is one.
    func growing(_ value: Value) -> Fusion? {
        guard readerCounts[value.index] == 1 else { return nil }
        if var fusion = fusions[value.index] {
            guard fusion.attributes.activation == .none else { return nil }
            fusion.absorbed.append(value.index)
            return fusion
        }
        let node = graph[value]
        guard case .convolution(let attributes) = node.operation, attributes.activation == .none
        else { return nil }
        return Fusion(
            attributes: attributes, operands: node.operands, label: node.label,
            absorbed: [value.index])
    }

    for (index, node) in graph.nodes.enumerated() {
        switch node.operation {
        case .relu:
            guard var fusion = growing(node.operands[0]) else { continue }
            // The part that was last no longer is.
            fusions[node.operands[0].index] = nil
            fusion.attributes.activation = .relu
            fusions[index] = fusion
        case .add:
            let later = node.operands[0].index > node.operands[1].index ? 0 : 1
            for place in [later, 1 - later] {
                guard var fusion = growing(node.operands[place]), !fusion.attributes.hasResidual
                else { continue }
                fusions[node.operands[place].index] = nil
                fusion.attributes.hasResidual = true
                fusion.operands.append(node.operands[1 - place])
                fusions[index] = fusion
                break
            }
        default: continue
        }
    }
    return fusions
}
