package import Execution
import Graph
package import Tensors

/// Operations that move elements.
extension StableHLOBuilder {
    /// Repeats a tensor along the axes that it does not have.
    ///
    /// - Parameter axes: the result's axis for each of the operand's.
    package mutating func broadcast(
        _ x: StableHLOValue, to shape: Shape, along axes: [Int] = []
    ) throws(ExecutionError) -> StableHLOValue {
        if x.shape == shape { return x }
        let fits =
            axes.count == x.shape.rank && zip(axes, axes.dropFirst()).allSatisfy(<)
            && axes.allSatisfy { (0..<shape.rank).contains($0) }
            && zip(axes, x.shape.dimensions).allSatisfy { shape[$0] == $1 }
        try require(
            fits, "broadcast_in_dim",
            "expected axes of \(x.type) within \(shape), found \(axes)")
        return add(
            "broadcast_in_dim", [x], ["broadcast_dimensions = \(list(axes))"],
            TensorType(x.elementType, shape))
    }

    /// The same elements in the same order in another shape.
    package mutating func reshape(
        _ x: StableHLOValue, to shape: Shape
    ) throws(ExecutionError) -> StableHLOValue {
        if x.shape == shape { return x }
        try require(
            x.shape.elementCount == shape.elementCount, "reshape",
            "expected \(shape.elementCount) elements for \(shape), found \(x.type)")
        return add("reshape", [x], [], TensorType(x.elementType, shape))
    }

    /// Another order of axes.
    ///
    /// - Parameter axes: the operand's axis for each of the result's.
    package mutating func transpose(
        _ x: StableHLOValue, _ axes: [Int]
    ) throws(ExecutionError) -> StableHLOValue {
        try require(
            axes.sorted() == Array(0..<x.shape.rank), "transpose",
            "expected an order of the axes of \(x.type), found \(axes)")
        let shape = try shape(axes.map { x.shape[$0] }, "transpose")
        return add(
            "transpose", [x], ["permutation = \(list(axes))"], TensorType(x.elementType, shape))
    }

    /// Every `strides`-th element from `starts` on, up to `limits`.
    package mutating func slice(
        _ x: StableHLOValue, from starts: [Int], to limits: [Int], by strides: [Int]
    ) throws(ExecutionError) -> StableHLOValue {
        let axes = 0..<x.shape.rank
        var fits = [starts.count, limits.count, strides.count].allSatisfy { $0 == axes.count }
        for axis in axes where fits {
            let isOrdered = 0 <= starts[axis] && starts[axis] <= limits[axis]
            fits = isOrdered && limits[axis] <= x.shape[axis] && strides[axis] >= 1
        }
        try require(
            fits, "slice",
            "expected a part of \(x.type), found \(starts) to \(limits) by \(strides)")
        let dimensions = axes.map { axis in
            (limits[axis] - starts[axis] + strides[axis] - 1) / strides[axis]
        }
        return add(
            "slice", [x],
            [
                "start_indices = \(list(starts))", "limit_indices = \(list(limits))",
                "strides = \(list(strides))",
            ], TensorType(x.elementType, try shape(dimensions, "slice")))
    }

    /// Tensors after each other along the first axis.
    package mutating func concatenate(
        _ parts: [StableHLOValue]
    ) throws(ExecutionError) -> StableHLOValue {
        let first = parts.first?.type ?? TensorType(.bool, [])
        let fits = parts.allSatisfy { part in
            part.elementType == first.elementType && part.shape.rank >= 1
                && part.shape.dimensions.dropFirst() == first.shape.dimensions.dropFirst()
        }
        try require(
            fits && !parts.isEmpty, "concatenate",
            "expected parts that differ in the first axis, found \(parts.map(\.type))")
        let count = parts.reduce(0) { $0 + $1.shape[0] }
        let shape = try shape([count] + first.shape.dimensions.dropFirst(), "concatenate")
        return add(
            "concatenate", parts, ["dimension = 0 : i64"], TensorType(first.elementType, shape))
    }

    /// Adds elements before, after and between those of `x`; negative numbers take elements away.
    ///
    /// - Parameters:
    ///   - value: what is added, without axes.
    ///   - edges: before and after, for each axis.
    ///   - interior: between each two elements, for each axis.
    package mutating func pad(
        _ x: StableHLOValue, with value: StableHLOValue, edges: [(low: Int, high: Int)],
        interior: [Int]
    ) throws(ExecutionError) -> StableHLOValue {
        try require(
            value.type == TensorType(x.elementType, []), "pad",
            "expected a number of \(x.elementType.rawValue), found \(value.type)")
        try require(
            edges.count == x.shape.rank && interior.count == x.shape.rank
                && interior.allSatisfy { $0 >= 0 }, "pad",
            "expected edges for \(x.type), found \(edges) and \(interior)")
        let dimensions = x.shape.dimensions.indices.map { axis in
            dilated(x.shape[axis], by: interior[axis] + 1) + edges[axis].low + edges[axis].high
        }
        return add(
            "pad", [x, value],
            [
                "edge_padding_low = \(list(edges.map(\.low)))",
                "edge_padding_high = \(list(edges.map(\.high)))",
                "interior_padding = \(list(interior))",
            ], TensorType(x.elementType, try shape(dimensions, "pad")))
    }

    /// Elements in opposite order along some axes.
    package mutating func reverse(
        _ x: StableHLOValue, axes: [Int]
    ) throws(ExecutionError) -> StableHLOValue {
        try require(
            axes.allSatisfy { (0..<x.shape.rank).contains($0) } && Set(axes).count == axes.count,
            "reverse", "expected axes of \(x.type), found \(axes)")
        return add("reverse", [x], ["dimensions = \(list(axes))"], x.type)
    }

    /// Each element's place along an axis.
    package mutating func places(
        _ elementType: ElementType, _ shape: Shape, along axis: Int
    ) throws(ExecutionError) -> StableHLOValue {
        try require(
            (0..<shape.rank).contains(axis), "iota", "expected an axis of \(shape), found \(axis)")
        return add(
            "iota", [], ["iota_dimension = \(axis) : i64"], TensorType(elementType, shape))
    }
}

/// An extent with `step - 1` elements put between each two.
func dilated(_ extent: Int, by step: Int) -> Int { extent == 0 ? 0 : (extent - 1) * step + 1 }
