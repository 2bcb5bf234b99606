extension Graph {
    /// Checks that every node reads earlier values, has the type its operation gives, and that names are
    /// unique.
    ///
    /// - Throws: `GraphError` naming the first node that does not hold.
    public func verify() throws(GraphError) {
        var builder = GraphBuilder(name: name)
        for (index, node) in nodes.enumerated() {
            let value = try builder.copy(node, operands: node.operands)
            guard let type = builder.type(of: value), type == node.type else {
                let found = builder.type(of: value)?.description ?? "nothing"
                let place = node.label.isEmpty ? "%\(index)" : node.label
                throw GraphError(
                    .shapeMismatch,
                    "\(place): \(node.operation.name) gives \(found), the node states \(node.type)")
            }
            let isLeaf = node.operation.isLeaf
            guard !isLeaf || node.operands.isEmpty else {
                throw GraphError(
                    .operandCountMismatch,
                    "%\(index): \(node.operation.name): expected 0 operands, "
                        + "found \(node.operands.count)")
            }
        }
        for output in outputs { try builder.output(output.name, output.value) }
        _ = try builder.finish()
    }

    /// How often each value is read, by nodes and as an output.
    ///
    /// - Precondition: the graph is verified.
    public var readerCounts: [Int] {
        var counts = [Int](repeating: 0, count: nodes.count)
        for node in nodes {
            for operand in node.operands { counts[operand.index] += 1 }
        }
        for output in outputs { counts[output.value.index] += 1 }
        return counts
    }
}

extension Operation {
    /// Whether it is an input or a parameter, which read nothing and state their types.
    public var isLeaf: Bool {
        switch self {
        case .input, .parameter: true
        default: false
        }
    }
}
