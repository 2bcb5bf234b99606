public import Tensors

/// How the numbers of an untrained network are chosen.
///
/// Source: NVIDIA DeepLearningExamples, ConvNets for PyTorch (Kaiming normal) and for TensorFlow (truncated
/// normal), at commit 729963dd.
public struct Initialisation: Sendable, Hashable {
    /// Which side of a filter decides the scale of its numbers.
    public enum Fan: String, Sendable, Hashable, CaseIterable {
        /// Input channels times the window: keeps the scale of activations.
        case fanIn = "fan_in"
        /// Output channels times the window: keeps the scale of gradients.
        case fanOut = "fan_out"
    }

    /// What numbers are drawn from.
    public enum Distribution: String, Sendable, Hashable, CaseIterable {
        /// Normal for filters, with variance 2 / fan (He et al. 2015); uniform between `±1/sqrt(fan in)` for
        /// the classifier's weight and bias.
        case kaimingNormal
        /// Normal cut at two deviations and rescaled to variance 2 / fan, for filters and the classifier's
        /// weight; its bias is 0.
        case truncatedNormal
    }

    /// What numbers are drawn from.
    public var distribution: Distribution
    /// Which side of a filter decides their scale.
    public var fan: Fan
    /// Whether the scale of each block's last batch norm starts at 0, so that blocks start as identities.
    public var startsBlocksAtZero: Bool

    /// Makes a choice; the defaults are those of NVIDIA's PyTorch recipe.
    public init(
        distribution: Distribution = .kaimingNormal, fan: Fan = .fanIn,
        startsBlocksAtZero: Bool = false
    ) {
        self.distribution = distribution
        self.fan = fan
        self.startsBlocksAtZero = startsBlocksAtZero
    }
}

extension ResNetArchitecture {
    /// Numbers for all of `parameterList`, float32, that the seed determines.
    ///
    /// Each parameter draws from a stream of its own, its place in the list. Batch norms start at scale 1, shift 0,
    /// running mean 0, running variance 1.
    public func initialParameters(
        seed: UInt64, _ initialisation: Initialisation = Initialisation()
    ) -> [String: HostTensor] {
        var tensors: [String: HostTensor] = [:]
        for (index, parameter) in parameterList.enumerated() {
            tensors[parameter.name] = initialTensor(
                parameter, seed: seed, stream: UInt64(index), initialisation)
        }
        return tensors
    }

    /// Numbers for one parameter; `stream` is its place in `parameterList`.
    package func initialTensor(
        _ parameter: ResNetParameter, seed: UInt64, stream: UInt64,
        _ initialisation: Initialisation
    ) -> HostTensor {
        let isZero =
            initialisation.startsBlocksAtZero
            && blocks.contains {
                $0.convolutions.last.map { $0.normalizationName + ".weight" } == parameter.name
            }
        if isZero { return constant(0, parameter.shape) }
        var random = RandomGenerator(seed: seed, stream: stream)
        return initialTensor(parameter, initialisation, &random)
    }

    private func initialTensor(
        _ parameter: ResNetParameter, _ initialisation: Initialisation,
        _ random: inout RandomGenerator
    ) -> HostTensor {
        let shape = parameter.shape
        switch parameter.role {
        case .filter: return filter(shape, initialisation, &random)
        case .scale, .runningVariance: return constant(1, shape)
        case .shift, .runningMean: return constant(0, shape)
        case .weight where initialisation.distribution == .truncatedNormal:
            return filter(shape, initialisation, &random)
        case .bias where initialisation.distribution == .truncatedNormal:
            return constant(0, shape)
        case .weight, .bias:
            let bound = 1 / Double(featureCount).squareRoot()
            return HostTensor(shape: shape) { target in
                for index in target.indices {
                    target[index] = Float(random.nextUniform(in: -bound..<bound))
                }
            }
        }
    }

    private func filter(
        _ shape: Shape, _ initialisation: Initialisation, _ random: inout RandomGenerator
    ) -> HostTensor {
        let fanAxis = initialisation.fan == .fanIn ? 1 : 0
        let window = shape.elementCount / (shape[0] * shape[1])
        let deviation = (2 / Double(shape[fanAxis] * window)).squareRoot()
        return HostTensor(shape: shape) { target in
            switch initialisation.distribution {
            case .kaimingNormal:
                for index in target.indices {
                    target[index] = Float(random.nextNormal() * deviation)
                }
            case .truncatedNormal:
                // The deviation of a standard normal cut at two.
                let scale = deviation / 0.879_625_661_034_239_78
                for index in target.indices {
                    target[index] = Float(random.nextTruncatedNormal() * scale)
                }
            }
        }
    }

    private func constant(_ value: Float, _ shape: Shape) -> HostTensor {
        HostTensor(shape: shape) { target in
            for index in target.indices { target[index] = value }
        }
    }
}
