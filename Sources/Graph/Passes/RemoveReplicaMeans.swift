/// Takes out what replicas do together, where there is one: `replicaMean` and `replicaMoments` give what they read.
///
/// A back end of one device then needs neither.
///
/// - Parameter graph: a verified graph; one for several replicas is given back as it is.
/// - Throws: `GraphError` where the graph does not hold.
public func removeReplicaMeans(_ graph: Graph) throws(GraphError) -> Graph {
    guard graph.replicaCount == 1,
        graph.nodes.contains(where: \.operation.meetsReplicas)
    else { return graph }
    var builder = GraphBuilder(like: graph)
    var values: [Value] = []
    for node in graph.nodes {
        let operands = node.operands.map { values[$0.index] }
        values.append(
            node.operation.meetsReplicas
                ? operands[0] : try builder.copy(node, operands: operands))
    }
    try builder.copyResults(of: graph, values)
    return try builder.finish()
}

extension Operation {
    /// Whether its result is made of what all replicas have, and is the same on each.
    package var meetsReplicas: Bool {
        switch self {
        case .replicaMean, .replicaMoments: true
        default: false
        }
    }
}
