import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// `x · weightᵀ + bias`.
    mutating func dense(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let x = try stored(node.operands[0])
        let sum = try hlo.product(
            x, stored(node.operands[1]), over: (1, 1), x.elementType.sumType)
        return try narrowed(
            hlo.add(sum, alongChannels(stored(node.operands[2]), like: sum)), node)
    }

    /// `gradient · weight`.
    mutating func denseInputGradient(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let gradient = try stored(node.operands[0])
        return try narrowed(
            hlo.product(
                gradient, stored(node.operands[1]), over: (1, 0), gradient.elementType.sumType),
            node)
    }

    /// `gradientᵀ · x`.
    mutating func denseWeightGradient(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let gradient = try stored(node.operands[0])
        return try narrowed(
            hlo.product(
                gradient, stored(node.operands[1]), over: (0, 0), gradient.elementType.sumType),
            node)
    }

    /// The sum over all axes but that of channels.
    mutating func channelSums(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let x = try wide(node.operands[0])
        let channels = x.shape.rank == 4 ? 3 : 1
        return try hlo.reduce(
            x, .add, over: (0..<x.shape.rank).filter { $0 != channels })
    }
}
