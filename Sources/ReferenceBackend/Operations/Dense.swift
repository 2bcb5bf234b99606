import Tensors

/// `x · weightᵀ + bias`, summed in `Scalar` from the bias on.
func dense<Scalar: ReferenceScalar>(
    _ x: Operand<Scalar>, weight: Operand<Scalar>, bias: Operand<Scalar>
) -> [Scalar] {
    let length = x.shape[1]
    var values: [Scalar] = []
    values.reserveCapacity(x.shape[0] * weight.shape[0])
    for image in 0..<x.shape[0] {
        for output in 0..<weight.shape[0] {
            var sum = bias.values[output]
            for index in 0..<length {
                sum += x.values[image * length + index] * weight.values[output * length + index]
            }
            values.append(sum)
        }
    }
    return values
}
