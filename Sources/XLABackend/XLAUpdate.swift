import Execution
import Graph
import Native
import Synchronization
import Tensors

/// A graph with state, compiled by XLA.
struct XLAUpdate: CompiledUpdate {
    private let executable: XLAExecutable

    init(_ executable: XLAExecutable) { self.executable = executable }

    var inputTypes: [TensorType] { executable.graph.wholeInputTypes }

    var outputTypes: [TensorType] { executable.graph.wholeOutputTypes }

    var stateTypes: [String: TensorType] { executable.stateTypes }

    var workspaceByteCount: Int { executable.temporaryByteCount }

    func makeState(_ tensors: Parameters) throws(ExecutionError) -> DeviceState {
        let types = stateTypes
        for (name, type) in types.sorted(by: { $0.key < $1.key }) {
            _ = try requireTensor(tensors[name], type, "state \(name)")
        }
        let storage = XLAState(executable.client)
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            // What only other graphs read keeps the type it is given in.
            let tensor =
                try types[name].map { (type) throws(ExecutionError) in
                    try fittingTensor(tensor, type, "state \(name)")
                } ?? tensor
            try storage.add(name, tensor, replicas: executable.replicaCount)
        }
        return DeviceState(storage: storage)
    }

    func run(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [HostTensor] {
        try start(inputs, state: &state).wait()
    }

    func start(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> PendingOutputs {
        guard let storage = state.storage as? XLAState, storage.client === executable.client else {
            throw ExecutionError(
                .typeMismatch,
                "graph \(executable.graph.name): expected state of this XLA back end, "
                    + "found another back end's")
        }
        let types = stateTypes
        return try executable.exclusively { () throws(ExecutionError) in
            try executable.start(
                inputs,
                states: { (name, device) throws(ExecutionError) in
                    try storage.buffer(name, types[name], device)
                }, keep: { name, buffers in storage.replace(name, buffers) })
        }
    }
}

/// State on the devices: a copy on each.
final class XLAState: DeviceStorage {
    private struct Entry {
        let type: TensorType
        var buffers: [PJRTBuffer]
    }

    let client: PJRTClient
    private let entries = Mutex<[String: Entry]>([:])

    init(_ client: PJRTClient) { self.client = client }

    /// Brings a tensor to the first devices.
    func add(_ name: String, _ tensor: HostTensor, replicas: Int) throws(ExecutionError) {
        let type = TensorType(tensor.elementType, tensor.shape)
        var buffers: [PJRTBuffer] = []
        for device in 0..<replicas {
            buffers.append(
                try upload(tensor, channelsLast: type.shape.rank == 4, to: device, of: client))
        }
        let entry = Entry(type: type, buffers: buffers)
        entries.withLock { $0[name] = entry }
    }

    /// A state's present buffer on a device.
    func buffer(
        _ name: String, _ type: TensorType?, _ device: Int
    ) throws(ExecutionError) -> PJRTBuffer {
        let entry = entries.withLock { $0[name] }
        guard let entry, entry.type == type, device < entry.buffers.count else {
            throw ExecutionError(
                .typeMismatch,
                "run: expected a state \(name) of \(type?.description ?? "?") on \(device + 1) "
                    + "devices, found \(entry?.type.description ?? "none")"
                    + (entry.map { " on \($0.buffers.count)" } ?? ""))
        }
        return entry.buffers[device]
    }

    /// Takes what a run made of a state.
    func replace(_ name: String, _ buffers: [PJRTBuffer]) {
        entries.withLock { $0[name]?.buffers = buffers }
    }

    func tensors(named names: [String]?) throws(ExecutionError) -> Parameters {
        let all = entries.withLock { $0 }
        var tensors: Parameters = [:]
        for name in names ?? all.keys.sorted() {
            guard let entry = all[name], let buffer = entry.buffers.first else {
                throw ExecutionError(.missingParameter, "state \(name): there is none")
            }
            tensors[name] = try download(
                buffer, entry.type, channelsLast: entry.type.shape.rank == 4)
        }
        return tensors
    }
}
