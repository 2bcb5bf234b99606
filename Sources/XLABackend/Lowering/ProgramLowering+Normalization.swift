import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// `(x - mean) / sqrt(variance + epsilon) * scale + shift` with stored statistics.
    mutating func batchNormalization(
        epsilon: Double, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        try normalize(
            node, mean: wide(node.operands[3]), variance: wide(node.operands[4]), epsilon)
    }

    /// The same with moments of the batch.
    mutating func normalizeBatch(
        epsilon: Double, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let moments = node.operands[3]
        return try normalize(
            node, mean: row(0, of: moments), variance: row(1, of: moments), epsilon)
    }

    /// Normalises with means and variances, each `[C]`.
    ///
    /// Operands: `x`, scale, shift. Scale and deviation are one factor a channel, made once.
    private mutating func normalize(
        _ node: Node, mean: StableHLOValue, variance: StableHLOValue, _ epsilon: Double
    ) throws(ExecutionError) -> StableHLOValue {
        let x = try wide(node.operands[0])
        let factor = try hlo.multiply(
            hlo.convert(stored(node.operands[1]), to: x.elementType),
            inverseDeviation(hlo.convert(variance, to: x.elementType), epsilon))
        let distance = try hlo.subtract(x, alongChannels(mean, like: x))
        let scaled = try hlo.multiply(distance, alongChannels(factor, like: x))
        return try narrowed(
            hlo.add(scaled, alongChannels(stored(node.operands[2]), like: x)), node)
    }

    /// `1 / sqrt(variance + epsilon)`.
    mutating func inverseDeviation(
        _ variance: StableHLOValue, _ epsilon: Double
    ) throws(ExecutionError) -> StableHLOValue {
        let deviation = try hlo.squareRoot(hlo.add(variance, number(epsilon, like: variance)))
        return try hlo.divide(number(1, like: deviation), deviation)
    }

    /// `(x / 255 - mean) / deviation` per channel, as `(x - 255 mean) * (1 / (255 deviation))`: one rounding less, and
    /// pixels keep their order of axes.
    mutating func normalizeImage(
        _ node: Node, mean: [Double], deviation: [Double]
    ) throws(ExecutionError) -> StableHLOValue {
        let computed = node.type.elementType.sumType
        let x = hlo.convert(try logical(node.operands[0]), to: computed)
        let offsets = try hlo.constant(mean.map { 255 * $0 }, computed)
        let factors = try hlo.constant(deviation.map { 1 / (255 * $0) }, computed)
        let distance = try hlo.subtract(x, alongChannels(offsets, like: x))
        return try narrowed(hlo.multiply(distance, alongChannels(factors, like: x)), node)
    }

    /// Probabilities along the rows of `[N, C]`, in the type of `x`.
    mutating func softmax(_ x: StableHLOValue) throws(ExecutionError) -> StableHLOValue {
        let exponentials = try hlo.exponential(belowLargest(x))
        let sums = try hlo.reduce(exponentials, .add, over: [1])
        return try hlo.divide(exponentials, alongRows(sums, like: x))
    }

    /// Each number less the largest of its row: of these exponentials none overflows.
    mutating func belowLargest(_ x: StableHLOValue) throws(ExecutionError) -> StableHLOValue {
        try hlo.subtract(x, alongRows(hlo.reduce(x, .maximum, over: [1]), like: x))
    }
}
