import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

/// Runs a case on a back end and compares it with the float64 reference on the same numbers.
///
/// The step is run on two sets of inputs and then on the first again, so that anything left over from an earlier
/// run shows.
func checkConformance(
    _ conformanceCase: ConformanceCase, of backend: any Backend, in elementType: ElementType,
    transformed: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let graph = try conformanceCase.build(elementType)
    let oracleGraph = try conformanceCase.build(.float64)
    let parameters = try randomParameters(graph, seed: 1)
    let step = try backend.compile(graph, parameters: parameters)
    let oracle = try ReferenceBackend().compile(oracleGraph, parameters: parameters)
    #expect(step.inputTypes == graph.inputs.map(\.type), sourceLocation: sourceLocation)
    #expect(
        step.outputTypes == graph.outputs.map { graph[$0.value].type },
        sourceLocation: sourceLocation)

    var firstResults: [HostTensor] = []
    for seed in [2, 3] as [UInt64] {
        let inputs = try randomInputs(graph, seed: seed)
        let results = try step.run(inputs)
        let wideInputs = try zip(inputs, oracle.inputTypes).map { input, type in
            type.elementType.isFloatingPoint
                ? try input.converted(to: type.elementType) : input
        }
        let expected = try oracle.run(wideInputs)
        for index in results.indices {
            expectClose(
                results[index], expected[index],
                Tolerance(graph, computedIn: elementType, transformed: transformed),
                "\(backend.name), \(elementType.rawValue), seed \(seed)",
                sourceLocation: sourceLocation)
        }
        if seed == 2 { firstResults = results }
    }
    let again = try step.run(randomInputs(graph, seed: 2))
    for index in again.indices {
        // Compared beforehand, so that a failure does not print both tensors.
        let isSame = again[index].doubles() == firstResults[index].doubles()
        #expect(
            isSame, "\(backend.name): the same inputs gave another result",
            sourceLocation: sourceLocation)
    }
}

/// How far a result may be from the float64 one.
///
/// Two causes add up. Each node rounds its result to its element type: a relative error of half a unit in the
/// last place, `2^-9` for bfloat16 and `2^-24` for float32, and later nodes may double it. And sums of `K` terms
/// are accumulated in float32: their roundings, at most `2^-24` of the running sum, wander like a random walk of
/// `K` steps. Typical roundings and sums are a few times smaller than the largest, so `sqrt(K) * 2^-24` of the
/// largest result covers any order of summation.
///
/// Winograd's convolution adds a third: it rounds its transformed operands, each a sum of up to four inputs or
/// nine filter elements, to the element type, and its outputs are sums of up to nine products of them. Half a unit
/// of each operand, over sums whose terms are up to twice the direct ones', stays within `4` units of the
/// largest result.
struct Tolerance {
    let relative: Double
    let absolute: Double

    init(_ graph: Graph, computedIn elementType: ElementType, transformed: Bool = false) {
        let unit = elementType == .bfloat16 ? 0x1p-9 : 0x1p-24
        let nodeCount = graph.nodes.count { !$0.operation.isLeaf }
        // One node rounds once. In a chain, errors of earlier nodes are of the size of the largest values.
        relative = 2 * unit
        absolute =
            Double(longestSum(graph)).squareRoot() * 0x1p-24 * Double(nodeCount)
            + (nodeCount > 1 ? 2 * unit * Double(nodeCount - 1) : 0)
            + (transformed ? 4 * unit : 0)
    }
}

/// Compares a tensor with the expected one, element by element.
func expectClose(
    _ result: HostTensor, _ expected: HostTensor, _ tolerance: Tolerance, _ context: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(result.shape == expected.shape, sourceLocation: sourceLocation)
    let found = result.doubles()
    let wanted = expected.doubles()
    guard found.count == wanted.count else { return }
    let largest = wanted.reduce(0) { max($0, abs($1)) }
    var worst = (excess: 0.0, index: 0)
    for index in found.indices {
        let allowed = tolerance.relative * abs(wanted[index]) + tolerance.absolute * largest
        let excess = abs(found[index] - wanted[index]) - allowed
        // Written so that not-a-number counts as too far.
        if !(excess <= worst.excess) { worst = (excess, index) }
        if excess.isNaN { break }
    }
    #expect(
        worst.excess <= 0,
        """
        \(context): element \(worst.index) of \(result.shape): expected \(wanted[worst.index]), \
        found \(found[worst.index]); the largest is \(largest)
        """, sourceLocation: sourceLocation)
}

/// The number of terms in the longest sum of a graph.
func longestSum(_ graph: Graph) -> Int {
    graph.nodes.reduce(1) { longest, node in
        switch node.operation {
        case .convolution:
            let filter = graph[node.operands[1]].type.shape
            return max(longest, filter.elementCount / filter[0])
        case .dense: return max(longest, graph[node.operands[1]].type.shape[1])
        case .globalAveragePool:
            let x = graph[node.operands[0]].type.shape
            return max(longest, x[2] * x[3])
        case .softmax: return max(longest, node.type.shape[1])
        default: return longest
        }
    }
}

/// Numbers for a graph's inputs: any byte for uint8, else between -1 and 1, exact in the input's type.
func randomInputs(_ graph: Graph, seed: UInt64) throws -> [HostTensor] {
    try graph.inputs.enumerated().map { index, input in
        var random = RandomGenerator(seed: seed, stream: UInt64(index))
        if input.type.elementType == .uint8 {
            let bytes = (0..<input.type.shape.elementCount).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            return HostTensor(bytes, shape: input.type.shape)
        }
        return try randomTensor(input.type, in: -1..<1, &random)
    }
}

/// Numbers for a graph's parameters, by the first word of their names, exact in the parameter's type.
///
/// Filters and weights are scaled so that sums are about as large as what is summed. Tensors are float32 for
/// float64 parameters and exact in narrower types, so that both sides of a comparison compute on the same numbers.
func randomParameters(_ graph: Graph, seed: UInt64) throws -> Parameters {
    var tensors: Parameters = [:]
    for (index, parameter) in graph.parameters.enumerated() {
        var random = RandomGenerator(seed: seed, stream: 1000 + UInt64(index))
        let shape = parameter.type.shape
        let range: Range<Double>
        switch parameter.name.prefix(while: { $0 != "." }) {
        case "filter", "weight":
            let fanIn = shape.elementCount / shape[0]
            let bound = (3 / Double(fanIn)).squareRoot()
            range = -bound..<bound
        case "variance": range = 0.5..<1.5
        case "negative": range = -1 / Double(shape[1])..<1 / Double(shape[1])
        case "below": range = -3 ..< -2
        default: range = -1..<1
        }
        let type = TensorType(
            parameter.type.elementType == .float64 ? .float32 : parameter.type.elementType, shape)
        tensors[parameter.name] = try randomTensor(type, in: range, &random)
    }
    return tensors
}

private func randomTensor(
    _ type: TensorType, in range: Range<Double>, _ random: inout RandomGenerator
) throws -> HostTensor {
    let values = (0..<type.shape.elementCount).map { _ in Float(random.nextUniform(in: range)) }
    return try HostTensor(values, shape: type.shape).converted(to: type.elementType)
}
