import Graph
import Tensors

extension ReferenceProgram {
    /// What a node gives, before it is rounded.
    func evaluate(_ node: Node, _ operands: [Operand<Scalar>]) -> [Scalar] {
        if case .constant(let value, _) = node.operation { return [Scalar(value)] }
        let x = operands[0]
        let shape = node.type.shape
        switch node.operation {
        case .input, .parameter, .state, .constant:
            preconditionFailure("a value without operands is given")
        case .convolution(let attributes): return convolution(attributes, operands, shape)
        case .batchNormalization(let epsilon):
            return batchNormalization(epsilon: Scalar(epsilon), operands)
        // Not-a-number stays one.
        case .relu: return x.values.map { $0 < 0 ? 0 : $0 }
        case .add: return zip(x.values, operands[1].values).map { $0 + $1 }
        case .maxPool(let window): return maxPool(window, x, shape)
        case .globalAveragePool: return globalAveragePool(x)
        case .dense: return dense(x, weight: operands[1], bias: operands[2])
        case .softmax: return softmax(x)
        case .normalizeImage(let mean, let deviation, _):
            return normalizeImage(x, mean: mean, deviation: deviation)
        case .cast: return x.values

        case .batchMoments: return batchMoments(x)
        case .normalizeBatch(let epsilon):
            return normalizeBatch(epsilon: Scalar(epsilon), operands)
        case .normalizationSums(let epsilon):
            return normalizationSums(epsilon: Scalar(epsilon), operands)
        case .normalizeBatchGradient(let epsilon):
            return normalizeBatchGradient(epsilon: Scalar(epsilon), operands)
        case .batchNormalizationGradient(let epsilon):
            return batchNormalizationGradient(epsilon: Scalar(epsilon), operands)
        case .reluGradient: return reluGradient(x.values, operands[1].values)
        case .convolutionInputGradient(let attributes, _):
            return convolutionInputGradient(attributes, x, filter: operands[1], shape)
        case .convolutionFilterGradient(let attributes, _):
            return convolutionFilterGradient(attributes, x, operands[1], shape)
        case .maxPoolIndices(let window): return maxPoolIndices(window, x, shape)
        case .maxPoolGradient(let window, _):
            return maxPoolGradient(window, x, indices: operands[1], shape)
        case .globalAveragePoolGradient(let size):
            return globalAveragePoolGradient(x.values, plane: size.height * size.width)
        case .denseInputGradient: return denseInputGradient(x, weight: operands[1])
        case .denseWeightGradient: return denseWeightGradient(x, operands[1])
        case .channelSums: return channelSums(x)
        case .crossEntropy(let attributes):
            return [LossOperands(attributes, operands).loss()]
        case .crossEntropyGradient(let attributes):
            let loss = LossOperands(attributes, operands)
            return loss.gradient(times: operands[operands.count - 1].values[0])
        case .correctCount(let top): return [correctCount(top: top, x, labels: operands[1])]
        case .row, .stack, .multiply, .reciprocal, .squaredNorm, .isFinite, .select,
            .movingAverage, .clipFactor, .trustRatio, .velocityUpdate, .weightUpdate,
            .lossScaleUpdate:
            return evaluateOnState(node, operands)
        case .replicaMean, .replicaMoments:
            preconditionFailure("what replicas do together is not evaluated on one of them")
        }
    }

    /// What a node of an optimizer gives, before it is rounded.
    private func evaluateOnState(_ node: Node, _ operands: [Operand<Scalar>]) -> [Scalar] {
        let x = operands[0]
        switch node.operation {
        case .row(let index):
            let length = node.type.shape.elementCount
            return Array(x.values[index * length..<(index + 1) * length])
        case .stack: return operands.flatMap(\.values)
        case .multiply: return multiply(x, operands[1])
        case .reciprocal: return x.values.map { 1 / $0 }
        case .squaredNorm: return [squaredNorm(operands)]
        case .isFinite:
            return [operands.allSatisfy { $0.values.allSatisfy(\.isFinite) } ? 1 : 0]
        case .select: return x.values[0] != 0 ? operands[1].values : operands[2].values
        case .movingAverage:
            let share = operands[2].values[0]
            return zip(x.values, operands[1].values).map { $0 + share * ($1 - $0) }
        case .clipFactor(let maximum):
            return [clipFactor(maximum: Scalar(maximum), squaredNorm: x.values[0])]
        case .trustRatio(let coefficient, let weightDecay, let epsilon):
            return [
                trustRatio(
                    coefficient: Scalar(coefficient), weightDecay: Scalar(weightDecay),
                    epsilon: Scalar(epsilon), squaredWeight: x.values[0],
                    squaredGradient: operands[1].values[0])
            ]
        case .velocityUpdate(let rule): return velocityUpdate(rule, operands)
        case .weightUpdate(let rule): return weightUpdate(rule, operands)
        case .lossScaleUpdate(let rule):
            return lossScaleUpdate(rule, x.values, isFinite: operands[1].values[0] != 0)
        default: preconditionFailure("\(node.operation.name) is not an optimizer's operation")
        }
    }
}
