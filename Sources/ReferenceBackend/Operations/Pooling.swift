import Graph
import Tensors

/// The largest element under each position of a window; padding is never chosen, not-a-number always.
func maxPool<Scalar: ReferenceScalar>(
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
                var largest = -Scalar.infinity
                for inputRow in rows {
                    for inputColumn in columns {
                        let value = x.values[(plane * height + inputRow) * width + inputColumn]
                        if value > largest || value.isNaN { largest = value }
                    }
                }
                values.append(largest)
            }
        }
    }
    return values
}

/// The mean of each plane, summed in `Scalar`.
func globalAveragePool<Scalar: ReferenceScalar>(_ x: Operand<Scalar>) -> [Scalar] {
    let plane = x.shape[2] * x.shape[3]
    return (0..<x.shape[0] * x.shape[1]).map { index in
        var sum: Scalar = 0
        for element in index * plane..<(index + 1) * plane { sum += x.values[element] }
        return sum / Scalar(plane)
    }
}
