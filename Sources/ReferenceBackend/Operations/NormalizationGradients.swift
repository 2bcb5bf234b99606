import Graph
import Tensors

/// The place of each plane of `[N, C, H, W]` in memory, with its channel.
private struct Planes: Sequence {
    let shape: Shape

    var size: Int { shape[2] * shape[3] }
    /// Positions that one channel has over images and space.
    var count: Int { shape[0] * size }

    func makeIterator() -> some IteratorProtocol<(channel: Int, elements: Range<Int>)> {
        (0..<shape[0] * shape[1]).lazy.map { plane in
            (plane % shape[1], plane * size..<(plane + 1) * size)
        }.makeIterator()
    }
}

/// The sum of some numbers, or of what becomes of them.
///
/// Sums of planes are made apart and then added, which keeps running sums, and so roundings, small.
private func sum<Scalar: ReferenceScalar>(
    _ values: [Scalar], over places: Range<Int>, _ change: (Scalar) -> Scalar = { $0 }
) -> Scalar {
    var sum: Scalar = 0
    for index in places { sum += change(values[index]) }
    return sum
}

/// Means and biased variances `[2, C]`: the means first, then distances from them, so that large means cost no
/// accuracy.
func batchMoments<Scalar: ReferenceScalar>(_ x: Operand<Scalar>) -> [Scalar] {
    let planes = Planes(shape: x.shape)
    let channels = x.shape[1]
    var moments = [Scalar](repeating: 0, count: 2 * channels)
    for (channel, elements) in planes { moments[channel] += sum(x.values, over: elements) }
    for channel in 0..<channels { moments[channel] /= Scalar(planes.count) }
    for (channel, elements) in planes {
        moments[channels + channel] += sum(x.values, over: elements) { value in
            (value - moments[channel]) * (value - moments[channel])
        }
    }
    for channel in channels..<2 * channels { moments[channel] /= Scalar(planes.count) }
    return moments
}

/// Normalises with moments `[2, C]`.
///
/// Operands: `x`, scale, shift, moments.
func normalizeBatch<Scalar: ReferenceScalar>(
    epsilon: Scalar, _ operands: [Operand<Scalar>]
) -> [Scalar] {
    let channels = operands[0].shape[1]
    let moments = operands[3].values
    let mean = Operand(values: Array(moments[0..<channels]), shape: [channels])
    let variance = Operand(values: Array(moments[channels..<2 * channels]), shape: [channels])
    return batchNormalization(
        epsilon: epsilon, [operands[0], operands[1], operands[2], mean, variance])
}

/// Per channel the sum of the gradient, then of the gradient times the normalised `x`.
///
/// Operands: gradient, `x`,
/// moments.
func normalizationSums<Scalar: ReferenceScalar>(
    epsilon: Scalar, _ operands: [Operand<Scalar>]
) -> [Scalar] {
    let gradient = operands[0].values
    let x = operands[1].values
    let moments = operands[2].values
    let channels = operands[1].shape[1]
    var sums = [Scalar](repeating: 0, count: 2 * channels)
    for (channel, elements) in Planes(shape: operands[1].shape) {
        let mean = moments[channel]
        let deviation = (moments[channels + channel] + epsilon).squareRoot()
        var products: Scalar = 0
        for index in elements { products += gradient[index] * ((x[index] - mean) / deviation) }
        sums[channel] += sum(gradient, over: elements)
        sums[channels + channel] += products
    }
    return sums
}

/// The gradient for `x`, through the moments too.
///
/// Operands: gradient, `x`, scale, moments, sums.
func normalizeBatchGradient<Scalar: ReferenceScalar>(
    epsilon: Scalar, _ operands: [Operand<Scalar>]
) -> [Scalar] {
    var values = operands[0].values
    let x = operands[1].values
    let moments = operands[3].values
    let sums = operands[4].values
    let planes = Planes(shape: operands[1].shape)
    let channels = operands[1].shape[1]
    for (channel, elements) in planes {
        let mean = moments[channel]
        let deviation = (moments[channels + channel] + epsilon).squareRoot()
        let factor = operands[2].values[channel] / deviation
        let meanGradient = sums[channel] / Scalar(planes.count)
        let meanProduct = sums[channels + channel] / Scalar(planes.count)
        for index in elements {
            let normalized = (x[index] - mean) / deviation
            values[index] = factor * (values[index] - meanGradient - normalized * meanProduct)
        }
    }
    return values
}

/// The gradient for `x` where statistics are constants.
///
/// Operands: gradient, scale, variance.
func batchNormalizationGradient<Scalar: ReferenceScalar>(
    epsilon: Scalar, _ operands: [Operand<Scalar>]
) -> [Scalar] {
    var values = operands[0].values
    for (channel, elements) in Planes(shape: operands[0].shape) {
        let deviation = (operands[2].values[channel] + epsilon).squareRoot()
        let factor = operands[1].values[channel] / deviation
        for index in elements { values[index] *= factor }
    }
    return values
}

/// The sum over all axes but the second.
func channelSums<Scalar: ReferenceScalar>(_ x: Operand<Scalar>) -> [Scalar] {
    let channels = x.shape[1]
    let plane = x.shape.dimensions.dropFirst(2).reduce(1, *)
    var sums = [Scalar](repeating: 0, count: channels)
    for row in 0..<x.shape[0] * channels {
        sums[row % channels] += sum(x.values, over: row * plane..<(row + 1) * plane)
    }
    return sums
}

/// The gradient where `y` is above zero, else zero.
func reluGradient<Scalar: ReferenceScalar>(_ gradient: [Scalar], _ y: [Scalar]) -> [Scalar] {
    zip(gradient, y).map { $1 > 0 ? $0 : 0 }
}
