public import Execution
public import Graph
public import Native

/// A graph compiled for GPUs that are not there: what the compiler made of it, without running anything.
public struct CompiledAhead: Sendable {
    /// What the compiler was given.
    public let stableHLO: String
    /// The finished program, which the same plugin on such a machine loads; empty where the plugin gives none.
    public let executable: [UInt8]
    /// What its kernels cost.
    public let report: ProgramReport
    /// Bytes of a device's memory: arguments, results that are not arguments, and what a run needs beside.
    public let memory: (arguments: Int, results: Int, temporary: Int)
    /// How long compiling took.
    public let seconds: Double
    /// Which compiler it was, as in `PJRT 0.116`.
    public let compiler: String

    /// Compiles a graph for one machine with a GPU for each of the graph's replicas.
    ///
    /// - Parameters:
    ///   - graph: a verified graph.
    ///   - target: the kind of GPU.
    ///   - plugin: NVIDIA's PJRT plugin; looked for where `nil`. NVIDIA's assembler is looked for beside it.
    ///   - flags: XLA's flags, as in `xla_gpu_enable_latency_hiding_scheduler`.
    /// - Throws: `ExecutionError` with code `.deviceUnavailable` where there is no plugin, and `.libraryFailure`
    ///   with the compiler's message.
    public init(
        _ graph: Graph, for target: GPUTarget, plugin: String? = nil,
        flags: [String: PJRTValue] = [:]
    ) throws(ExecutionError) {
        try self.init(
            stableHLO: XLAProgram(graph, replicas: graph.replicaCount).text,
            replicas: graph.replicaCount, for: target, plugin: plugin, flags: flags)
    }

    /// Compiles a program that may be another's, to see it counted as ours are.
    ///
    /// - Parameters:
    ///   - stableHLO: the program's text.
    ///   - replicas: on how many GPUs it runs at once.
    ///   - target: the kind of GPU.
    ///   - plugin: as for `init(_:for:plugin:flags:)`.
    ///   - flags: as for that.
    /// - Throws: as that.
    public init(
        stableHLO: String, replicas: Int = 1, for target: GPUTarget, plugin: String? = nil,
        flags: [String: PJRTValue] = [:]
    ) throws(ExecutionError) {
        let (loaded, candidate) = try XLABackend.loadPlugin(.gpu, plugin)
        self.stableHLO = stableHLO
        var options = PJRTCompileOptions(replicas: replicas)
        options.flags = flags
        if let folder = candidate.toolkitFolder {
            options.flags[XLABackend.toolkitFlag] = .text(folder)
        }
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let executable = try loaded.compile(
                stableHLO, options, topology: target.topology(devices: replicas))
            seconds = (clock.now - start) / .seconds(1)
            report = ProgramReport(OptimizedProgram(try executable.optimizedProgram().bytes))
            let sizes = try executable.memory()
            memory = (sizes.argument, sizes.output - sizes.alias, sizes.temporary)
            self.executable = (try? executable.serialized()) ?? []
        } catch {
            throw ExecutionError(error)
        }
        compiler = "PJRT \(loaded.apiVersion)"
    }
}
