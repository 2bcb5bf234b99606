import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// The mean over all devices.
    mutating func replicaMean(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        narrowed(try mean(wide(node.operands[0])), node)
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
        let sum = try hlo.allReduce(x, replicas: graph.replicaCount)
        return try hlo.divide(sum, number(Double(graph.replicaCount), like: x))
    }
}
