import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// Means and biased variances, each `[C]`.
    ///
    /// Both come of one pass over `x`, which XLA makes of two sums of the same operand; variances as distances from
    /// the means, as in the reference, would take a second pass, and on a GPU a pass over memory is what this costs.
    /// Sums of `x` and `x²` alone would lose the variance of channels whose mean is large: so `x` is shifted first,
    /// by the mean of a sample of the channel's own elements. That is well within a deviation of the channel's mean,
    /// so that next to nothing cancels, and it reads next to nothing. It is rounded to the type of the data: then
    /// differences are exact, where a longer number would round all equal elements the same way.
    mutating func batchMoments(_ node: Node) throws(ExecutionError) -> [StableHLOValue] {
        let x = try wide(node.operands[0])
        let shift = try sampleMean(stored(node.operands[0]))
        let distance = try hlo.subtract(x, alongChannels(shift, like: x))
        let sum = try hlo.reduce(distance, .add, over: [0, 1, 2])
        let squares = try hlo.reduce(hlo.multiply(distance, distance), .add, over: [0, 1, 2])
        let count = try positions(x, like: sum)
        let mean = try hlo.divide(sum, count)
        let variance = try hlo.subtract(hlo.divide(squares, count), hlo.multiply(mean, mean))
        return [
            try hlo.add(shift, mean), try hlo.maximum(variance, number(0, like: variance)),
        ]
    }

    /// The number of positions that a channel of `[N, H, W, C]` has over images and space, for each channel.
    private mutating func positions(
        _ x: StableHLOValue, like vector: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try number(Double(x.shape[0] * x.shape[1] * x.shape[2]), like: vector)
    }

    /// The mean of at most 64 elements of each channel, on a grid of up to four places along each other axis.
    private mutating func sampleMean(
        _ x: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        let limits = x.shape.dimensions
        let strides = limits.indices.map { $0 == 3 ? 1 : max(1, (limits[$0] + 3) / 4) }
        let sample = try hlo.slice(x, from: [0, 0, 0, 0], to: limits, by: strides)
        let wide = hlo.convert(sample, to: x.elementType.sumType)
        let sum = try hlo.reduce(wide, .add, over: [0, 1, 2])
        return try hlo.rounded(
            hlo.divide(sum, positions(wide, like: sum)), to: x.elementType)
    }

    /// Per channel the sum of the gradient, and of the gradient times the normalised `x`.
    mutating func normalizationSums(
        epsilon: Double, _ node: Node
    ) throws(ExecutionError) -> [StableHLOValue] {
        let gradient = try wide(node.operands[0])
        let x = try wide(node.operands[1])
        let inverse = try inverseDeviation(row(1, of: node.operands[2]), epsilon)
        let distance = try hlo.subtract(
            x, alongChannels(row(0, of: node.operands[2]), like: x))
        let sum = try hlo.reduce(gradient, .add, over: [0, 1, 2])
        let products = try hlo.reduce(
            hlo.multiply(gradient, distance), .add, over: [0, 1, 2])
        // Divided by the deviation once a channel, not once an element.
        return [sum, try hlo.multiply(products, inverse)]
    }

    /// `factor * (gradient - meanGradient - normalized * meanProduct)`.
    ///
    /// Operands: gradient, `x`, scale, moments, sums.
    mutating func normalizeBatchGradient(
        epsilon: Double, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let gradient = try wide(node.operands[0])
        let x = try wide(node.operands[1])
        let (moments, sums) = (node.operands[3], node.operands[4])
        let inverse = try inverseDeviation(row(1, of: moments), epsilon)
        let factor = try hlo.multiply(wide(node.operands[2]), inverse)
        let count = try positions(x, like: inverse)
        let meanGradient = try hlo.divide(row(0, of: sums), count)
        let slope = try hlo.multiply(hlo.divide(row(1, of: sums), count), inverse)
        let distance = try hlo.subtract(x, alongChannels(row(0, of: moments), like: x))
        let centred = try hlo.subtract(gradient, alongChannels(meanGradient, like: x))
        let rest = try hlo.subtract(
            centred, hlo.multiply(distance, alongChannels(slope, like: x)))
        return try narrowed(hlo.multiply(rest, alongChannels(factor, like: x)), node)
    }

    /// The gradient for `x` where statistics are constants.
    ///
    /// Operands: gradient, scale, variance.
    mutating func batchNormalizationGradient(
        epsilon: Double, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let gradient = try wide(node.operands[0])
        let computed = gradient.elementType
        let inverse = try inverseDeviation(
            hlo.convert(stored(node.operands[2]), to: computed), epsilon)
        let factor = try hlo.multiply(
            hlo.convert(stored(node.operands[1]), to: computed), inverse)
        return try narrowed(
            hlo.multiply(gradient, alongChannels(factor, like: gradient)), node)
    }

    /// The gradient where `y` is above zero, else zero.
    mutating func reluGradient(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        let gradient = try stored(node.operands[0])
        let y = try stored(node.operands[1])
        let zero = try number(0, like: y)
        return try hlo.select(hlo.compare(y, .greater, zero), gradient, zero)
    }
}
