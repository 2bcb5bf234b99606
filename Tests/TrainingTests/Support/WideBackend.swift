import Execution
import Graph
import ReferenceBackend
import Tensors

/// The reference in float64, whatever a graph says it computes in; inputs and outputs keep their types.
struct WideBackend: Backend {
    /// Makes another graph of each that is compiled, to plant a mistake.
    var change: @Sendable (Graph) -> Graph = { $0 }

    var name: String { "wide" }
    var deviceDescription: String { "reference in float64" }

    func compile(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledStep {
        try ReferenceBackend().compile(wide(graph), parameters: parameters)
    }

    func compileUpdate(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledUpdate {
        WideUpdate(
            update: try ReferenceBackend().compileUpdate(wide(graph), parameters: parameters))
    }

    private func wide(_ graph: Graph) throws(ExecutionError) -> Graph {
        do {
            return try convert(change(graph), to: .float64)
        } catch {
            throw ExecutionError(.unsupported, error.message)
        }
    }
}

/// Takes state of any floating-point type.
private struct WideUpdate: CompiledUpdate {
    let update: any CompiledUpdate

    var inputTypes: [TensorType] { update.inputTypes }
    var outputTypes: [TensorType] { update.outputTypes }
    var stateTypes: [String: TensorType] { update.stateTypes }
    var workspaceByteCount: Int { update.workspaceByteCount }

    func makeState(_ tensors: Parameters) throws(ExecutionError) -> DeviceState {
        var wide: Parameters = [:]
        for (name, tensor) in tensors {
            do {
                // What only norms are taken of keeps its type when a graph is converted.
                let type = update.stateTypes[name]?.elementType ?? .float64
                wide[name] = try tensor.converted(to: type)
            } catch {
                throw ExecutionError(.typeMismatch, "state \(name): \(error.message)")
            }
        }
        return try update.makeState(wide)
    }

    func run(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [HostTensor] {
        try update.run(inputs, state: &state)
    }
}
