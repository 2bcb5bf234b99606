import Graph
import Tensors

/// Convolves, adds bias and residual, activates.
///
/// Loops run over one row of the result at a time with one tap of the filter, so that the innermost loop is over
/// neighbours in memory and has no branches. Sums begin at the bias and are in `Scalar`.
func convolution<Scalar: ReferenceScalar>(
    _ attributes: Convolution, _ operands: [Operand<Scalar>], _ result: Shape
) -> [Scalar] {
    let geometry = ConvolutionGeometry(attributes, operands[0].shape, operands[1].shape, result)
    let filterSize = operands[1].shape.elementCount / result[1]
    let plane = result[2] * result[3]
    let x = operands[0].values
    let filter = operands[1].values
    let bias = attributes.biasIndex.map { operands[$0].values }
    var sums = [Scalar](repeating: 0, count: result.elementCount)
    for image in 0..<result[0] {
        for channel in 0..<result[1] {
            let start = (image * result[1] + channel) * plane
            if let bias {
                for index in start..<start + plane { sums[index] = bias[channel] }
            }
            accumulate(
                geometry, x.span, image: image, filter.span, filterStart: channel * filterSize,
                &sums, start: start)
        }
    }
    if let index = attributes.residualIndex {
        let residual = operands[index].values
        for index in sums.indices { sums[index] += residual[index] }
    }
    if attributes.activation == .relu {
        for index in sums.indices where sums[index] < 0 { sums[index] = 0 }
    }
    return sums
}

/// The sizes that the loops need.
struct ConvolutionGeometry {
    let inputChannels: Int
    let input: Spatial
    let output: Spatial
    let size: Spatial
    let stride: Spatial
    let padding: Padding
    /// Whether every tap reads whole planes as they lie in memory.
    let isPointwise: Bool

    init(_ attributes: Convolution, _ x: Shape, _ filter: Shape, _ result: Shape) {
        inputChannels = x[1]
        input = Spatial(height: x[2], width: x[3])
        output = Spatial(height: result[2], width: result[3])
        size = Spatial(height: filter[2], width: filter[3])
        stride = attributes.stride
        padding = attributes.padding
        isPointwise =
            size == Spatial(1) && stride == Spatial(1) && padding == Padding(0)
    }

    /// The rows of the result at which a row of the filter falls on the input rather than on padding.
    func rows(tap: Int) -> Range<Int> {
        positions(
            tap: tap, before: padding.top, stride: stride.height, extent: input.height,
            count: output.height)
    }

    /// The columns of the result at which a column of the filter falls on the input.
    func columns(tap: Int) -> Range<Int> {
        positions(
            tap: tap, before: padding.left, stride: stride.width, extent: input.width,
            count: output.width)
    }

    /// The row of the input that a row of the filter reads for a row of the result.
    func inputRow(_ row: Int, tap: Int) -> Int { row * stride.height + tap - padding.top }

    /// The column of the input that a column of the filter reads for a column of the result.
    func inputColumn(_ column: Int, tap: Int) -> Int { column * stride.width + tap - padding.left }
}

/// Adds one image under one filter to one plane of the result.
private func accumulate<Scalar: ReferenceScalar>(
    _ geometry: ConvolutionGeometry, _ x: Span<Scalar>, image: Int, _ filter: Span<Scalar>,
    filterStart: Int, _ sums: inout [Scalar], start: Int
) {
    let plane = geometry.input.height * geometry.input.width
    var tap = filterStart
    for channel in 0..<geometry.inputChannels {
        let xStart = (image * geometry.inputChannels + channel) * plane
        if geometry.isPointwise {
            Scalar.multiplyAdd(
                x, from: xStart, stride: 1, count: plane, filter[tap], &sums, to: start)
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
                    let inputRow = geometry.inputRow(row, tap: filterRow)
                    let inputColumn = geometry.inputColumn(
                        columns.lowerBound, tap: filterColumn)
                    Scalar.multiplyAdd(
                        x, from: xStart + inputRow * geometry.input.width + inputColumn,
                        stride: geometry.stride.width, count: columns.count, weight, &sums,
                        to: start + row * geometry.output.width + columns.lowerBound)
                }
            }
        }
    }
}

/// The positions of the window at which a tap falls on the input rather than on padding.
private func positions(
    tap: Int, before: Int, stride: Int, extent: Int, count: Int
) -> Range<Int> {
    let offset = before - tap
    let lower = offset > 0 ? (offset + stride - 1) / stride : 0
    let last = extent - 1 + offset
    let upper = last < 0 ? 0 : min(count, last / stride + 1)
    return lower..<max(lower, upper)
}
