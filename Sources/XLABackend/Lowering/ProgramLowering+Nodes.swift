import Execution
import Graph
import Tensors

extension ProgramLowering {
    /// Writes a node whose result is one tensor.
    mutating func lower(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        switch node.operation {
        case .convolution(let attributes): return try convolution(attributes, node)
        case .batchNormalization(let epsilon):
            return try batchNormalization(epsilon: epsilon, node)
        case .relu:
            let x = try stored(node.operands[0])
            return try hlo.maximum(x, number(0, like: x))
        case .add:
            return try narrowed(
                hlo.add(wide(node.operands[0]), wide(node.operands[1])), node)
        case .maxPool(let window): return try maxPool(window, stored(node.operands[0]))
        case .globalAveragePool: return try globalAveragePool(node)
        case .dense: return try dense(node)
        case .softmax: return try softmax(wide(node.operands[0]))
        case .normalizeImage(let mean, let deviation, _):
            return try normalizeImage(node, mean: mean, deviation: deviation)
        case .cast(let elementType):
            return hlo.convert(try stored(node.operands[0]), to: elementType)
        case .constant(let number, let elementType): return hlo.constant(number, elementType)

        case .normalizeBatch(let epsilon): return try normalizeBatch(epsilon: epsilon, node)
        case .normalizeBatchGradient(let epsilon):
            return try normalizeBatchGradient(epsilon: epsilon, node)
        case .batchNormalizationGradient(let epsilon):
            return try batchNormalizationGradient(epsilon: epsilon, node)
        case .reluGradient: return try reluGradient(node)
        case .convolutionInputGradient(let attributes, _):
            return try convolutionInputGradient(attributes, node)
        case .convolutionFilterGradient(let attributes, _):
            return try convolutionFilterGradient(attributes, node)
        case .maxPoolIndices(let window): return try maxPoolIndices(window, node)
        case .maxPoolGradient(let window, _): return try maxPoolGradient(window, node)
        case .globalAveragePoolGradient: return try globalAveragePoolGradient(node)
        case .denseInputGradient: return try denseInputGradient(node)
        case .denseWeightGradient: return try denseWeightGradient(node)
        case .channelSums: return try channelSums(node)
        case .crossEntropy(let loss): return try crossEntropy(loss, node)
        case .crossEntropyGradient(let loss): return try crossEntropyGradient(loss, node)
        case .correctCount(let top): return try correctCount(top: top, node)
        case .replicaMean: return try replicaMean(node)
        case .multiply, .reciprocal, .squaredNorm, .isFinite, .select, .movingAverage, .clipFactor,
            .trustRatio, .velocityUpdate, .weightUpdate:
            return try lowerOnState(node)
        case .input, .parameter, .state, .row, .stack, .batchMoments, .normalizationSums,
            .replicaMoments, .lossScaleUpdate:
            throw ExecutionError(
                .libraryFailure, "\(node.operation.name): expected one that gives one tensor")
        }
    }

    /// Writes a node of an optimizer.
    private mutating func lowerOnState(_ node: Node) throws(ExecutionError) -> StableHLOValue {
        switch node.operation {
        case .multiply: return try multiply(node)
        case .reciprocal:
            let x = try wide(node.operands[0])
            return try narrowed(hlo.divide(number(1, like: x), x), node)
        case .squaredNorm: return try squaredNorm(node)
        case .isFinite: return try isFinite(node)
        case .select: return try select(node)
        case .movingAverage: return try movingAverage(node)
        case .clipFactor(let maximum): return try clipFactor(maximum: maximum, node)
        case .trustRatio(let coefficient, let weightDecay, let epsilon):
            return try trustRatio(
                coefficient: coefficient, weightDecay: weightDecay, epsilon: epsilon, node)
        case .velocityUpdate(let rule): return try velocityUpdate(rule, node)
        case .weightUpdate(let rule): return try weightUpdate(rule, node)
        default:
            throw ExecutionError(
                .libraryFailure, "\(node.operation.name): expected one of an optimizer")
        }
    }

    /// What was computed in the type of sums, rounded to a node's type.
    mutating func narrowed(_ value: StableHLOValue, _ node: Node) -> StableHLOValue {
        hlo.convert(value, to: node.type.elementType)
    }
}
