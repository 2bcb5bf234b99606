internal import CPJRT
internal import Glibc
internal import Synchronization

/// A compiler with its devices, XLA for a GPU for one, behind PJRT's C interface: a library loaded at run time.
///
/// Known to work: `xla-cpu-pjrt` 0.0.1 (PJRT 0.81), `jax-cuda13-pjrt` 0.12.0.1 (PJRT 0.116). Functions' arguments grow
/// from version to version and are passed with room to spare; a function that a plugin lacks is an error with code
/// `.unsupported`.
///
/// A plugin is never unloaded. Safe to share: the table of functions never changes.
@safe
public final class PJRTPlugin: @unchecked Sendable {
    /// Where the library lies, links resolved.
    public let path: String
    /// The version of the interface that the plugin was built with, as in `0.81`.
    public let apiVersion: String
    /// What the plugin says of itself, as in `xla_version` and `stablehlo_current_version`.
    public let attributes: [String: PJRTValue]
    let table: OpaquePointer

    /// The plugins of this process by path; a library may be initialised only once.
    private static let loaded = Mutex<[String: PJRTPlugin]>([:])

    /// Loads a plugin and initialises it, unless that has been done.
    ///
    /// - Parameters:
    ///   - path: the library. Whoever names it runs its code.
    ///   - preloading: libraries that are opened before, for a plugin that would look for them in vain; those that
    ///     cannot be opened are left out.
    /// - Throws: `NativeError` with code `.notFound` where there is no such file, `.unsupported` where it is no plugin
    ///   or one of another major version, `.libraryFailure` where the plugin fails.
    public static func load(
        _ path: String, preloading: [String] = []
    ) throws(NativeError) -> PJRTPlugin {
        // An empty path would be the program itself.
        guard !path.isEmpty, let resolved = resolve(path) else {
            throw NativeError(
                .notFound,
                "\(path.isEmpty ? "an empty path" : path): expected a PJRT plugin, found no file")
        }
        return try loaded.withLock { (plugins) throws(NativeError) -> PJRTPlugin in
            if let plugin = plugins[resolved] { return plugin }
            for library in preloading { unsafe cpjrt_preload(library) }
            let plugin = try PJRTPlugin(loading: resolved)
            plugins[resolved] = plugin
            return plugin
        }
    }

    private init(loading path: String) throws(NativeError) {
        let table = try unsafe callPJRT("load the plugin", path) { failure in
            unsafe cpjrt_load(path, failure)
        }
        guard let table = unsafe table else {
            throw NativeError(.unsupported, "\(fileName(of: path)): no PJRT plugin")
        }
        self.path = path
        unsafe self.table = table
        var (major, minor): (Int32, Int32) = (0, 0)
        unsafe cpjrt_version(table, &major, &minor)
        apiVersion = "\(major).\(minor)"
        var values = unsafe cpjrt_values()
        _ = try unsafe callPJRT("tell its attributes", path) { failure in
            unsafe cpjrt_attributes(table, &values, failure)
        }
        // Attributes live as long as the process.
        attributes = unsafe dictionary(values)
    }

    /// Opens the plugin's devices.
    ///
    /// - Parameter options: the plugin's own, as in `cpu_device_count` of the CPU's, or `visible_devices`, `allocator`,
    ///   `memory_fraction` and `preallocate` of CUDA's. Plugins may end the process over a value of the wrong kind.
    /// - Throws: `NativeError` with code `.notFound` where there is no such device, else with what the plugin reports.
    public func makeClient(
        _ options: [String: PJRTValue] = [:]
    ) throws(NativeError) -> PJRTClient {
        let native = try PJRTOptions.make(options)
        let pointer = try unsafe callPJRT("open its devices", path, seeking: true) { failure in
            unsafe native.with { options in
                unsafe cpjrt_client_create(table, options, failure)
            }
        }
        return try PJRTClient(
            handle: unsafe PJRTHandle(pointer, of: self, destroy: cpjrt_client_destroy))
    }

    /// Compiles a program for devices that need not be there.
    ///
    /// The result cannot run; it can be serialised, and loaded by a client that has such devices. CUDA's plugin needs
    /// `target_config` (XLA's text form of a GPU) and `topology` (as in `1x1x8`: slices, hosts, devices) here, and the
    /// flag `xla_gpu_cuda_data_dir` with the folder that holds `bin/ptxas` and `nvvm`.
    ///
    /// - Parameters:
    ///   - program: StableHLO as text.
    ///   - options: replicas and flags.
    ///   - topology: the plugin's own description of the devices.
    /// - Throws: `NativeError` with what the plugin reports.
    public func compile(
        _ program: String, _ options: PJRTCompileOptions, topology: [String: PJRTValue]
    ) throws(NativeError) -> PJRTExecutable {
        let native = try PJRTOptions.make(topology)
        let described = try unsafe callPJRT("describe devices", path) { failure in
            unsafe native.with { options in
                unsafe cpjrt_topology_create(table, options, failure)
            }
        }
        let devices = try unsafe PJRTHandle(
            described, of: self, destroy: cpjrt_topology_destroy)
        let serialized = options.serialized
        var program = program
        let compiled = try unsafe callPJRT("compile the program", path) { failure in
            // Text and options are read during the call.
            program.withUTF8 { text in
                unsafe text.withMemoryRebound(to: CChar.self) { text in
                    unsafe cpjrt_topology_compile(
                        table, devices.pointer, text.baseAddress, text.count, serialized,
                        serialized.count, failure)
                }
            }
        }
        return try PJRTExecutable(
            handle: unsafe PJRTHandle(
                compiled, of: self, from: devices, destroy: cpjrt_executable_destroy))
    }

    /// The absolute path with links resolved; `nil` where there is nothing.
    private static func resolve(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        // A NUL-terminated text from `malloc`.
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
