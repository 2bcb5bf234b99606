import Execution
import Graph
import Tensors

/// A graph and its parameters, interpreted node by node.
struct ReferenceProgram<Scalar: ReferenceScalar>: Sendable {
    let graph: Graph
    /// The parameters' numbers, by node.
    private let parameters: [Int: [Scalar]]
    /// The place of the last node that reads each value.
    private let lastReaders: [Int]

    init(_ graph: Graph, _ parameters: Parameters) throws(ExecutionError) {
        self.graph = graph
        var numbers: [Int: [Scalar]] = [:]
        for parameter in graph.parameters {
            guard let tensor = parameters[parameter.name] else {
                throw ExecutionError(
                    .missingParameter,
                    "\(parameter.name): expected a tensor \(parameter.type), found none")
            }
            let type = parameter.type
            let fits =
                tensor.elementType == type.elementType
                || (tensor.elementType.isFloatingPoint && type.elementType.isFloatingPoint)
            guard fits, tensor.shape == type.shape else {
                throw ExecutionError(
                    .typeMismatch,
                    "\(parameter.name): expected a tensor \(type), "
                        + "found \(TensorType(tensor.elementType, tensor.shape))")
            }
            numbers[parameter.value.index] = Self.rounded(
                Scalar.values(of: tensor), to: type.elementType)
        }
        self.parameters = numbers

        var lastReaders = [Int](repeating: -1, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for operand in node.operands { lastReaders[operand.index] = index }
        }
        for kept in graph.outputs + graph.updates {
            lastReaders[kept.value.index] = graph.nodes.count
        }
        self.lastReaders = lastReaders
    }

    /// Runs all nodes.
    ///
    /// - Parameters:
    ///   - inputs: one tensor an input, in the graph's order and of its type.
    ///   - states: a tensor for each of the graph's states, of its type.
    /// - Returns: the outputs, and the new value of each state that is updated.
    func run(
        _ inputs: [HostTensor], states: Parameters
    ) throws(ExecutionError) -> (outputs: [HostTensor], updates: Parameters) {
        let given = try givenTensors(inputs, states)
        var values = [[Scalar]](repeating: [], count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            switch node.operation {
            case .input, .state:
                if let tensor = given[index] { values[index] = Scalar.values(of: tensor) }
            case .parameter: values[index] = parameters[index] ?? []
            default:
                let operands = node.operands.map { operand in
                    Operand(values: values[operand.index], shape: graph[operand].type.shape)
                }
                values[index] = Self.rounded(
                    evaluate(node, operands), to: node.type.elementType)
            }
            for operand in node.operands where lastReaders[operand.index] == index {
                values[operand.index] = []
            }
        }

        func tensor(_ kept: GraphOutput, _ kind: String) throws(ExecutionError) -> HostTensor {
            if let tensor = given[kept.value.index] { return tensor }
            do {
                return try Scalar.tensor(values[kept.value.index], graph[kept.value].type)
            } catch {
                throw ExecutionError(.unsupported, "\(kind) \(kept.name): \(error.message)")
            }
        }
        var outputs: [HostTensor] = []
        for output in graph.outputs { outputs.append(try tensor(output, "output")) }
        var updates: Parameters = [:]
        for update in graph.updates { updates[update.name] = try tensor(update, "update") }
        return (outputs, updates)
    }

    /// What the caller gives, by node.
    private func givenTensors(
        _ inputs: [HostTensor], _ states: Parameters
    ) throws(ExecutionError) -> [Int: HostTensor] {
        let expected = graph.inputs
        guard inputs.count == expected.count else {
            throw ExecutionError(
                .typeMismatch,
                "graph \(graph.name): expected \(expected.count) inputs, found \(inputs.count)")
        }
        var given: [Int: HostTensor] = [:]
        for (input, tensor) in zip(expected, inputs) {
            let found = TensorType(tensor.elementType, tensor.shape)
            guard found == input.type else {
                throw ExecutionError(
                    .typeMismatch, "input \(input.name): expected \(input.type), found \(found)")
            }
            given[input.value.index] = tensor
        }
        for state in graph.states {
            given[state.value.index] = try fittingState(states, state.name, state.type)
        }
        return given
    }

    private static func rounded(_ values: [Scalar], to elementType: ElementType) -> [Scalar] {
        let isExact =
            !elementType.isFloatingPoint || elementType == .float64
            || (elementType == .float32 && Scalar.self == Float.self)
        return isExact ? values : values.map { $0.rounded(to: elementType) }
    }
}

/// The tensor of a state, of exactly the type that a graph states.
///
/// - Throws: `ExecutionError` with code `.missingParameter` or `.typeMismatch`.
func fittingState(
    _ states: Parameters, _ name: String, _ type: TensorType
) throws(ExecutionError) -> HostTensor {
    guard let tensor = states[name] else {
        throw ExecutionError(
            .missingParameter, "state \(name): expected a tensor \(type), found none")
    }
    let found = TensorType(tensor.elementType, tensor.shape)
    guard found == type else {
        throw ExecutionError(
            .typeMismatch, "state \(name): expected a tensor \(type), found \(found)")
    }
    return tensor
}

/// What an operation reads.
struct Operand<Scalar: ReferenceScalar> {
    /// The numbers in row-major order.
    let values: [Scalar]
    let shape: Shape
}
