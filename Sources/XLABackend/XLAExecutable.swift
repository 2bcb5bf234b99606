import Execution
import Graph
import Native
import Synchronization
import Tensors

/// A graph compiled by XLA, with its parameters on the devices.
final class XLAExecutable: Sendable {
    let graph: Graph
    let program: XLAProgram
    let executable: PJRTExecutable
    let client: PJRTClient
    /// One list a device, in the order of the program's arguments; `nil` for what a run gives.
    private let parameters: [[PJRTBuffer?]]
    private let order: RunOrder

    init(
        _ graph: Graph, _ parameters: Parameters, on backend: XLABackend
    ) throws(ExecutionError) {
        let replicas = graph.replicaCount
        guard replicas <= backend.deviceCount else {
            throw ExecutionError(
                .unsupported,
                "graph \(graph.name): expected at most \(backend.deviceCount) replicas, one a device, "
                    + "found \(replicas)")
        }
        try graph.requireVerified()
        self.graph = graph
        client = backend.client
        order = backend.order
        program = try XLAProgram(graph, replicas: replicas)
        var options = PJRTCompileOptions(replicas: replicas)
        options.flags = backend.flags
        do {
            executable = try CompilationCache(backend.options.cacheFolder)
                .executable(program.text, options, client)
        } catch {
            throw ExecutionError(error)
        }
        var buffers: [[PJRTBuffer?]] = []
        for device in 0..<replicas {
            var list: [PJRTBuffer?] = []
            for argument in program.arguments {
                guard case .parameter(let name) = argument.source else {
                    list.append(nil)
                    continue
                }
                let tensor = try fittingTensor(
                    parameters[name], argument.type, "parameter \(name)")
                list.append(
                    try upload(
                        tensor, channelsLast: argument.isChannelsLast, to: device, of: client))
            }
            buffers.append(list)
        }
        self.parameters = buffers
    }

    /// How many devices take part.
    var replicaCount: Int { parameters.count }

    var stateTypes: [String: TensorType] {
        Dictionary(
            graph.states.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    }

    /// Bytes of the program's own, or 0 where the plugin does not tell.
    var temporaryByteCount: Int { (try? executable.memory().temporary) ?? 0 }

    /// Starts a run; it goes on while the caller does other things.
    ///
    /// - Parameters:
    ///   - inputs: whole tensors, for all replicas together.
    ///   - states: a state's buffer on a device.
    ///   - keep: takes the new buffers of states, a list a device.
    /// - Returns: whole tensors, in the order of the graph's outputs.
    func start(
        _ inputs: [HostTensor], states: (String, Int) throws(ExecutionError) -> PJRTBuffer,
        keep: (String, [PJRTBuffer]) -> Void
    ) throws(ExecutionError) -> PendingOutputs {
        try graph.requireInputs(inputs)
        var arguments: [[PJRTBuffer]] = []
        for device in 0..<replicaCount {
            var list: [PJRTBuffer] = []
            for (place, argument) in program.arguments.enumerated() {
                switch argument.source {
                case .parameter:
                    guard let buffer = parameters[device][place] else { continue }
                    list.append(buffer)
                case .state(let name): list.append(try states(name, device))
                case .input(let index):
                    let share = inputs[index].share(device, of: replicaCount)
                    list.append(
                        try upload(
                            share, channelsLast: argument.isChannelsLast, to: device, of: client))
                }
            }
            arguments.append(list)
        }
        let results: [[PJRTBuffer]]
        do {
            results = try executable.run(arguments)
        } catch {
            throw ExecutionError(error)
        }
        var outputs: [PendingOutput] = []
        for (place, result) in program.results.enumerated() {
            let buffers = results.map { $0[place] }
            switch result.target {
            case .state(let name): keep(name, buffers)
            case .output:
                let shares = result.type.shape.rank == 0 ? Array(buffers.prefix(1)) : buffers
                outputs.append(PendingOutput(result: result, shares: shares))
            }
        }
        let pending = outputs
        return PendingOutputs { () throws(ExecutionError) in
            var tensors: [HostTensor] = []
            for output in pending { tensors.append(try output.tensor()) }
            return tensors
        }
    }

    /// Calls `body` while no other run is being started.
    func exclusively<Result>(
        _ body: () throws(ExecutionError) -> Result
    ) throws(ExecutionError) -> Result where Result: Sendable {
        let outcome = order.lock.withLock { _ -> Swift.Result<Result, ExecutionError> in
            do throws(ExecutionError) { return .success(try body()) } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}

/// Lets the runs of a client be started one after another.
///
/// Programs that meet on several devices have to be started on all in one order, or they would wait for each other.
final class RunOrder: Sendable {
    let lock = Mutex(())
}

/// An output on the devices, perhaps not ready yet: a share on each, or one that is all.
private struct PendingOutput: Sendable {
    let result: XLAProgram.Result
    let shares: [PJRTBuffer]

    /// Waits for it.
    func tensor() throws(ExecutionError) -> HostTensor {
        var parts: [HostTensor] = []
        for share in shares {
            parts.append(
                try download(share, result.type, channelsLast: result.isChannelsLast))
        }
        return parts.count == 1 ? parts[0] : HostTensor(concatenating: parts)
    }
}
