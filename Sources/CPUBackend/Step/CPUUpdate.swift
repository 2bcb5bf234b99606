import Execution
import Graph
import Native
import Tensors

/// A graph with state compiled for the processor.
struct CPUUpdate: CompiledUpdate {
    let inputTypes: [TensorType]
    let outputTypes: [TensorType]
    let stateTypes: [String: TensorType]
    let runner: StepRunner
    private let graph: Graph
    /// The states in the program's order.
    private let stateNames: [String]

    var workspaceByteCount: Int { runner.workspaceByteCount }

    init(graph: Graph, runner: StepRunner) {
        inputTypes = graph.inputs.map(\.type)
        outputTypes = graph.outputs.map { graph[$0.value].type }
        stateNames = graph.states.map(\.name)
        stateTypes = Dictionary(
            graph.states.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
        self.runner = runner
        self.graph = graph
    }

    func makeState(_ tensors: Parameters) throws(ExecutionError) -> DeviceState {
        for (name, type) in stateTypes.sorted(by: { $0.key < $1.key }) {
            _ = try requireTensor(tensors[name], type, "state \(name)")
        }
        return DeviceState(storage: try CPUState(tensors))
    }

    func run(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [HostTensor] {
        let (memories, storage, parts) = try prepare(inputs, state)
        let results: [Memory]
        do {
            results = try runner.run(memories, state: storage.state, parts: parts)
        } catch {
            throw ExecutionError(error)
        }
        var outputs: [HostTensor] = []
        for (memory, type) in zip(results, outputTypes) {
            do {
                outputs.append(
                    try HostTensor(
                        elementType: type.elementType, shape: type.shape, memory: memory))
            } catch {
                throw ExecutionError(.libraryFailure, error.message)
            }
        }
        return outputs
    }

    func profile(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [OperationTime] {
        let (memories, storage, parts) = try prepare(inputs, state)
        do {
            return try runner.profile(memories, state: storage.state, parts: parts).map {
                OperationTime(
                    kind: $0.kind, label: $0.label, seconds: $0.seconds,
                    multiplyAdds: $0.multiplyAdds, byteCount: $0.byteCount)
            }
        } catch {
            throw ExecutionError(error)
        }
    }

    /// Checks what a run is given.
    func prepare(
        _ inputs: [HostTensor], _ state: borrowing DeviceState
    ) throws(ExecutionError) -> (inputs: [Memory], state: CPUState, parts: [Int]) {
        guard let storage = state.storage as? CPUState else {
            throw ExecutionError(
                .unsupported, "run: expected state of the CPU back end, found another's")
        }
        var parts: [Int] = []
        for name in stateNames {
            guard let part = storage.part(name), storage.shapes[part] == stateTypes[name]?.shape
            else {
                throw ExecutionError(
                    .typeMismatch,
                    "run: expected a state \(name) of \(stateTypes[name]?.description ?? "?")")
            }
            parts.append(part)
        }
        return (try CPUStep.memories(inputs, of: graph), storage, parts)
    }
}

/// State in the order of elements that steps use: filters and dense weights as `[taps][I][O]`, all float32.
final class CPUState: DeviceStorage {
    let state: StepState
    let names: [String]
    let shapes: [Shape]
    private let parts: [String: Int]

    init(_ tensors: Parameters) throws(ExecutionError) {
        let names = tensors.keys.sorted()
        var shapes: [Shape] = []
        var memories: [Memory] = []
        for name in names {
            guard let tensor = tensors[name], tensor.elementType.isFloatingPoint else {
                throw ExecutionError(
                    .typeMismatch, "state \(name): expected floating-point numbers")
            }
            shapes.append(tensor.shape)
            memories.append(FilterLayout.memory(tensor))
        }
        do {
            state = try StepState(byteCounts: memories.map(\.byteCount))
        } catch {
            throw ExecutionError(error)
        }
        for (part, memory) in memories.enumerated() { state.write(memory, to: part) }
        self.names = names
        self.shapes = shapes
        parts = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    }

    /// Where a state is.
    func part(_ name: String) -> Int? { parts[name] }

    func tensors(named names: [String]?) throws(ExecutionError) -> Parameters {
        var tensors: Parameters = [:]
        for name in names ?? self.names {
            guard let part = parts[name] else {
                throw ExecutionError(.missingParameter, "state \(name): there is none")
            }
            do {
                tensors[name] = try FilterLayout.tensor(state.read(part), shape: shapes[part])
            } catch {
                throw ExecutionError(.libraryFailure, "state \(name): \(error.message)")
            }
        }
        return tensors
    }
}
