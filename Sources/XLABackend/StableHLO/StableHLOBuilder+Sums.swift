package import Execution
import Graph
package import Tensors

/// What becomes of many numbers, two by two.
package enum Reduction: String, Sendable {
    /// Their sum.
    case add
    /// The largest; not-a-number where one is.
    case maximum
    /// Whether all hold.
    case and

    /// What changes no number.
    var neutral: Double {
        switch self {
        case .add: 0
        case .maximum: -.infinity
        case .and: 1
        }
    }

    /// The function that StableHLO's reductions take.
    func region(_ elementType: ElementType) -> String {
        let type = TensorType(elementType, []).stableHLO
        return """
            {
                ^bb0(%a: \(type), %b: \(type)):
                  %c = "stablehlo.\(rawValue)"(%a, %b) : (\(type), \(type)) -> \(type)
                  "stablehlo.return"(%c) : (\(type)) -> ()
                }
            """
    }
}

/// Which axes of a convolution's operands and result are what.
///
/// Axes 1 and 2 are height and width; the other two are
/// the first and the last.
package enum ConvolutionAxes: String, Sendable {
    /// `x [N, H, W, C]` under filters `[O, h, w, C]`.
    case forward = "[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]"
    /// The same filters from their results to their operands: `[N, H, W, O]` gives `[N, H, W, C]`.
    case inputGradient = "[b, 0, 1, f]x[i, 0, 1, o]->[b, 0, 1, f]"
    /// Sums over images: `x [N, H, W, C]` under a gradient `[N, H, W, O]` gives `[O, h, w, C]`.
    case filterGradient = "[f, 0, 1, b]x[i, 0, 1, o]->[f, 0, 1, b]"

    /// The axes of images and channels of the first operand.
    fileprivate var x: (batch: Int, feature: Int) { self == .filterGradient ? (3, 0) : (0, 3) }
    /// The axes of the second operand that are summed over and that the result has.
    fileprivate var filter: (input: Int, output: Int) { self == .forward ? (3, 0) : (0, 3) }
    /// The axes of images and channels of the result.
    fileprivate var result: (batch: Int, feature: Int) {
        self == .filterGradient ? (3, 0) : (0, 3)
    }
}

/// How the second operand of a convolution moves over the first, along height and width.
package struct ConvolutionWindow: Sendable {
    /// Steps.
    package var strides: [Int] = [1, 1]
    /// Zeros before and after; negative numbers take elements away.
    package var padding: [(low: Int, high: Int)] = [(0, 0), (0, 0)]
    /// Steps between the first operand's elements, zeros lying between them.
    package var dilation: [Int] = [1, 1]
    /// Steps between the second operand's elements.
    package var filterDilation: [Int] = [1, 1]

    /// One that moves by single steps over nothing but the operand.
    package init() {}
}

/// Operations that add numbers up, or take their maximum.
extension StableHLOBuilder {
    /// One number of all along some axes, which the result does not have.
    package mutating func reduce(
        _ x: StableHLOValue, _ reduction: Reduction, over axes: [Int]
    ) throws(ExecutionError) -> StableHLOValue {
        if axes.isEmpty { return x }
        try require(
            axes.allSatisfy { (0..<x.shape.rank).contains($0) }
                && zip(axes, axes.dropFirst()).allSatisfy(<), "reduce",
            "expected axes of \(x.type), found \(axes)")
        try require(
            (reduction == .and) == (x.elementType == .bool), "reduce",
            "expected elements for \(reduction), found \(x.type)")
        let kept = (0..<x.shape.rank).filter { !axes.contains($0) }
        let shape = try shape(kept.map { x.shape[$0] }, "reduce")
        return add(
            "reduce", [x, constant(reduction.neutral, x.elementType)],
            ["dimensions = \(list(axes))"], TensorType(x.elementType, shape), reduction: reduction)
    }

    /// The largest under each position of a window; padding is never chosen, not-a-number always.
    ///
    /// - Parameters:
    ///   - size: the window's extents, for each axis.
    ///   - strides: its steps, for each axis.
    ///   - padding: before and after, for each axis.
    package mutating func windowMaximum(
        _ x: StableHLOValue, size: [Int], strides: [Int], padding: [(low: Int, high: Int)]
    ) throws(ExecutionError) -> StableHLOValue {
        let rank = x.shape.rank
        try require(
            x.elementType.isFloatingPoint && size.count == rank && strides.count == rank
                && padding.count == rank && strides.allSatisfy { $0 >= 1 }, "reduce_window",
            "expected a window over \(x.type), found \(size) by \(strides)")
        var dimensions: [Int] = []
        for axis in 0..<rank {
            let room = x.shape[axis] + padding[axis].low + padding[axis].high - size[axis]
            try require(
                room >= 0, "reduce_window", "expected room for \(size) in \(x.type) \(padding)")
            dimensions.append(room / strides[axis] + 1)
        }
        return add(
            "reduce_window", [x, constant(-.infinity, x.elementType)],
            [
                "window_dimensions = \(list(size))", "window_strides = \(list(strides))",
                "padding = \(table(padding))",
            ], TensorType(x.elementType, try shape(dimensions, "reduce_window")),
            reduction: .maximum)
    }

