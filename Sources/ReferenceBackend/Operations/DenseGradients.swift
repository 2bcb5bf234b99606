import Tensors

/// `gradient · weight`.
func denseInputGradient<Scalar: ReferenceScalar>(
    _ gradient: Operand<Scalar>, weight: Operand<Scalar>
) -> [Scalar] {
    let outputs = weight.shape[0]
    let inputs = weight.shape[1]
    let rows = weight.values
    var sums = [Scalar](repeating: 0, count: gradient.shape[0] * inputs)
    for image in 0..<gradient.shape[0] {
        for output in 0..<outputs {
            Scalar.multiplyAdd(
                rows.span, from: output * inputs, stride: 1, count: inputs,
                gradient.values[image * outputs + output], &sums, to: image * inputs)
        }
    }
    return sums
}

/// `gradientᵀ · x`.
func denseWeightGradient<Scalar: ReferenceScalar>(
    _ gradient: Operand<Scalar>, _ x: Operand<Scalar>
) -> [Scalar] {
    let outputs = gradient.shape[1]
    let inputs = x.shape[1]
    let rows = x.values
    var sums = [Scalar](repeating: 0, count: outputs * inputs)
    for image in 0..<gradient.shape[0] {
        for output in 0..<outputs {
            Scalar.multiplyAdd(
                rows.span, from: image * inputs, stride: 1, count: inputs,
                gradient.values[image * outputs + output], &sums, to: output * inputs)
        }
    }
    return sums
}
