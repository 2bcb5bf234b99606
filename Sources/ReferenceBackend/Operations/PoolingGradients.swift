import Graph
import Tensors

/// Where under each position of a window the first of the largest elements is; the first not-a-number if any.
func maxPoolIndices<Scalar: ReferenceScalar>(
    _ window: Window, _ x: Operand<Scalar>, _ result: Shape
) -> [Scalar] {
    let height = x.shape[2]
    let width = x.shape[3]
    var values: [Scalar] = []
    values.reserveCapacity(result.elementCount)
    for plane in 0..<result[0] * result[1] {
        for row in 0..<result[2] {
            let top = row * window.stride.height - window.padding.top
            let rows = max(top, 0)..<min(top + window.size.height, height)
            for column in 0..<result[3] {
                let left = column * window.stride.width - window.padding.left
                let columns = max(left, 0)..<min(left + window.size.width, width)
                var best: (value: Scalar, index: Int)?
                for inputRow in rows {
                    for inputColumn in columns {
                        let value = x.values[(plane * height + inputRow) * width + inputColumn]
                        if let best, best.value.isNaN || !(value > best.value || value.isNaN) {
                            continue
                        }
                        best = (
                            value, (inputRow - top) * window.size.width + inputColumn - left
                        )
                    }
                }
                values.append(Scalar(best?.index ?? 0))
            }
        }
    }
    return values
}

/// Adds each element of the gradient to the input that its index names.
///
/// An index outside its window, or on padding, names none.
func maxPoolGradient<Scalar: ReferenceScalar>(
    _ window: Window, _ gradient: Operand<Scalar>, indices: Operand<Scalar>, _ result: Shape
) -> [Scalar] {
    let height = result[2]
    let width = result[3]
    var sums = [Scalar](repeating: 0, count: result.elementCount)
    var place = 0
    for plane in 0..<result[0] * result[1] {
        for row in 0..<gradient.shape[2] {
            let top = row * window.stride.height - window.padding.top
            for column in 0..<gradient.shape[3] {
                let left = column * window.stride.width - window.padding.left
                let tap = Int(indices.values[place]).quotientAndRemainder(
                    dividingBy: window.size.width)
                let inputRow = top + tap.quotient
                let inputColumn = left + tap.remainder
                if tap.quotient < window.size.height, (0..<height).contains(inputRow),
                    (0..<width).contains(inputColumn)
                {
                    let target = (plane * height + inputRow) * width + inputColumn
                    sums[target] += gradient.values[place]
                }
                place += 1
            }
        }
    }
    return sums
}

/// Spreads each number evenly over a plane.
func globalAveragePoolGradient<Scalar: ReferenceScalar>(
    _ gradient: [Scalar], plane: Int
) -> [Scalar] {
    gradient.flatMap { [Scalar](repeating: $0 / Scalar(plane), count: plane) }
}
