import Graph

/// Where a window gets the zeros that it needs beyond an image's edges.
///
/// Weights work only with the padding that they were trained with: at stride 2 the two differ by a pixel.
public enum PaddingConvention: String, Sendable, Hashable, CaseIterable {
    /// Half the window on every side, as PyTorch does.
    case symmetric
    /// As little as gives `ceil(extent / stride)` results, the odd one below and to the right: TensorFlow's `SAME`.
    ///
    /// Source: TensorFlow 2.20, `tensorflow/core/framework/common_shape_fns.cc`, `GetWindowedOutputSizeVerbose`.
    case tensorFlow = "tensorflow"
    /// Symmetric for convolutions, TensorFlow's for the maximum: TensorFlow's official ResNets, as MLPerf publishes them.
    ///
    /// Source: tensorflow/models, `official/r1/resnet/resnet_model.py`, `fixed_padding`.
    case tensorFlowPooling = "tensorflow-pooling"

    /// The padding of a window.
    ///
    /// - Parameters:
    ///   - size: both extents of the window.
    ///   - stride: both steps.
    ///   - image: the extents of what it moves over.
    ///   - isPooling: whether it takes the maximum.
    func padding(size: Int, stride: Int, over image: Spatial, isPooling: Bool) -> Padding {
        switch self {
        case .symmetric: return Padding((size - 1) / 2)
        case .tensorFlowPooling where !isPooling: return Padding((size - 1) / 2)
        case .tensorFlow, .tensorFlowPooling:
            func total(_ extent: Int) -> Int {
                let count = (extent + stride - 1) / stride
                return max(0, (count - 1) * stride + size - extent)
            }
            let (rows, columns) = (total(image.height), total(image.width))
            return Padding(
                top: rows / 2, left: columns / 2, bottom: rows - rows / 2,
                right: columns - columns / 2)
        }
    }
}
