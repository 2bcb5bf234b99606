import Execution
import Graph
import Tensors

/// What the numbers of an input, a parameter or a state are like.
enum Numbers: Sendable {
    /// Uniform in a range.
    case uniform(Range<Double>)
    /// Multiples of a quarter from -1 to 1, so that many are equal.
    case quarters
    /// int32, each a class.
    case labels(classes: Int)
    /// Rows of positive numbers that sum to 1.
    case distributions
    /// Two rows: means, then variances.
    case moments
    /// uint8 below a number.
    case bytes(below: Int)
    /// Normal with a large mean and a deviation of 1.
    case normal(mean: Double)
    /// These.
    case these([Double])

    /// A tensor, exact in the type.
    ///
    /// Tensors are float32 where the type is float64, so that both sides of a comparison compute on the same
    /// numbers.
    func tensor(_ type: TensorType, _ random: inout RandomGenerator) throws -> HostTensor {
        let count = type.shape.elementCount
        let values = values(type.shape, &random)
        switch type.elementType {
        case .uint8: return HostTensor(values.map { UInt8($0) }, shape: type.shape)
        case .int32: return HostTensor(values.map { Int32($0) }, shape: type.shape)
        default: break
        }
        precondition(values.count == count)
        let narrow = type.elementType == .float64 ? .float32 : type.elementType
        return try HostTensor(values.map { Float($0) }, shape: type.shape).converted(to: narrow)
    }

    private func values(_ shape: Shape, _ random: inout RandomGenerator) -> [Double] {
        let places = 0..<shape.elementCount
        switch self {
        case .uniform(let range): return places.map { _ in random.nextUniform(in: range) }
        case .quarters:
            return places.map { _ in Double(Int.random(in: -4...4, using: &random)) / 4 }
        case .labels(let classes):
            return places.map { _ in Double(Int.random(in: 0..<classes, using: &random)) }
        case .distributions:
            let row = shape[shape.rank - 1]
            let raw = places.map { _ in random.nextUniform(in: 0.01..<1) }
            return places.map { place in
                let start = place / row * row
                return raw[place] / raw[start..<start + row].reduce(0, +)
            }
        case .moments:
            return places.map { random.nextUniform(in: $0 < shape[1] ? -1..<1 : 0.5..<1.5) }
        case .bytes(let bound):
            return places.map { _ in Double(Int.random(in: 0..<bound, using: &random)) }
        case .normal(let mean): return places.map { _ in mean + random.nextNormal() }
        case .these(let values): return values
        }
    }
}

/// Numbers for a graph's inputs, of all its replicas: as stated, else any byte for uint8, else between -1 and 1,
/// exact in the type.
func randomInputs(
    _ graph: Graph, _ numbers: [String: Numbers] = [:], seed: UInt64
) throws -> [HostTensor] {
    try zip(graph.inputs, graph.wholeInputTypes).enumerated().map { index, input in
        let (name, type) = (input.0.name, input.1)
        var random = RandomGenerator(seed: seed, stream: UInt64(index))
        let bytes = type.elementType == .uint8
        let stated = numbers[name] ?? (bytes ? .bytes(below: 256) : .uniform(-1..<1))
        return try stated.tensor(type, &random)
    }
}

/// Numbers for a graph's parameters, as stated, else by the first word of their names.
func randomParameters(
    _ graph: Graph, _ numbers: [String: Numbers] = [:], seed: UInt64
) throws -> Parameters {
    try randomTensors(
        graph.parameters.map { ($0.name, $0.type) }, numbers, seed: seed, firstStream: 1000)
}

/// Numbers for a graph's states, as for parameters, of the states' types and exact in `elementType` too: casts to
/// it lose nothing.
func randomStates(
    _ graph: Graph, _ numbers: [String: Numbers] = [:], exactIn elementType: ElementType,
    seed: UInt64
) throws -> Parameters {
    let narrow = try randomTensors(
        graph.states.map { ($0.name, TensorType(elementType, $0.type.shape)) }, numbers,
        seed: seed, firstStream: 2000)
    var tensors: Parameters = [:]
    for state in graph.states {
        tensors[state.name] = try narrow[state.name]?.converted(to: state.type.elementType)
    }
    return tensors
}

/// Filters and weights are scaled so that sums are about as large as what is summed.
private func randomTensors(
    _ leaves: [(name: String, type: TensorType)], _ numbers: [String: Numbers], seed: UInt64,
    firstStream: UInt64
) throws -> Parameters {
    var tensors: Parameters = [:]
    for (index, leaf) in leaves.enumerated() {
        var random = RandomGenerator(seed: seed, stream: firstStream + UInt64(index))
        let shape = leaf.type.shape
        let range: Range<Double>
        switch leaf.name.prefix(while: { $0 != "." }) {
        case "filter", "weight":
            let fanIn = shape.elementCount / shape[0]
            let bound = (3 / Double(fanIn)).squareRoot()
            range = -bound..<bound
        case "variance": range = 0.5..<1.5
        case "negative": range = -1 / Double(shape[1])..<1 / Double(shape[1])
        case "below": range = -3 ..< -2
        default: range = -1..<1
        }
        tensors[leaf.name] = try (numbers[leaf.name] ?? .uniform(range)).tensor(leaf.type, &random)
    }
    return tensors
}
