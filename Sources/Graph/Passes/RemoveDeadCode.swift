/// Removes the nodes that no output and no update needs.
///
/// Inputs stay, so that callers give the same ones as before.
///
/// - Parameter graph: a verified graph.
/// - Throws: `GraphError` where the graph does not hold.
public func removeDeadCode(_ graph: Graph) throws(GraphError) -> Graph {
    var isNeeded = [Bool](repeating: false, count: graph.nodes.count)
    for result in graph.outputs + graph.updates { isNeeded[result.value.index] = true }
    // A state that is only written has to be there to be named.
    let updated = Set(graph.updates.map(\.name))
    for state in graph.states where updated.contains(state.name) {
        isNeeded[state.value.index] = true
    }
    for index in graph.nodes.indices.reversed() {
        if case .input = graph.nodes[index].operation { isNeeded[index] = true }
        guard isNeeded[index] else { continue }
        for operand in graph.nodes[index].operands { isNeeded[operand.index] = true }
    }

    var builder = GraphBuilder(like: graph)
    var values = [Value](repeating: Value(index: -1), count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() where isNeeded[index] {
        values[index] = try builder.copy(node, operands: node.operands.map { values[$0.index] })
    }
    try builder.copyResults(of: graph, values)
    return try builder.finish()
}
