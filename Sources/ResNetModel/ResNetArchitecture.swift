/// The number of layers, counting convolutions of the main branch and the classifier.
public enum Depth: Int, Sendable, Hashable, CaseIterable {
    /// ResNet-18, of basic blocks.
    case resNet18 = 18
    /// ResNet-34, of basic blocks.
    case resNet34 = 34
    /// ResNet-50, of bottlenecks.
    case resNet50 = 50
    /// ResNet-101, of bottlenecks.
    case resNet101 = 101
    /// ResNet-152, of bottlenecks.
    case resNet152 = 152

    /// How many blocks each of the four stages has.
    public var blockCounts: [Int] {
        switch self {
        case .resNet18: [2, 2, 2, 2]
        case .resNet34, .resNet50: [3, 4, 6, 3]
        case .resNet101: [3, 4, 23, 3]
        case .resNet152: [3, 8, 36, 3]
        }
    }

    /// Whether blocks are bottlenecks (1x1, 3x3, 1x1) rather than basic ones (3x3, 3x3).
    public var hasBottlenecks: Bool { rawValue >= 50 }

    /// How many times a stage's width its blocks give.
    public var expansion: Int { hasBottlenecks ? 4 : 1 }
}

/// Where a bottleneck that halves the image takes its stride.
///
/// Source: v1 is He et al. 2016, section 3.3; v1.5 is NVIDIA's and torchvision's. Depths 18 and 34 have no
/// bottlenecks, so for them both are the same network.
public enum Variant: String, Sendable, Hashable, CaseIterable {
    /// On its first 1x1 convolution.
    case v1
    /// On its 3x3 convolution.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    case v1_5 = "v1.5"
}

/// What a graph of the network can give.
public enum ResNetOutput: String, Sendable, Hashable, CaseIterable {
    /// Scores before softmax, float32 `[N, classCount]`.
    case logits
    /// Scores after softmax, float32 `[N, classCount]`.
    case probabilities
    /// What the classifier reads, float32 `[N, featureCount]`.
    case features
    /// The last stage's activations, float32 `[N, featureCount, H / 32, W / 32]`.
    case activations
}

/// A ResNet, in full: what there is to choose, and all that follows from it.
public struct ResNetArchitecture: Sendable, Hashable {
    /// The number of layers.
    public var depth: Depth
    /// Where strides sit.
    public var variant: Variant
    /// The number of scores.
    public var classCount: Int
    /// Where windows get the zeros beyond an image's edges.
    public var padding: PaddingConvention
    /// What is done to pixels first.
    public var normalization: ImageNormalization

    /// Describes a network.
    ///
    /// - Precondition: `classCount` is at least 1.
    public init(
        depth: Depth = .resNet50, variant: Variant = .v1_5, classCount: Int = 1000,
        padding: PaddingConvention = .symmetric, normalization: ImageNormalization = .imageNet
    ) {
        precondition(classCount >= 1, "a classifier needs at least one class")
        self.depth = depth
        self.variant = variant
        self.classCount = classCount
        self.padding = padding
        self.normalization = normalization
    }

    /// What a weight file has to say for `recognise(shapes:metadata:)` to find this network again: what does not
    /// follow from names and shapes.
    public var metadata: [String: String] {
        var texts = normalization.metadata
        texts["variant"] = variant.rawValue
        texts["padding"] = padding.rawValue
        return texts
    }

    /// The number of features that the classifier reads: 2048, or 512 without bottlenecks.
    public var featureCount: Int { 512 * depth.expansion }

    /// As in `ResNet-50 v1.5`; without the variant where it makes no difference.
    public var name: String {
        "ResNet-\(depth.rawValue)" + (depth.hasBottlenecks ? " \(variant.rawValue)" : "")
    }
}
