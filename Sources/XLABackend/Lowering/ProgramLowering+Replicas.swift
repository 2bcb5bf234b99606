import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// The mean over all devices, which others wait for.
    mutating func replicaMean(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        narrowed(try mean(wide(node.operands[0])), node)
    }

    /// The means over all devices of several nodes' operands, in one message.
    ///
    /// - Parameter nodes: at least one, of one type of sums.
    mutating func replicaMeans(_ nodes: [Node]) throws(ExecutionError) -> [StableHLOValue] {
        var parts: [StableHLOValue] = []
        for node in nodes {
            hlo.label = node.label
            let x = try wide(node.operands[0])
            parts.append(try hlo.reshape(x, to: Shape([x.shape.elementCount])))
        }
        hlo.label = "replicas"
        let message = parts.count == 1 ? parts[0] : try hlo.concatenate(parts)
        let sum =
            graph.replicaCount == 1
            ? message : try hlo.allReduce(message, replicas: graph.replicaCount)
        var means: [StableHLOValue] = []
        var start = 0
        for (node, part) in zip(nodes, parts) {
            hlo.label = node.label
            let end = start + part.shape.elementCount
            // Divided here and not in the message, for then it is a part of what reads it.
            let own = try hlo.slice(sum, from: [start], to: [end], by: [1])
            let whole = try hlo.reshape(own, to: node.type.stored.shape)
            means.append(narrowed(try perReplica(whole), node))
            start = end
        }
        return means
    }

    /// The mean of the means, and the mean of the variances plus the variance of the means.
    ///
    /// The means are exchanged first: squares of differences keep the digits that differences of squares lose.
    mutating func replicaMoments(_ node: Node) throws(ExecutionError) -> [StableHLOValue] {
        let rows = [try row(0, of: node.operands[0]), try row(1, of: node.operands[0])]
        let mean = try mean(rows[0])
        let offset = try hlo.subtract(rows[0], mean)
        let spread = try hlo.add(rows[1], hlo.multiply(offset, offset))
        return [mean, try self.mean(spread)]
    }

    private mutating func mean(_ x: StableHLOValue) throws(ExecutionError) -> StableHLOValue {
        guard graph.replicaCount > 1 else { return x }
        return try perReplica(hlo.allReduce(x, replicas: graph.replicaCount))
    }

    private mutating func perReplica(
        _ sum: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        guard graph.replicaCount > 1 else { return sum }
        return try hlo.divide(sum, number(Double(graph.replicaCount), like: sum))
    }
}
