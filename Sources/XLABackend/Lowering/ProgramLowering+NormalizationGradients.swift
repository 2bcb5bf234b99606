import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// Means and biased variances, each `[C]`.
    ///
    /// Both come of one pass over `x`, which XLA makes of two sums of the same operand; variances as distances from
    /// the means, as in the reference, would take a second pass, and on a GPU a pass over memory is what this costs.
    /// Sums of `x` and `x²` alone would lose the variance of channels whose mean is large: so `x` is shifted first,
    /// by the mean of a few of the channel's own elements. That is within a deviation of the channel's mean, so that
    /// next to nothing cancels, and it reads next to nothing. It is rounded to the type of the data: then differences
    /// are exact, where a longer number would round all equal elements the same way.
    mutating func batchMoments(_ node: Node) throws(ExecutionError) -> [StableHLOValue] {
        let x = try stored(node.operands[0])
        let wide = hlo.convert(x, to: x.elementType.sumType)
        let shift = try hlo.rounded(sampleMean(x), to: x.elementType)
        let distance = try hlo.subtract(wide, alongChannels(shift, like: wide))
        let sums = try channelSums(distance, hlo.multiply(distance, distance))
        let count = try positions(wide, like: shift)
        let mean = try hlo.divide(sums.first, count)
        let variance = try hlo.subtract(
            hlo.divide(sums.second, count), hlo.multiply(mean, mean))
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

    /// The mean of eight elements of each channel, from the first and the last quarter of each other axis.
    ///
    /// They are added one by one, which is a single kernel; a reduction would be two with what follows it.
    private mutating func sampleMean(
        _ x: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        let channels = x.shape[3]
        var sum: StableHLOValue?
        for corner in 0..<8 {
            let starts = (0..<3).map { axis in
                corner >> axis & 1 == 0 ? x.shape[axis] / 4 : 3 * x.shape[axis] / 4
            }
            let element = try hlo.slice(
                x, from: starts + [0], to: starts.map { $0 + 1 } + [channels], by: [1, 1, 1, 1])
            let wide = try hlo.convert(
                hlo.reshape(element, to: Shape([channels])), to: x.elementType.sumType)
            sum = try sum.map { (sum) throws(ExecutionError) in try hlo.add(sum, wide) } ?? wide
        }
        let total = sum ?? hlo.constant(0, x.elementType.sumType)
        return try hlo.multiply(total, number(0.125, like: total))
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
        // The gradient is often made right here, of a ReLU's: in one kernel with the second sum, but not with both.
        let sums = try channelSums(gradient, hlo.multiply(gradient, distance), areApart: true)
        // Divided by the deviation once a channel, not once an element.
        return [sums.first, try hlo.multiply(sums.second, inverse)]
    }

    /// The sums of two tensors `[N, H, W, C]` over all axes but that of channels.
    ///
    /// GPUs sum in two stages, parts and then the parts' sums. XLA would cut each sum in two by itself, after which
    /// the second stages of both are kernels of their own; so they are cut here, and the second stages are one.
    ///
    /// - Parameter areApart: whether the first stages are to be two kernels, too, and not one that reads what both
    ///   are of once. XLA makes one of kernels that cut alike.
    private mutating func channelSums(
        _ x: StableHLOValue, _ y: StableHLOValue, areApart: Bool = false
    ) throws(ExecutionError) -> (first: StableHLOValue, second: StableHLOValue) {
        let channels = x.shape[3]
        let count = x.shape[0] * x.shape[1] * x.shape[2]
        let parts = Self.partCount(of: count)
        guard parts > 1 else {
            return (
                try hlo.reduce(x, .add, over: [0, 1, 2]), try hlo.reduce(y, .add, over: [0, 1, 2])
            )
        }
        // The second one's parts are dealt out to so many rows of the second stage.
        let rows = areApart && count % (2 * parts) == 0 ? 2 : 1
        var sums: [StableHLOValue] = []
        for (tensor, rows) in [(x, 1), (y, rows)] {
            let cut = Shape([rows * parts, count / (rows * parts), channels])
            let sum = try hlo.reduce(hlo.reshape(tensor, to: cut), .add, over: [1])
            sums.append(try hlo.reshape(sum, to: Shape([rows, parts, channels])))
        }
        let all = try hlo.reduce(hlo.concatenate(sums), .add, over: [1])
        func row(_ index: Int) throws(ExecutionError) -> StableHLOValue {
            let row = try hlo.slice(all, from: [index, 0], to: [index + 1, channels], by: [1, 1])
            return try hlo.reshape(row, to: Shape([channels]))
        }
        let second = try row(1)
        return (try row(0), rows == 1 ? second : try hlo.add(second, row(2)))
    }

    /// Into how many parts a sum of so many numbers is cut: a power of two, so that parts are equal, and about as
    /// many as a part has numbers.
    private static func partCount(of count: Int) -> Int {
        var parts = 1
        while count % (2 * parts) == 0, 4 * parts * parts <= count { parts *= 2 }
        return parts
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
