import Graph
import Tensors

/// How far a result may be from the float64 one.
///
/// Two causes add up. Each node rounds its result to its element type: a relative error of half a unit in the
/// last place, `2^-9` for bfloat16 and `2^-24` for float32, and later nodes may double it. And sums of `K` terms
/// are accumulated in float32: their roundings, at most `2^-24` of the running sum, wander like a random walk of
/// `K` steps. Typical roundings and sums are a few times smaller than the largest, so `sqrt(K) * 2^-24` of the
/// largest result covers any order of summation. For a convolution and its input's gradient `K` is the products of
/// one filter, a few thousand; for a filter's gradient it is the images times the positions of the window.
///
/// What a back end rounds beside that adds a third; see `ExtraRounding`.
struct Tolerance {
    let relative: Double
    let absolute: Double

    /// For all results of a graph of inference.
    init(
        _ graph: Graph, computedIn elementType: ElementType, rounding: ExtraRounding = .none
    ) {
        let unit = elementType.roundingUnit
        let nodeCount = graph.nodes.count { !$0.operation.isLeaf }
        // One node rounds once. In a chain, errors of earlier nodes are of the size of the largest values.
        relative = 2 * unit
        let steps = graph.nodes.reduce(0) { $0 + arithmeticSteps($1.operation) }
        absolute =
            Double(longestSum(graph)).squareRoot() * 0x1p-24 * Double(nodeCount)
            + Double(steps) * 0x1p-24
            + (nodeCount > 1 ? 2 * unit * Double(nodeCount - 1) : 0)
            + rounding.convolutionUnits * unit
    }

    /// For one result: of the nodes that it is made of, each adds what its type and its sums cost.
    ///
    /// A filter gradient of bfloat16 operands is float32, and is held to that: no operand was rounded on the way.
    ///
    /// - Parameters:
    ///   - factor: how many times larger errors may be; see `Comparison`.
    ///   - rounding: what is rounded beside results.
    ///   - elementType: what the graph computes in.
    init(
        of result: Value, in graph: Graph, factor: Double = 1, rounding: ExtraRounding = .none,
        computedIn elementType: ElementType = .float32
    ) {
        let type = graph[result].type.elementType
        guard type.isFloatingPoint else {
            // Indices and labels are exact.
            (relative, absolute) = (0, 0)
            return
        }
        var sources: Set<Int> = []
        var pending = [result.index]
        while let index = pending.popLast() {
            if graph.nodes[index].operation.isLeaf || !sources.insert(index).inserted { continue }
            pending += graph.nodes[index].operands.map(\.index)
        }
        var errors = 0.0
        for index in sources {
            let node = graph.nodes[index]
            errors += rounding.growth(of: node, in: graph) * 0x1p-24
            errors += Double(arithmeticSteps(node.operation)) * 0x1p-24
            if index != result.index, !isExactCast(node, graph) {
                errors += 2 * node.type.elementType.roundingUnit
            }
            switch node.operation {
            case .convolution, .convolutionInputGradient:
                errors += rounding.convolutionUnits * elementType.roundingUnit
            case .convolutionFilterGradient:
                errors += rounding.filterGradientUnits * elementType.roundingUnit
            default: break
            }
        }
        relative = 2 * type.roundingUnit * factor
        absolute = errors * factor
    }
}

/// What a back end rounds to the element type beside the results of nodes.
enum ExtraRounding: Sendable {
    /// Nothing.
    case none
    /// Winograd's transformed operands. Each is a sum of up to four inputs or nine filter elements, and results are
    /// sums of up to nine products of them. Half a unit of each operand, over sums whose terms are up to twice the
    /// direct ones', stays within `4` units of the largest result.
    case transformedOperands
    /// The sum of each convolution, before bias and residual, and of each filter gradient: half a unit of the sum,
    /// which may be up to twice the result. Matrix units of GPUs give results of the operands' type. And sums of batch
    /// moments are running sums of shifted data; see `growth(of:in:)`.
    case convolutionSums

    /// Units of the largest result that a convolution or its input's gradient may be further off.
    var convolutionUnits: Double {
        switch self {
        case .none: 0
        case .transformedOperands: 4
        case .convolutionSums: 1
        }
    }

    /// How the error of a node's sums of `K` terms grows: as the root, where roundings wander.
    ///
    /// In a running sum of data of few bits they do not: all terms end in the bits of what they were shifted by, and
    /// each addition rounds the same way. So XLA's moments of narrow data are held to `K` instead. A plain running sum
    /// in float32 of 900 such numbers has the same error, a thousand times that of the root.
    func growth(of node: Node, in graph: Graph) -> Double {
        let length = Double(sumLength(node, graph))
        guard self == .convolutionSums, node.operation == .batchMoments,
            graph[node.operands[0]].type.elementType.roundingUnit > 0x1p-24
        else { return length.squareRoot() }
        return length
    }

    /// Units of the largest result that a filter gradient may be further off.
    var filterGradientUnits: Double { self == .convolutionSums ? 1 : 0 }
}

extension ElementType {
    /// The largest relative error of rounding to this type as the tests count it, at least that of float32 sums.
    var roundingUnit: Double {
        switch self {
        case .bfloat16: 0x1p-9
        case .float16: 0x1p-12
        default: 0x1p-24
        }
    }
}

/// The number of terms in the longest sum of a graph.
func longestSum(_ graph: Graph) -> Int {
    graph.nodes.reduce(1) { max($0, sumLength($1, graph)) }
}

/// Whether a node is a cast of a state that keeps its first numbers, which are exact in narrow types.
private func isExactCast(_ node: Node, _ graph: Graph) -> Bool {
    guard case .cast = node.operation, case .state(let name) = graph[node.operands[0]].operation
    else { return false }
    return !graph.updates.contains { $0.name == name }
}

/// How many results of its own arithmetic a node rounds to float32 on the way to an element.
///
/// They may be larger than the element.
private func arithmeticSteps(_ operation: Operation) -> Int {
    switch operation {
    case .batchNormalization, .normalizeBatch, .normalizeBatchGradient, .velocityUpdate,
        .weightUpdate, .trustRatio, .replicaMoments:
        4
    case .batchNormalizationGradient, .movingAverage, .clipFactor, .normalizeImage, .replicaMean:
        2
    default: 0
    }
}

/// The number of terms in each sum that a node makes.
private func sumLength(_ node: Node, _ graph: Graph) -> Int {
    func shape(_ operand: Int) -> Shape { graph[node.operands[operand]].type.shape }
    /// Elements that share a channel.
    func channelLength(_ shape: Shape) -> Int { shape.elementCount / shape[1] }
    switch node.operation {
    case .convolution: return shape(1).elementCount / shape(1)[0]
    case .dense: return shape(1)[1]
    case .globalAveragePool: return shape(0)[2] * shape(0)[3]
    case .softmax: return node.type.shape[1]
    case .batchMoments, .channelSums, .normalizationSums, .normalizeBatchGradient:
        return channelLength(shape(0))
    case .convolutionInputGradient: return shape(1).elementCount / shape(1)[1]
    case .convolutionFilterGradient: return channelLength(shape(0))
    case .maxPoolGradient(let window, _): return window.size.height * window.size.width
    case .denseInputGradient: return shape(1)[0]
    case .denseWeightGradient: return shape(0)[0]
    case .crossEntropy, .crossEntropyGradient: return shape(0)[0] + shape(0)[1]
    case .squaredNorm:
        return node.operands.reduce(0) { $0 + graph[$1].type.shape.elementCount }
    case .replicaMean, .replicaMoments: return graph.replicaCount
    default: return 1
    }
}
