public import Execution
public import Graph
public import Native
public import Tensors

/// Runs graphs on the processor, in float32 and bfloat16.
///
/// Convolutions run on kernels of the project's own or on oneDNN, whichever is faster on the machine; everything
/// around them is shared. Threads belong to the backend; see `Schedule` for how a batch is spread over them.
public struct CPUBackend: Backend {
    /// Whose convolutions are run.
    public enum Kernels: String, Sendable, Hashable, CaseIterable {
        /// The faster on this machine.
        case automatic
        /// The project's own.
        case own
        /// oneDNN's.
        case oneDNN = "onednn"
    }

    /// How messages and results call it.
    public let name = "cpu"
    /// Whose convolutions are run.
    public let kernels: Kernels
    /// What own kernels may use.
    public let instructions: KernelInstructions
    let team: ComputeTeam
    let chunkLimit: Int?
    let winograd: Bool
    /// Bytes of a chunk's operands in a training step, which should stay in a core's cache.
    let stepChunkByteCount: Int

    /// Starts a backend.
    ///
    /// - Parameters:
    ///   - threads: compute threads, the caller's included; one a processor where `nil`.
    ///   - kernels: whose convolutions to run.
    ///   - instructions: what own kernels may use; the best of the machine where `nil`.
    ///   - chunkLimit: the most images in a part of the batch that one group of threads works on at a time;
    ///     chosen by the schedule where `nil`.
    ///   - winograd: whether 3x3 convolutions of stride 1 may multiply in Winograd's domain.
    ///   - stepChunkByteCount: bytes of a chunk's operands in a training step, which should stay in a core's cache.
    /// - Throws: `ExecutionError` with code `.deviceUnavailable` where threads cannot be had.
    public init(
        threads: Int? = nil, kernels: Kernels = .automatic,
        instructions: KernelInstructions? = nil, chunkLimit: Int? = nil,
        winograd: Bool = true, stepChunkByteCount: Int = 1 << 20
    ) throws(ExecutionError) {
        do {
            team = try ComputeTeam(threadCount: threads ?? ComputeTeam.processorCount)
        } catch {
            throw ExecutionError(.deviceUnavailable, error.message)
        }
        self.kernels = kernels
        self.instructions = min(instructions ?? .best, .best)
        self.chunkLimit = chunkLimit
        self.winograd = winograd
        self.stepChunkByteCount = stepChunkByteCount
    }

    /// As in `cpu (AVX-512 bf16, 2 threads)`.
    public var deviceDescription: String {
        let set =
            switch instructions {
            case .plain: "plain C"
            case .avx512: "AVX-512"
            case .avx512BFloat16: "AVX-512 bf16"
            }
        return "cpu (\(set), \(team.threadCount) thread\(team.threadCount == 1 ? "" : "s"))"
    }

    /// What makes this machine slower than it could be; one sentence each.
    public var warnings: [String] {
        guard kernels != .own, instructions == .plain || KernelInstructions.hasTiles else {
            return []
        }
        do {
            try OneDNN.load()
            return []
        } catch {
            return ["\(error.message); computing with slower kernels of this program"]
        }
    }

    /// The number of compute threads.
    public var threadCount: Int { team.threadCount }

    /// Whether bfloat16 is faster than float32 on this machine.
    public static var prefersBFloat16: Bool {
        KernelInstructions.best == .avx512BFloat16 || KernelInstructions.hasTiles
    }

    /// Makes a graph runnable; see `Backend`.
    ///
    /// - Throws: `ExecutionError` with code `.unsupported` also for graphs of several replicas.
    public func compile(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledStep {
        try graph.requireNoState()
        let graph = try Self.forOneReplica(graph)
        let batch = Lowering.batch(of: graph)
        let isNarrow = graph.nodes.contains { $0.type.elementType == .bfloat16 }
        let schedule = Schedule(
            batch: batch, threads: team.threadCount,
            chunkLimit: chunkLimit ?? Schedule.preferredChunk(elementByteCount: isNarrow ? 2 : 4))
        var lowering = Lowering(
            graph: graph, parameters: parameters, backend: self, schedule: schedule)
        let program = try lowering.lower()
        do {
            let runner = try KernelRunner(
                program, chunkCount: schedule.chunkCount, groups: schedule.groups, team: team)
            return CPUStep(graph: graph, runner: runner)
        } catch {
            throw ExecutionError(error)
        }
    }

    /// Makes a graph with state runnable.
    ///
    /// - Throws: `ExecutionError` with code `.unsupported`, also for graphs of several replicas.
    public func compileUpdate(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledUpdate {
        let graph = try Self.forOneReplica(graph)
        var lowering = StepLowering(
            graph: graph, parameters: parameters, backend: self,
            chunkByteCount: stepChunkByteCount)
        try lowering.lower()
        do {
            let program = try lowering.program()
            return CPUUpdate(graph: graph, runner: try StepRunner(program, team: team))
        } catch {
            throw ExecutionError(error)
        }
    }
}

extension CPUBackend {
    /// The graph without means over replicas, of which there is one.
    private static func forOneReplica(_ graph: Graph) throws(ExecutionError) -> Graph {
        guard graph.replicaCount == 1 else {
            throw ExecutionError(
                .unsupported,
                "graph \(graph.name): the CPU back end runs 1 replica, found \(graph.replicaCount); "
                    + "run the whole batch as one replica, or take a back end with as many devices")
        }
        do {
            return try removeReplicaMeans(graph)
        } catch {
            throw ExecutionError(.unsupported, "graph \(graph.name): \(error.message)")
        }
    }
}

extension ExecutionError {
    /// The same failure in the words of a run.
    init(_ error: NativeError) {
        let code: Code =
            switch error.code {
            case .unsupported: .unsupported
            case .notFound, .resourceExhausted: .deviceUnavailable
            default: .libraryFailure
            }
        self.init(code, error.message)
    }
}

extension CPUBackend {
    /// Runs a compiled graph once and says how long thread 0 spent in each kernel call.
    ///
    /// - Parameters:
    ///   - step: what `compile` of a CPU backend gave.
    ///   - inputs: as for `run`.
    /// - Returns: labels and seconds, in the order of the calls.
    /// - Throws: `ExecutionError` with code `.unsupported` where another backend made the step.
    public func profile(
        _ step: any CompiledStep, _ inputs: [HostTensor]
    ) throws(ExecutionError) -> [(label: String, seconds: Double)] {
        guard let step = step as? CPUStep else {
            throw ExecutionError(.unsupported, "profile: expected a step of the CPU backend")
        }
        do {
            return try step.runner.profile(inputs.map(\.memory))
        } catch {
            throw ExecutionError(error)
        }
    }
}
