import Execution
import Graph
import Tensors

/// A program in the type that it computes in.
///
/// Its cases name the types, so that the compiler makes code for each of them: called through a protocol, generic
/// operations take many times as long.
enum TypedProgram: Sendable {
    case float32(ReferenceProgram<Float>)
    case float64(ReferenceProgram<Double>)

    /// Prepares a graph, in float64 where it has a value of that type.
    init(_ graph: Graph, _ parameters: Parameters) throws(ExecutionError) {
        if graph.nodes.contains(where: { $0.type.elementType == .float64 }) {
            self = .float64(try ReferenceProgram(graph, parameters))
        } else {
            self = .float32(try ReferenceProgram(graph, parameters))
        }
    }

    var graph: Graph {
        switch self {
        case .float32(let program): program.graph
        case .float64(let program): program.graph
        }
    }

    /// Bytes a number takes.
    var scalarByteCount: Int {
        switch self {
        case .float32: 4
        case .float64: 8
        }
    }

    var inputTypes: [TensorType] { graph.wholeInputTypes }

    var outputTypes: [TensorType] { graph.wholeOutputTypes }

    /// Runs all nodes; see `ReferenceProgram.run(_:states:)`.
    func run(
        _ inputs: [HostTensor], states: ReplicatedParameters
    ) throws(ExecutionError) -> (outputs: [HostTensor], updates: ReplicatedParameters) {
        switch self {
        case .float32(let program): try program.run(inputs, states: states)
        case .float64(let program): try program.run(inputs, states: states)
        }
    }
}
