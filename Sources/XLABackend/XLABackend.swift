public import Execution
public import Graph
public import Native

/// Runs graphs on whatever a PJRT plugin drives: NVIDIA GPUs, or the processor for tests, several times slower than
/// `CPUBackend`.
///
/// The whole graph, a training step included, is written as one StableHLO program, which the plugin's XLA compiles.
/// A graph for several replicas runs on as many devices, the first ones.
public struct XLABackend: Backend {
    /// How the back end is set up.
    public struct Options: Sendable {
        /// Which of the plugin's devices to use, by their numbers; all where `nil`.
        public var devices: [Int]?
        /// How many devices XLA's CPU plugin pretends to have.
        public var cpuDeviceCount = 1
        /// The plugin; looked for where `nil`.
        public var plugin: String?
        /// The folder of compiled programs, which need not exist; nothing is kept where `nil`.
        public var cacheFolder: String?
        /// XLA's flags for each program, as in `xla_gpu_autotune_level`.
        public var flags: [String: PJRTValue] = [:]

        /// The usual setup.
        public init() {}
    }

    let client: PJRTClient
    let order = RunOrder()
    let options: Options
    /// XLA's flags for each program.
    let flags: [String: PJRTValue]
    /// XLA's flag that says where NVIDIA's assembler is.
    static let toolkitFlag = "xla_gpu_cuda_data_dir"
    /// What kind of device this is.
    public let platform: PJRTPlugin.Kind

    /// Loads the plugin and opens its devices.
    ///
    /// - Throws: `ExecutionError` with code `.deviceUnavailable` where there is no plugin or no device; the
    ///   message says where was looked and what to do.
    public init(
        _ platform: PJRTPlugin.Kind, options: Options = Options()
    ) throws(ExecutionError) {
        let (plugin, candidate) = try Self.loadPlugin(platform, options.plugin)
        var settings: [String: PJRTValue] = [:]
        switch platform {
        case .cpu: settings["cpu_device_count"] = .number(Int64(options.cpuDeviceCount))
        case .gpu:
            if let devices = options.devices {
                settings["visible_devices"] = .numbers(devices.map { Int64($0) })
            }
        }
        do {
            client = try plugin.makeClient(settings)
        } catch {
            throw ExecutionError(.deviceUnavailable, error.message)
        }
        guard !client.devices.isEmpty else {
            throw ExecutionError(.deviceUnavailable, "\(plugin.path): it finds no device")
        }
        self.platform = platform
        self.options = options
        var flags = options.flags
        if flags[Self.toolkitFlag] == nil, let folder = candidate.toolkitFolder {
            flags[Self.toolkitFlag] = .text(folder)
        }
        self.flags = flags
    }

    /// How messages and results call it.
    public var name: String { "xla" }

    /// What it runs on, as in `gpu (NVIDIA H200, 8 devices)`.
    public var deviceDescription: String {
        let kind = client.devices.first?.kind ?? "none"
        let count = client.devices.count
        return "\(platform.rawValue) (\(kind)\(count > 1 ? ", \(count) devices" : ""))"
    }

    /// How many devices there are, and so how many replicas a graph may have.
    public var deviceCount: Int { client.devices.count }

    /// Makes a graph runnable.
    public func compile(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledStep {
        try graph.requireNoState()
        return XLAStep(try XLAExecutable(graph, parameters, on: self))
    }

    /// Makes a graph with state runnable.
    public func compileUpdate(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledUpdate {
        XLAUpdate(try XLAExecutable(graph, parameters, on: self))
    }

    /// Whether there is a plugin; its devices may still be missing.
    public static func isInstalled(_ platform: PJRTPlugin.Kind, plugin: String? = nil) -> Bool {
        !PJRTPlugin.candidates(platform, named: plugin).isEmpty
    }

    /// Loads the plugin of a kind of device.
    static func loadPlugin(
        _ platform: PJRTPlugin.Kind, _ path: String?
    ) throws(ExecutionError) -> (PJRTPlugin, PJRTPlugin.Candidate) {
        let candidates = PJRTPlugin.candidates(platform, named: path)
        guard let found = candidates.first else {
            let command = platform == .gpu ? "make gpu" : "make setup-xla-cpu"
            throw ExecutionError(
                .deviceUnavailable,
                "no PJRT plugin for the \(platform.rawValue) was found in "
                    + PJRTPlugin.searchedFolders().joined(separator: ", ")
                    + "; `\(command)` installs one, or set RESNET_PJRT_PLUGIN to one")
        }
        do {
            return (try PJRTPlugin.load(found.path, preloading: found.preloading), found)
        } catch {
            throw ExecutionError(.deviceUnavailable, error.message)
        }
    }
}

extension ExecutionError {
    /// What the plugin, or reading and writing beside it, reported.
    init(_ error: NativeError) {
        let code: Code =
            switch error.code {
            case .unsupported: .unsupported
            case .notFound: .deviceUnavailable
            default: .libraryFailure
            }
        self.init(code, error.message)
    }
}
