import Tensors

/// Which of an operation's operands are there beside the first two.
struct OperandRoles {
    var hasBias = false
    var hasResidual = false
    var hasWeights = false

    var isPlain: Bool { !hasBias && !hasResidual && !hasWeights }
}

/// What the text states after a node's operands.
struct NodeAttributes {
    var roles: OperandRoles
    var names: [String] = []
    var stride = Spatial(1)
    var size = Spatial(1)
    var padding = Padding(0)
    var activation = Activation.none
    var convention = MomentumRule.Convention.pyTorch
    var nesterov = false
    var mean: [Double] = []
    var deviation: [Double] = []
    /// Attributes that are one number, by name.
    var numbers: [String: Double] = [:]
    /// Attributes that are one whole number, by name.
    var integers: [String: Int] = [:]

    /// The operation of a name, with these attributes.
    func operation(
        named name: String, result: TensorType, reader: GraphTextReader,
        at start: GraphTextReader.Position
    ) throws(GraphError) -> Operation {
        let form = try form(named: name, result: result, reader: reader, at: start)
        for attribute in form.required where !names.contains(attribute) {
            throw reader.error("\(name): expected the attribute \(attribute)", at: start)
        }
        for attribute in names
        where !form.required.contains(attribute) && !form.optional.contains(attribute) {
            throw reader.error("\(name) has no attribute \(attribute)", at: start)
        }
        switch form.operation {
        case .convolution where !roles.hasWeights: break
        case .crossEntropy where !roles.hasBias && !roles.hasResidual: break
        case .crossEntropyGradient where !roles.hasBias && !roles.hasResidual: break
        default:
            guard roles.isPlain else {
                throw reader.error(
                    "\(name) has no operand bias:, residual: or weights: here", at: start)
            }
        }
        return form.operation
    }

    /// An operation, the attributes that it has to have and those it may have.
    private typealias Form = (operation: Operation, required: [String], optional: [String])

    private func form(
        named name: String, result: TensorType, reader: GraphTextReader,
        at start: GraphTextReader.Position
    ) throws(GraphError) -> Form {
        /// The spatial extents of a result that states them.
        func extents() throws(GraphError) -> Spatial {
            guard result.shape.rank == 4 else {
                throw reader.error(
                    "\(name): expected a result of 4 axes, found \(result.shape)", at: start)
            }
            return Spatial(height: result.shape[2], width: result.shape[3])
        }
        let epsilon = numbers["epsilon", default: 0]
        let slide = Convolution(stride: stride, padding: padding)
        let window = Window(size: size, stride: stride, padding: padding)
        let loss = CrossEntropy(
            smoothing: numbers["smoothing", default: 0], hasWeights: roles.hasWeights)
        switch name {
        case "convolution":
            let convolution = Convolution(
                stride: stride, padding: padding, hasBias: roles.hasBias,
                hasResidual: roles.hasResidual, activation: activation)
            return (.convolution(convolution), ["stride", "padding"], ["activation"])
        case "convolutionInputGradient":
            return (
                .convolutionInputGradient(slide, size: try extents()), ["stride", "padding"], []
            )
        case "convolutionFilterGradient":
            return (
                .convolutionFilterGradient(slide, size: try extents()), ["stride", "padding"], []
            )
        case "batchNormalization":
            return (.batchNormalization(epsilon: epsilon), ["epsilon"], [])
        case "normalizeBatch": return (.normalizeBatch(epsilon: epsilon), ["epsilon"], [])
        case "normalizationSums": return (.normalizationSums(epsilon: epsilon), ["epsilon"], [])
        case "normalizeBatchGradient":
            return (.normalizeBatchGradient(epsilon: epsilon), ["epsilon"], [])
        case "batchNormalizationGradient":
            return (.batchNormalizationGradient(epsilon: epsilon), ["epsilon"], [])
        case "maxPool": return (.maxPool(window), ["size", "stride", "padding"], [])
        case "maxPoolIndices": return (.maxPoolIndices(window), ["size", "stride", "padding"], [])
        case "maxPoolGradient":
            return (
                .maxPoolGradient(window, size: try extents()), ["size", "stride", "padding"], []
            )
        case "globalAveragePoolGradient":
            return (.globalAveragePoolGradient(size: try extents()), [], [])
        case "normalizeImage":
            let pixels = Operation.normalizeImage(
                mean: mean, deviation: deviation, elementType: result.elementType)
            return (pixels, ["mean", "deviation"], [])
        case "dense": return (.dense(elementType: result.elementType), [], [])
        case "cast": return (.cast(result.elementType), [], [])
        case "crossEntropy": return (.crossEntropy(loss), ["smoothing"], [])
        case "crossEntropyGradient": return (.crossEntropyGradient(loss), ["smoothing"], [])
        case "correctCount": return (.correctCount(top: integers["top", default: 1]), ["top"], [])
        case "row": return (.row(index: integers["index", default: 0]), ["index"], [])
        case "clipFactor":
            return (.clipFactor(maximum: numbers["maximum", default: 1]), ["maximum"], [])
        case "trustRatio", "velocityUpdate", "weightUpdate", "lossScaleUpdate":
            return optimizerForm(named: name)
        default:
            guard let operation = Self.plain[name] else {
                throw reader.error("there is no operation \(name)", at: start)
            }
            return (operation, [], [])
        }
    }

    private func optimizerForm(named name: String) -> Form {
        let weightDecay = numbers["weightDecay", default: 0]
        switch name {
        case "trustRatio":
            let ratio = Operation.trustRatio(
                coefficient: numbers["coefficient", default: 0], weightDecay: weightDecay,
                epsilon: numbers["epsilon", default: 0])
            return (ratio, ["coefficient", "weightDecay", "epsilon"], [])
        case "lossScaleUpdate":
            let rule = LossScaleRule(
                growth: numbers["growth", default: 2], backoff: numbers["backoff", default: 0.5],
                interval: integers["interval", default: 1])
            return (.lossScaleUpdate(rule), ["growth", "backoff", "interval"], [])
        default:
            let rule = MomentumRule(
                convention: convention, momentum: numbers["momentum", default: 0],
                weightDecay: weightDecay, nesterov: nesterov)
            return (
                name == "velocityUpdate" ? .velocityUpdate(rule) : .weightUpdate(rule),
                ["convention", "momentum", "weightDecay", "nesterov"], []
            )
        }
    }

    /// The operations without attributes.
    private static let plain: [String: Operation] = {
        let operations: [Operation] = [
            .relu, .add, .globalAveragePool, .softmax, .batchMoments, .reluGradient,
            .denseInputGradient, .denseWeightGradient, .channelSums, .stack, .multiply,
            .reciprocal, .squaredNorm, .isFinite, .select, .movingAverage, .replicaMean,
            .replicaMoments,
        ]
        return Dictionary(operations.map { ($0.name, $0) }) { first, _ in first }
    }()
}
