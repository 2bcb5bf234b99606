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
    /// Held during a run, so that there is one at a time.
    private let running = Mutex(())

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
        do {
            try graph.verify()
        } catch {
            throw ExecutionError(.unsupported, "graph \(graph.name): \(error.message)")
        }
        self.graph = graph
        client = backend.client
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
                let tensor = try fitting(parameters[name], argument.type, "parameter \(name)")
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

    /// Runs once.
    ///
    /// - Parameters:
    ///   - inputs: whole tensors, for all replicas together.
    ///   - states: a state's buffer on a device.
    ///   - keep: takes the new buffers of states, a list a device.
    /// - Returns: whole tensors, in the order of the graph's outputs.
    func run(
        _ inputs: [HostTensor], states: (String, Int) throws(ExecutionError) -> PJRTBuffer,
        keep: (String, [PJRTBuffer]) -> Void
    ) throws(ExecutionError) -> [HostTensor] {
        let types = graph.wholeInputTypes
        guard inputs.count == types.count else {
            throw ExecutionError(
                .typeMismatch, "run: expected \(types.count) inputs, found \(inputs.count)")
        }
        for (index, (input, type)) in zip(inputs, types).enumerated()
        where input.elementType != type.elementType || input.shape != type.shape {
            throw ExecutionError(
                .typeMismatch,
                "run: input \(index): expected \(type), found "
                    + "\(input.elementType.rawValue)\(input.shape)")
        }
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
        var outputs: [HostTensor] = []
        for (place, result) in program.results.enumerated() {
            switch result.target {
            case .state(let name): keep(name, results.map { $0[place] })
            case .output:
                let shares = result.type.shape.rank == 0 ? 1 : replicaCount
                var parts: [HostTensor] = []
                for device in 0..<shares {
                    parts.append(
                        try download(
                            results[device][place], result.type,
                            channelsLast: result.isChannelsLast))
                }
                outputs.append(parts.count == 1 ? parts[0] : HostTensor(concatenating: parts))
            }
        }
        return outputs
    }

    /// Calls `body` while no other run of this program goes on.
    func exclusively<Result>(
        _ body: () throws(ExecutionError) -> Result
    ) throws(ExecutionError) -> Result where Result: Sendable {
        let outcome = running.withLock { _ -> Swift.Result<Result, ExecutionError> in
            do throws(ExecutionError) { return .success(try body()) } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
