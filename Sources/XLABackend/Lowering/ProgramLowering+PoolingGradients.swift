import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// Where under each position of a window the first of the largest elements is; the first not-a-number if any.
    ///
    /// The maximum is made first, as `maxPool` makes it, so that XLA makes it once; then the places of the window are
    /// asked from the last to the first whether theirs is it. Padding is minus infinity, which can be mistaken for the
    /// maximum only where that is minus infinity too, and then the first element that is not padding is wanted.
    mutating func maxPoolIndices(
        _ window: Window, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let x = try stored(node.operands[0])
        let largest = try maxPool(window, x)
        let lowest = hlo.constant(-.infinity, x.elementType)
        let padded = try hlo.pad(x, with: lowest, edges: window.edges, interior: [0, 0, 0, 0])
        var indices = try hlo.broadcast(hlo.constant(0, .uint8), to: largest.shape)
        for tap in window.taps.reversed() {
            let value = try elements(of: padded, under: tap, window, like: largest)
            let isIt = try hlo.or(
                hlo.compare(value, .equal, largest), hlo.compare(value, .notEqual, value))
            let index = try hlo.broadcast(
                hlo.constant(Double(tap.index), .uint8), to: largest.shape)
            indices = try hlo.select(isIt, index, indices)
        }
        if window.padding.top > 0 || window.padding.left > 0 {
            let isLowest = try hlo.compare(
                largest, .equal, hlo.broadcast(lowest, to: largest.shape))
            indices = try hlo.select(isLowest, firstPlaces(window, largest.shape), indices)
        }
        return indices
    }

    /// What one place of the window sees at each of its positions.
    private mutating func elements(
        of padded: StableHLOValue, under tap: (row: Int, column: Int, index: Int),
        _ window: Window, like result: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        let starts = [0, tap.row, tap.column, 0]
        let strides = [1, window.stride.height, window.stride.width, 1]
        let limits = (0..<4).map { axis in
            starts[axis] + dilated(result.shape[axis], by: strides[axis])
        }
        return try hlo.slice(padded, from: starts, to: limits, by: strides)
    }

    /// The first place of the window that is not on padding, at each of its positions.
    private mutating func firstPlaces(
        _ window: Window, _ shape: Shape
    ) throws(ExecutionError) -> StableHLOValue {
        let rows = (0..<shape[1]).map { row in
            Double(max(0, window.padding.top - row * window.stride.height) * window.size.width)
        }
        let columns = (0..<shape[2]).map { column in
            Double(max(0, window.padding.left - column * window.stride.width))
        }
        return try hlo.add(
            hlo.broadcast(hlo.constant(rows, .uint8), to: shape, along: [1]),
            hlo.broadcast(hlo.constant(columns, .uint8), to: shape, along: [2]))
    }

    /// Adds each element of the gradient to the input that its index names.
    ///
    /// For each place of the window the gradients that chose it are spread by the stride to where that place lies; the
    /// input's gradient is the sum of these. What an index names on padding is cut off.
    mutating func maxPoolGradient(
        _ window: Window, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let gradient = try wide(node.operands[0])
        let indices = try stored(node.operands[1])
        let result = node.type.stored.shape
        let zero = hlo.constant(0, gradient.elementType)
        let zeros = try hlo.broadcast(zero, to: gradient.shape)
        let strides = [1, window.stride.height, window.stride.width, 1]
        var sum: StableHLOValue?
        for tap in window.taps {
            let index = try hlo.broadcast(
                hlo.constant(Double(tap.index), .uint8), to: indices.shape)
            let chosen = try hlo.select(
                hlo.compare(indices, .equal, index), gradient, zeros)
            let starts = [0, tap.row - window.padding.top, tap.column - window.padding.left, 0]
            let edges = (0..<4).map { axis in
                let spread = dilated(gradient.shape[axis], by: strides[axis])
                return (low: starts[axis], high: result[axis] - starts[axis] - spread)
            }
            let spread = try hlo.pad(
                chosen, with: zero, edges: edges, interior: strides.map { $0 - 1 })
            sum =
                try sum.map { (sum) throws(ExecutionError) in try hlo.add(sum, spread) }
                ?? spread
        }
        return narrowed(sum ?? zeros, node)
    }

    /// Spreads each number evenly over a plane.
    mutating func globalAveragePoolGradient(
        _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let gradient = try wide(node.operands[0])
        let shape = node.type.stored.shape
        let share = try hlo.divide(
            gradient, number(Double(shape[1] * shape[2]), like: gradient))
        return try hlo.broadcast(narrowed(share, node), to: shape, along: [0, 3])
    }
}
