import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// Convolves, adds bias and residual, activates.
    ///
    /// What follows the convolution is float32 and is rounded once.
    mutating func convolution(
        _ attributes: Convolution, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let padding = attributes.padding
        var window = ConvolutionWindow()
        window.strides = attributes.stride.axes
        window.padding = [(padding.top, padding.bottom), (padding.left, padding.right)]
        let product = try hlo.convolution(
            stored(node.operands[0]), stored(node.operands[1]), .forward, window)
        guard attributes.hasBias || attributes.hasResidual || attributes.activation != .none else {
            return product
        }
        var sum = hlo.convert(product, to: product.elementType.sumType)
        if let index = attributes.biasIndex {
            sum = try hlo.add(sum, alongChannels(stored(node.operands[index]), like: sum))
        }
        if let index = attributes.residualIndex {
            sum = try hlo.add(sum, wide(node.operands[index]))
        }
        if attributes.activation == .relu { sum = try hlo.maximum(sum, number(0, like: sum)) }
        return narrowed(sum, node)
    }

    /// The gradient of a convolution for its input: the gradient, spread by the stride, under the turned filter.
    ///
    /// The filter is turned by an operation of its own: XLA knows the pair as cuDNN's backward convolution and then
    /// leaves the filter as it is.
    mutating func convolutionInputGradient(
        _ attributes: Convolution, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let gradient = try stored(node.operands[0])
        var filter = try stored(node.operands[1])
        let result = node.type.stored.shape
        let before = [attributes.padding.top, attributes.padding.left]
        var window = ConvolutionWindow()
        window.dilation = attributes.stride.axes
        window.padding = (0..<2).map { axis in
            let spread = dilated(gradient.shape[axis + 1], by: window.dilation[axis])
            return (
                filter.shape[axis + 1] - 1 - before[axis],
                result[axis + 1] + before[axis] - spread
            )
        }
        if filter.shape[1] > 1 || filter.shape[2] > 1 {
            filter = try hlo.reverse(filter, axes: [1, 2])
        }
        return try hlo.convolution(gradient, filter, .inputGradient, window)
    }

    /// The gradient of a convolution for its filter: the input under the gradient, whose elements are the stride
    /// apart, summed over images.
    mutating func convolutionFilterGradient(
        _ attributes: Convolution, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let gradient = try stored(node.operands[0])
        let x = try stored(node.operands[1])
        let result = node.type.stored.shape
        let before = [attributes.padding.top, attributes.padding.left]
        var window = ConvolutionWindow()
        window.filterDilation = attributes.stride.axes
        window.padding = (0..<2).map { axis in
            let spread = dilated(gradient.shape[axis + 1], by: window.filterDilation[axis])
            // Rows at the end that no window reached are cut off by a negative padding.
            return (before[axis], result[axis + 1] - 1 + spread - x.shape[axis + 1] - before[axis])
        }
        return narrowed(try hlo.convolution(x, gradient, .filterGradient, window), node)
    }
}

extension Spatial {
    /// Height, then width.
    var axes: [Int] { [height, width] }
}