    /// Products of the second operand's elements with those of the first under it, added up.
    ///
    /// The result has the operands' element type. A wider one would have XLA widen the operands first, on GPUs too,
    /// and convolve without their tensor cores.
    package mutating func convolution(
        _ x: StableHLOValue, _ filter: StableHLOValue, _ axes: ConvolutionAxes,
        _ window: ConvolutionWindow
    ) throws(ExecutionError) -> StableHLOValue {
        try require(
            x.elementType.isFloatingPoint && x.elementType == filter.elementType
                && x.shape.rank == 4 && filter.shape.rank == 4
                && x.shape[axes.x.feature] == filter.shape[axes.filter.input], "convolution",
            "expected \(axes.rawValue), found \(x.type) and \(filter.type)")
        var dimensions = [0, 0, 0, 0]
        dimensions[axes.result.batch] = x.shape[axes.x.batch]
        dimensions[axes.result.feature] = filter.shape[axes.filter.output]
        for axis in 0..<2 {
            let padding = window.padding[axis]
            let extent =
                dilated(x.shape[axis + 1], by: window.dilation[axis]) + padding.low + padding.high
            let size = dilated(filter.shape[axis + 1], by: window.filterDilation[axis])
            try require(
                extent >= size, "convolution",
                "expected room for \(filter.type) in \(x.type), found \(window)")
            dimensions[axis + 1] = (extent - size) / window.strides[axis] + 1
        }
        return add(
            "convolution", [x, filter],
            [
                "batch_group_count = 1 : i64", "feature_group_count = 1 : i64",
                "dimension_numbers = #stablehlo.conv<\(axes.rawValue)>",
                "window_strides = \(list(window.strides))",
                "padding = \(table(window.padding))",
                "lhs_dilation = \(list(window.dilation))",
                "rhs_dilation = \(list(window.filterDilation))",
                "window_reversal = array<i1: false, false>", precision(x.elementType),
            ], TensorType(x.elementType, try shape(dimensions, "convolution")))
    }

    /// The matrix product of two matrices, or of their transposes.
    ///
    /// - Parameters:
    ///   - axes: the axis of each operand that is summed over.
    ///   - elementType: of sums and result; at least as wide as the operands'.
    package mutating func product(
        _ x: StableHLOValue, _ y: StableHLOValue, over axes: (Int, Int), _ elementType: ElementType
    ) throws(ExecutionError) -> StableHLOValue {
        try require(
            x.shape.rank == 2 && y.shape.rank == 2 && x.elementType == y.elementType
                && elementType.isFloatingPoint
                && elementType.byteCount >= x.elementType.byteCount
                && (0...1).contains(axes.0) && (0...1).contains(axes.1)
                && x.shape[axes.0] == y.shape[axes.1], "dot_general",
            "expected matrices with equal axes \(axes), found \(x.type) and \(y.type)")
        let shape = try shape([x.shape[1 - axes.0], y.shape[1 - axes.1]], "dot_general")
        return add(
            "dot_general", [x, y],
            [
                "dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [\(axes.0)], "
                    + "rhs_contracting_dimensions = [\(axes.1)]>", precision(x.elementType),
            ], TensorType(elementType, shape))
    }

    /// The sum of a tensor over all replicas, which all of them get.
    package mutating func allReduce(
        _ x: StableHLOValue, replicas: Int
    ) throws(ExecutionError) -> StableHLOValue {
        try require(
            replicas >= 1 && x.elementType.isFloatingPoint, "all_reduce",
            "expected real numbers and replicas, found \(x.type) and \(replicas)")
        let all = (0..<replicas).map(String.init).joined(separator: ", ")
        return add(
            "all_reduce", [x], ["replica_groups = dense<[[\(all)]]> : tensor<1x\(replicas)xi64>"],
            x.type, reduction: .add)
    }

    /// How exactly products are made: of float32 numbers as they are, unless they may be rounded first.
    private func precision(_ elementType: ElementType) -> String {
        let isExact = elementType == .float32 && !allowsTensorFloat32
        let one = "#stablehlo<precision \(isExact ? "HIGHEST" : "DEFAULT")>"
        return "precision_config = [\(one), \(one)]"
    }
}
