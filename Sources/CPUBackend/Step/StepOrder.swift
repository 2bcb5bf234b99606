import Graph

extension Graph {
    /// The nodes in the order in which a step makes them.
    ///
    /// What follows from results at hand comes right after them rather than at the end: updates, so that gradients
    /// are consumed while they are in the cache and need not be kept; sums over a gradient; the places of maxima.
    var stepOrder: [Int] {
        var keys: [Int] = []
        for (index, node) in nodes.enumerated() {
            let last = node.operands.map { keys[$0.index] }.max()
            if node.operation.isLeaf {
                keys.append(-1)
            } else if let last, isEager(node) {
                keys.append(last)
            } else {
                keys.append(index)
            }
        }
        return nodes.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    }

    private func isEager(_ node: Node) -> Bool {
        switch node.operation {
        case .maxPoolIndices, .normalizationSums, .velocityUpdate, .weightUpdate, .movingAverage,
            .multiply, .row, .stack, .trustRatio, .squaredNorm, .clipFactor, .select, .isFinite,
            .reciprocal, .lossScaleUpdate:
            true
        case .add:
            // Gradients that are collected over several runs.
            node.operands.contains {
                if case .state = self[$0].operation { true } else { false }
            }
        default: false
        }
    }

    /// For each state, the last place in an order at which something reads it; the end where it is an output.
    func lastStateReaders(_ order: [Int]) -> [Int: Int] {
        var last: [Int: Int] = [:]
        for (place, index) in order.enumerated() {
            for operand in nodes[index].operands {
                if let state = stateRead(by: operand) { last[state] = place }
            }
        }
        for output in outputs {
            if let state = stateRead(by: output.value) { last[state] = nodes.count }
        }
        for update in updates {
            // A state that is another's new value is read at the end.
            if let state = stateRead(by: update.value) { last[state] = nodes.count }
        }
        return last
    }

    /// The node of the state that a value is, or is a change of element type of.
    private func stateRead(by value: Value) -> Int? {
        switch self[value].operation {
        case .state: value.index
        case .cast: stateRead(by: self[value].operands[0])
        default: nil
        }
    }
}
