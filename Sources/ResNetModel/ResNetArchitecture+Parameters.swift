public import Tensors

/// A tensor that a network needs.
public struct ResNetParameter: Sendable, Hashable {
    /// What a parameter is for, which decides how it is initialised and whether it is trained.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// A convolution's filter `[O, I, h, w]`.
        case filter
        /// A batch norm's scale `[C]`, gamma.
        case scale
        /// A batch norm's shift `[C]`, beta.
        case shift
        /// A batch norm's running mean `[C]`.
        case runningMean
        /// A batch norm's running variance `[C]`.
        case runningVariance
        /// The classifier's weight `[O, I]`.
        case weight
        /// The classifier's bias `[O]`.
        case bias
    }

    /// Its name in saved models, as in `layer1.0.conv2.weight`.
    public var name: String
    /// Its extents.
    public var shape: Shape
    /// What it is for.
    public var role: Role

    /// Whether training changes it by its gradient; running statistics follow the batches instead.
    public var isTrained: Bool { role != .runningMean && role != .runningVariance }
}

extension ResNetArchitecture {
    /// All tensors that the network needs, in torchvision's order and by its names.
    ///
    /// Source: torchvision 0.28, `ResNet.state_dict()`. Left out are the counters
    /// `<batch norm>.num_batches_tracked` (int64, scalar), which no computation here reads: see
    /// `optionalParameterNames`.
    public var parameterList: [ResNetParameter] {
        var list: [ResNetParameter] = []
        append(stem, to: &list)
        for block in blocks {
            for convolution in block.convolutions { append(convolution, to: &list) }
            if let projection = block.projection { append(projection, to: &list) }
        }
        list.append(
            ResNetParameter(
                name: "fc.weight", shape: [classCount, featureCount], role: .weight))
        list.append(ResNetParameter(name: "fc.bias", shape: [classCount], role: .bias))
        return list
    }

    /// Names that saved models may also hold: each batch norm's `num_batches_tracked`.
    public var optionalParameterNames: [String] {
        parameterList.filter { $0.role == .runningVariance }.map {
            $0.name.dropLast("running_var".count) + "num_batches_tracked"
        }
    }

    /// The number of numbers that training changes: 25,557,032 for ResNet-50 with 1000 classes.
    public var trainedParameterCount: Int {
        parameterList.filter(\.isTrained).reduce(0) { $0 + $1.shape.elementCount }
    }

    private func append(_ layer: ConvolutionLayer, to list: inout [ResNetParameter]) {
        list.append(
            ResNetParameter(
                name: "\(layer.name).weight",
                shape: [layer.outputChannels, layer.inputChannels, layer.size, layer.size],
                role: .filter))
        let vectors: [(String, ResNetParameter.Role)] = [
            ("weight", .scale), ("bias", .shift), ("running_mean", .runningMean),
            ("running_var", .runningVariance),
        ]
        for (suffix, role) in vectors {
            list.append(
                ResNetParameter(
                    name: "\(layer.normalizationName).\(suffix)", shape: [layer.outputChannels],
                    role: role))
        }
    }
}
