import Execution
import Graph
import Tensors

/// Compiles nothing, and says how much memory a run would need: a share for each image, and one for the weights'
/// update.
struct SizedBackend: Backend {
    static let bytesPerImage = 10_000_000
    static let bytesPerUpdate = 1000

    var name: String { "sized" }
    var deviceDescription: String { "nothing" }

    func compile(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledStep {
        throw ExecutionError(.unsupported, "sized: there is nothing to run on")
    }

    func compileUpdate(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledUpdate {
        SizedUpdate(graph: graph)
    }
}

private struct SizedUpdate: CompiledUpdate {
    let graph: Graph

    var inputTypes: [TensorType] { graph.wholeInputTypes }

    var outputTypes: [TensorType] { graph.wholeOutputTypes }

    var stateTypes: [String: TensorType] {
        Dictionary(uniqueKeysWithValues: graph.states.map { ($0.name, $0.type) })
    }

    var workspaceByteCount: Int {
        let image = graph.inputs.first { $0.name == "image" }
        return image.map { $0.type.shape[0] * SizedBackend.bytesPerImage }
            ?? SizedBackend.bytesPerUpdate
    }

    func makeState(_ tensors: Parameters) throws(ExecutionError) -> DeviceState {
        throw ExecutionError(.unsupported, "sized: there is nothing to run on")
    }

    func run(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [HostTensor] {
        throw ExecutionError(.unsupported, "sized: there is nothing to run on")
    }
}
