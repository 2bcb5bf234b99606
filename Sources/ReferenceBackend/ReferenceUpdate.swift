import Execution
import Graph
import Synchronization
import Tensors

/// A graph with state, ready to run.
struct ReferenceUpdate: CompiledUpdate {
    private let program: TypedProgram

    init(_ program: TypedProgram) { self.program = program }

    var inputTypes: [TensorType] { program.inputTypes }

    var outputTypes: [TensorType] { program.outputTypes }

    var stateTypes: [String: TensorType] {
        Dictionary(uniqueKeysWithValues: program.graph.states.map { ($0.name, $0.type) })
    }

    /// Every value of every replica in the type it is computed in, as if none were ever dropped.
    var workspaceByteCount: Int {
        program.graph.nodes.reduce(0) {
            $0 + $1.type.shape.elementCount * program.scalarByteCount * program.graph.replicaCount
        }
    }

    func makeState(_ tensors: Parameters) throws(ExecutionError) -> DeviceState {
        for state in program.graph.states {
            _ = try requireTensor(
                tensors[state.name], state.type, "state \(state.name)", isConvertible: false)
        }
        return DeviceState(storage: ReferenceStorage(tensors))
    }

    func run(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [HostTensor] {
        guard let storage = state.storage as? ReferenceStorage else {
            throw ExecutionError(
                .typeMismatch,
                "graph \(program.graph.name): expected state of the reference back end, "
                    + "found another back end's")
        }
        let result = try program.run(inputs, states: storage.all)
        storage.update(result.updates)
        return result.outputs
    }
}

/// State as tensors in the machine's memory; what differs among replicas is kept for each.
private final class ReferenceStorage: DeviceStorage {
    private let contents: Mutex<ReplicatedParameters>

    init(_ tensors: Parameters) {
        contents = Mutex(tensors.mapValues { Replicated.shared($0) })
    }

    var all: ReplicatedParameters { contents.withLock { $0 } }

    func tensors(named names: [String]?) throws(ExecutionError) -> Parameters {
        let all = all
        guard let names else { return all.mapValues { $0[0] } }
        var wanted: Parameters = [:]
        for name in names {
            guard let tensors = all[name] else {
                throw ExecutionError(
                    .missingParameter, "state \(name): there is none of this name")
            }
            wanted[name] = tensors[0]
        }
        return wanted
    }

    func update(_ tensors: ReplicatedParameters) {
        contents.withLock { $0.merge(tensors) { _, new in new } }
    }
}
