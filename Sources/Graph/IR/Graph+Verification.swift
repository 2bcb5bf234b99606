extension Graph {
    /// Checks that every node reads earlier values, has the type its operation gives, that names are unique and
    /// that updates fit their states.
    ///
    /// - Throws: `GraphError` naming the first node that does not hold.
    public func verify() throws(GraphError) {
        _ = try GraphBuilder(continuing: self).finish()
    }

    /// How often each value is read, by nodes, as an output and as an update.
    ///
    /// - Precondition: the graph is verified.
    public var readerCounts: [Int] {
        var counts = [Int](repeating: 0, count: nodes.count)
        for node in nodes {
            for operand in node.operands { counts[operand.index] += 1 }
        }
        for result in outputs + updates { counts[result.value.index] += 1 }
        return counts
    }
}

extension Operation {
    /// Whether it is an input, a parameter, a state or a constant, which read nothing.
    public var isLeaf: Bool {
        switch self {
        case .input, .parameter, .state, .constant: true
        default: false
        }
    }
}
