import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// The largest element under each position of a window; padding is never chosen, not-a-number always.
    mutating func maxPool(
        _ window: Window, _ x: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try hlo.windowMaximum(
            x, size: [1] + window.size.axes + [1], strides: [1] + window.stride.axes + [1],
            padding: window.edges)
    }

    /// The mean over both spatial axes.
    mutating func globalAveragePool(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let x = try wide(node.operands[0])
        let sum = try hlo.reduce(x, .add, over: [1, 2])
        return try narrowed(
            hlo.divide(sum, number(Double(x.shape[1] * x.shape[2]), like: sum)), node)
    }
}

extension Window {
    /// The padding of `[N, H, W, C]`, before and after each axis.
    var edges: [(low: Int, high: Int)] {
        [(0, 0), (padding.top, padding.bottom), (padding.left, padding.right), (0, 0)]
    }

    /// The places of a window, row by row.
    var taps: [(row: Int, column: Int, index: Int)] {
        (0..<size.height * size.width).map { ($0 / size.width, $0 % size.width, $0) }
    }
}
