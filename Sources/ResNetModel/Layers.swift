import Graph

/// One convolution with its batch norm, as the architecture describes it.
struct ConvolutionLayer {
    /// The name of the convolution's module, as in `layer1.0.conv2`.
    var name: String
    /// The name of its batch norm's module, as in `layer1.0.bn2`.
    var normalizationName: String
    var inputChannels: Int
    var outputChannels: Int
    /// The extent of the filter along both axes.
    var size: Int
    var stride: Int
}

/// One residual block.
struct ResidualBlock {
    /// The name of the block's module, as in `layer1.0`.
    var name: String
    /// The main branch.
    var convolutions: [ConvolutionLayer]
    /// The projection of the other branch, where input and result differ in shape.
    var projection: ConvolutionLayer?
}

extension ResNetArchitecture {
    /// The first convolution.
    var stem: ConvolutionLayer {
        ConvolutionLayer(
            name: "conv1", normalizationName: "bn1", inputChannels: 3, outputChannels: 64,
            size: 7, stride: 2)
    }

    /// All blocks, in order.
    var blocks: [ResidualBlock] {
        var blocks: [ResidualBlock] = []
        var inputChannels = 64
        for (stage, blockCount) in depth.blockCounts.enumerated() {
            let width = 64 << stage
            for index in 0..<blockCount {
                let stride = stage > 0 && index == 0 ? 2 : 1
                blocks.append(
                    block(
                        "layer\(stage + 1).\(index)", inputChannels: inputChannels, width: width,
                        stride: stride))
                inputChannels = width * depth.expansion
            }
        }
        return blocks
    }

    private func block(
        _ name: String, inputChannels: Int, width: Int, stride: Int
    ) -> ResidualBlock {
        let outputChannels = width * depth.expansion
        func convolution(
            _ number: Int, _ inputChannels: Int, _ outputChannels: Int, size: Int, stride: Int
        ) -> ConvolutionLayer {
            ConvolutionLayer(
                name: "\(name).conv\(number)", normalizationName: "\(name).bn\(number)",
                inputChannels: inputChannels, outputChannels: outputChannels, size: size,
                stride: stride)
        }
        let convolutions: [ConvolutionLayer]
        if depth.hasBottlenecks {
            let strides = variant == .v1 ? (stride, 1) : (1, stride)
            convolutions = [
                convolution(1, inputChannels, width, size: 1, stride: strides.0),
                convolution(2, width, width, size: 3, stride: strides.1),
                convolution(3, width, outputChannels, size: 1, stride: 1),
            ]
        } else {
            convolutions = [
                convolution(1, inputChannels, width, size: 3, stride: stride),
                convolution(2, width, width, size: 3, stride: 1),
            ]
        }
        var projection: ConvolutionLayer?
        if stride != 1 || inputChannels != outputChannels {
            projection = ConvolutionLayer(
                name: "\(name).downsample.0", normalizationName: "\(name).downsample.1",
                inputChannels: inputChannels, outputChannels: outputChannels, size: 1,
                stride: stride)
        }
        return ResidualBlock(name: name, convolutions: convolutions, projection: projection)
    }
}
