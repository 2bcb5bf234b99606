import Graph
import Tensors

/// `(x - mean) / sqrt(variance + epsilon) * scale + shift`, per channel.
func batchNormalization<Scalar: ReferenceScalar>(
    epsilon: Scalar, _ operands: [Operand<Scalar>]
) -> [Scalar] {
    let x = operands[0]
    let plane = x.shape[2] * x.shape[3]
    var values = x.values
    for index in 0..<x.shape[0] * x.shape[1] {
        let channel = index % x.shape[1]
        let scale = operands[1].values[channel]
        let shift = operands[2].values[channel]
        let mean = operands[3].values[channel]
        let deviation = (operands[4].values[channel] + epsilon).squareRoot()
        for element in index * plane..<(index + 1) * plane {
            values[element] = (values[element] - mean) / deviation * scale + shift
        }
    }
    return values
}

/// `(x / 255 - mean) / deviation` per channel, from `[N, H, W, C]` to `[N, C, H, W]`; computed in float64.
func normalizeImage<Scalar: ReferenceScalar>(
    _ x: Operand<Scalar>, mean: [Double], deviation: [Double]
) -> [Scalar] {
    let channels = x.shape[3]
    let plane = x.shape[1] * x.shape[2]
    // A byte has 256 values, so each channel has 256 results.
    let table = (0..<channels).map { channel in
        (0..<256).map { Scalar((Double($0) / 255 - mean[channel]) / deviation[channel]) }
    }
    var values: [Scalar] = []
    values.reserveCapacity(x.values.count)
    for image in 0..<x.shape[0] {
        for channel in 0..<channels {
            let row = table[channel]
            for pixel in 0..<plane {
                values.append(row[Int(x.values[(image * plane + pixel) * channels + channel])])
            }
        }
    }
    return values
}

/// Probabilities along the rows of `[N, C]`.
func softmax<Scalar: ReferenceScalar>(_ x: Operand<Scalar>) -> [Scalar] {
    let count = x.shape[1]
    var values = x.values
    for row in 0..<x.shape[0] {
        let range = row * count..<(row + 1) * count
        // The largest becomes e^0, so nothing overflows.
        let largest = values[range].max() ?? 0
        var sum: Scalar = 0
        for index in range {
            values[index] = (values[index] - largest).exponential
            sum += values[index]
        }
        for index in range { values[index] /= sum }
    }
    return values
}
