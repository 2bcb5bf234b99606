import Tensors

extension GraphBuilder {
    /// Starts with what a graph has: nodes can be added, as gradients are, and its values keep their places.
    ///
    /// - Parameter graph: its outputs and updates are kept; it may have none yet.
    /// - Throws: `GraphError` naming the first node, output or update that does not hold.
    public init(continuing graph: Graph) throws(GraphError) {
        self.init(like: graph)
        for (index, node) in graph.nodes.enumerated() {
            let value = try copy(node, operands: node.operands)
            guard let type = type(of: value), type == node.type else {
                let found = type(of: value)?.description ?? "nothing"
                let place = node.label.isEmpty ? "%\(index)" : node.label
                throw GraphError(
                    .shapeMismatch,
                    "\(place): \(node.operation.name) gives \(found), the node states \(node.type)")
            }
            guard !node.operation.isLeaf || node.operands.isEmpty else {
                throw GraphError(
                    .operandCountMismatch,
                    "%\(index): \(node.operation.name): expected 0 operands, "
                        + "found \(node.operands.count)")
            }
        }
        for result in graph.outputs { try output(result.name, result.value) }
        for result in graph.updates { try update(result.name, result.value) }
    }
}
