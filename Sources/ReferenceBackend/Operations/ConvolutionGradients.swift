import Graph
import Tensors

/// The gradient of a convolution for its input: each element of the gradient times each tap of the filter, added
/// where that tap read.
///
/// Loops run over one row of the gradient at a time with one tap, as those of `convolution`.
func convolutionInputGradient<Scalar: ReferenceScalar>(
    _ attributes: Convolution, _ gradient: Operand<Scalar>, filter: Operand<Scalar>,
    _ result: Shape
) -> [Scalar] {
    let geometry = ConvolutionGeometry(attributes, result, filter.shape, gradient.shape)
    let plane = geometry.output.height * geometry.output.width
    let channels = filter.shape[0]
    let values = gradient.values
    let weights = filter.values
    var sums = [Scalar](repeating: 0, count: result.elementCount)
    for image in 0..<result[0] {
        for channel in 0..<channels {
            spread(
                geometry, values.span, from: (image * channels + channel) * plane, weights.span,
                filterStart: channel * (filter.shape.elementCount / channels), &sums,
                image: image)
        }
    }
    return sums
}

/// Adds one plane of the gradient under one filter to one image of the input's gradient.
private func spread<Scalar: ReferenceScalar>(
    _ geometry: ConvolutionGeometry, _ gradient: Span<Scalar>, from source: Int,
    _ filter: Span<Scalar>, filterStart: Int, _ sums: inout [Scalar], image: Int
) {
    let width = geometry.input.width
    let plane = geometry.input.height * width
    var tap = filterStart
    for channel in 0..<geometry.inputChannels {
        let start = (image * geometry.inputChannels + channel) * plane
        if geometry.isPointwise {
            Scalar.multiplyAdd(
                gradient, from: source, stride: 1, count: plane, filter[tap], &sums, to: start)
            tap += 1
            continue
        }
        for filterRow in 0..<geometry.size.height {
            let rows = geometry.rows(tap: filterRow)
            for filterColumn in 0..<geometry.size.width {
                let columns = geometry.columns(tap: filterColumn)
                let weight = filter[tap]
                tap += 1
                if columns.isEmpty { continue }
                for row in rows {
                    let target =
                        start + geometry.inputRow(row, tap: filterRow) * width
                        + geometry.inputColumn(columns.lowerBound, tap: filterColumn)
                    Scalar.multiplySpread(
                        gradient, from: source + row * geometry.output.width + columns.lowerBound,
                        count: columns.count, weight, &sums, to: target,
                        stride: geometry.stride.width)
                }
            }
        }
    }
}

/// The gradient of a convolution for its filter.
///
/// The input is turned to channels innermost, and so are the sums, so that the taps of one row of the window over
/// all channels are neighbours in both.
func convolutionFilterGradient<Scalar: ReferenceScalar>(
    _ attributes: Convolution, _ gradient: Operand<Scalar>, _ x: Operand<Scalar>,
    _ result: Shape
) -> [Scalar] {
    let geometry = ConvolutionGeometry(attributes, x.shape, result, gradient.shape)
    let plane = geometry.output.height * geometry.output.width
    let filterSize = result.elementCount / result[0]
    let values = gradient.values
    let pixels = swappedAxes(
        x.values, outer: x.shape[0], rows: x.shape[1], columns: x.shape[2] * x.shape[3])
    var sums = [Scalar](repeating: 0, count: result.elementCount)
    for image in 0..<x.shape[0] {
        for channel in 0..<result[0] {
            collect(
                geometry, values.span, from: (image * result[0] + channel) * plane, pixels.span,
                image: image, &sums, start: channel * filterSize)
        }
    }
    return swappedAxes(sums, outer: result[0], rows: result[2] * result[3], columns: result[1])
}

/// Adds the products of one plane of the gradient and one image to one filter's gradient `[h, w, C]`.
private func collect<Scalar: ReferenceScalar>(
    _ geometry: ConvolutionGeometry, _ gradient: Span<Scalar>, from source: Int,
    _ pixels: Span<Scalar>, image: Int, _ sums: inout [Scalar], start: Int
) {
    let depth = geometry.inputChannels
    let size = geometry.size
    for row in 0..<geometry.output.height {
        let top = row * geometry.stride.height - geometry.padding.top
        let taps = max(0, -top)..<max(max(0, -top), min(size.height, geometry.input.height - top))
        for column in 0..<geometry.output.width {
            let left = column * geometry.stride.width - geometry.padding.left
            let first = max(0, -left)
            let count = min(size.width, geometry.input.width - left) - first
            if count <= 0 { continue }
            let factor = gradient[source + row * geometry.output.width + column]
            for tap in taps {
                let inputRow = image * geometry.input.height + top + tap
                Scalar.multiplyAdd(
                    pixels, from: (inputRow * geometry.input.width + left + first) * depth,
                    stride: 1, count: count * depth, factor, &sums,
                    to: start + (tap * size.width + first) * depth)
            }
        }
    }
}

/// `[outer, rows, columns]` to `[outer, columns, rows]`.
private func swappedAxes<Scalar: ReferenceScalar>(
    _ values: [Scalar], outer: Int, rows: Int, columns: Int
) -> [Scalar] {
    var swapped: [Scalar] = []
    swapped.reserveCapacity(values.count)
    for slice in 0..<outer {
        for column in 0..<columns {
            for row in 0..<rows {
                swapped.append(values[(slice * rows + row) * columns + column])
            }
        }
    }
    return swapped
}
