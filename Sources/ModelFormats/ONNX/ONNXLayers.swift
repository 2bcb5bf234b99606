import Tensors

/// What is known of a value in an ONNX graph that is read as a residual network.
enum ONNXForm: Hashable {
    /// The picture, whatever has been done to its numbers.
    case image
    /// A convolution's result, batch norm included.
    case convolution(Int)
    /// The same after ReLU.
    case rectified(Int)
    /// The first convolution's, after max pooling.
    case stem(Int)
    /// The sum of two branches.
    case sum(Int)
    /// The same after ReLU: a block's result.
    case block(Int)
    /// Means over space.
    case features
    /// The classifier's scores.
    case logits
    /// What is made of them.
    case answers
    /// Extents, on their way to a reshape.
    case extents
}

/// A convolution with what follows it.
struct ONNXConvolution {
    var label: String
    var filter: HostTensor
    var bias: HostTensor?
    var normalization: ONNXNormalization?
    var stride: Int
    var padding: ONNXPadding
    var source: ONNXForm
}

/// A batch norm's constants.
struct ONNXNormalization {
    var scale: HostTensor
    var shift: HostTensor
    var mean: HostTensor
    var variance: HostTensor
    var epsilon: Float
}

/// How a window that halves the image is padded.
enum ONNXPadding: Hashable {
    /// Both conventions are the same here.
    case either
    /// As much on each side.
    case symmetric
    /// TensorFlow's SAME for images of even size: what is odd goes to the bottom and the right.
    case tensorFlow

    /// Tells how a window of a size, with a step, is padded; `nil` for any other way.
    ///
    /// - Parameter amounts: top, left, bottom, right.
    init?(_ amounts: [Int], size: Int, stride: Int) {
        let half = (size - 1) / 2
        let total = max(size - stride, 0)
        let symmetric = [half, half, half, half]
        let same = [total / 2, total / 2, total - total / 2, total - total / 2]
        if amounts == symmetric {
            self = symmetric == same ? .either : .symmetric
        } else if amounts == same {
            self = .tensorFlow
        } else {
            return nil
        }
    }
}
