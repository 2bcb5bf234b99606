internal import CPJRT

/// A device of a client.
public struct PJRTDevice: Sendable, Hashable {
    /// Its place among the client's devices.
    public let index: Int
    /// The plugin's number for it.
    public let id: Int
    /// What it is, as in `NVIDIA H200`.
    public let kind: String
    /// What the plugin calls it, as in `CpuDevice(id=0)`.
    public let description: String
}

/// Memory of a device, in bytes.
public struct PJRTDeviceMemory: Sendable, Hashable {
    /// What is taken now.
    public let inUse: Int
    /// The most that was taken; `nil` where the plugin does not tell.
    public let peak: Int?
    /// What may be taken; `nil` where the plugin does not tell.
    public let limit: Int?
}

/// The devices of a plugin, ready for use.
///
/// Its executables and buffers keep it alive. All of it may be used from several threads at a time.
@safe
public final class PJRTClient: @unchecked Sendable {
    let handle: PJRTHandle
    /// The devices in the plugin's form; they live as long as the client.
    let deviceHandles: [UnsafeMutableRawPointer]
    /// As in `cuda` or `cpu`.
    public let platformName: String
    /// The versions beneath the plugin.
    public let platformVersion: String
    /// The devices of this process.
    public let devices: [PJRTDevice]

    /// The plugin.
    public var plugin: PJRTPlugin { handle.plugin }

    init(handle: PJRTHandle) throws(NativeError) {
        self.handle = handle
        (platformName, platformVersion) = try Self.platform(of: handle)
        unsafe deviceHandles = try Self.deviceHandles(of: handle)
        devices = try unsafe Self.describe(deviceHandles, handle.plugin)
    }

    private static func platform(of handle: PJRTHandle) throws(NativeError) -> (String, String) {
        var name = unsafe cpjrt_text()
        var version = unsafe cpjrt_text()
        _ = try unsafe callPJRT("tell its platform", handle.plugin.path) { failure in
            unsafe cpjrt_client_platform(
                handle.plugin.table, handle.pointer, &name, &version, failure)
        }
        return unsafe (text(name), text(version))
    }

    private static func deviceHandles(
        of handle: PJRTHandle
    ) throws(NativeError) -> [UnsafeMutableRawPointer] {
        var list: UnsafePointer<cpjrt_handle?>?
        var count = 0
        _ = try unsafe callPJRT("list its devices", handle.plugin.path) { failure in
            unsafe cpjrt_client_devices(
                handle.plugin.table, handle.pointer, &list, &count, failure)
        }
        // The list has `count` elements and lives as long as the client.
        return unsafe UnsafeBufferPointer(start: list, count: count).compactMap { unsafe $0 }
    }

    private static func describe(
        _ handles: [UnsafeMutableRawPointer], _ plugin: PJRTPlugin
    ) throws(NativeError) -> [PJRTDevice] {
        var devices: [PJRTDevice] = []
        for index in unsafe handles.indices {
            var device = unsafe cpjrt_device()
            _ = try unsafe callPJRT("describe a device", plugin.path) { failure in
                unsafe cpjrt_device_describe(plugin.table, handles[index], &device, failure)
            }
            devices.append(
                unsafe PJRTDevice(
                    index: index, id: Int(device.id), kind: text(device.kind),
                    description: text(device.description)))
        }
        return devices
    }

    /// Memory of a device.
    ///
    /// - Throws: `NativeError` with code `.unsupported` where the plugin does not tell, as the CPU's does not.
    public func memory(of device: Int) throws(NativeError) -> PJRTDeviceMemory {
        try check(device: device)
        var memory = cpjrt_device_memory()
        _ = try unsafe callPJRT("tell the memory of device \(device)", plugin.path) { failure in
            unsafe cpjrt_device_memory_of(plugin.table, deviceHandles[device], &memory, failure)
        }
        return PJRTDeviceMemory(
            inUse: Int(memory.in_use), peak: memory.peak < 0 ? nil : Int(memory.peak),
            limit: memory.limit < 0 ? nil : Int(memory.limit))
    }

    /// Compiles a program for the first `options.replicas` devices.
    ///
    /// Takes seconds to minutes.
    ///
    /// - Parameters:
    ///   - program: StableHLO as text, with a function `main`.
    ///   - options: replicas and flags.
    /// - Throws: `NativeError` with what the plugin reports: a mistake in the text with its line and column, an unknown
    ///   flag with code `.invalidArgument`, or `.resourceExhausted`.
    public func compile(
        _ program: String, _ options: PJRTCompileOptions = PJRTCompileOptions()
    ) throws(NativeError) -> PJRTExecutable {
        try check(replicas: options.replicas)
        let serialized = options.serialized
        var program = program
        let pointer = try unsafe callPJRT("compile the program", plugin.path) { failure in
            // Text and options are read during the call.
            program.withUTF8 { text in
                unsafe text.withMemoryRebound(to: CChar.self) { text in
                    unsafe cpjrt_compile(
                        plugin.table, handle.pointer, text.baseAddress, text.count, serialized,
                        serialized.count, failure)
                }
            }
        }
        return try unsafe executable(pointer)
    }

    /// Makes an executable of what `PJRTExecutable.serialized()` gave, with the same version of the same plugin.
    ///
    /// - Parameters:
    ///   - bytes: the executable. Plugins trust them: load only what this program wrote itself.
    ///   - options: those that it was compiled with.
    /// - Throws: `NativeError` with what the plugin reports.
    public func load(
        serialized bytes: [UInt8], _ options: PJRTCompileOptions = PJRTCompileOptions()
    ) throws(NativeError) -> PJRTExecutable {
        try check(replicas: options.replicas)
        let serialized = options.serialized
        let pointer = try unsafe callPJRT("load the executable", plugin.path) { failure in
            unsafe cpjrt_deserialize(
                plugin.table, handle.pointer, bytes, bytes.count, serialized, serialized.count,
                failure)
        }
        return try unsafe executable(pointer)
    }

    private func executable(
        _ pointer: UnsafeMutableRawPointer?
    ) throws(NativeError) -> PJRTExecutable {
        let loaded = try unsafe PJRTHandle(
            pointer, of: plugin, from: handle, destroy: cpjrt_loaded_destroy)
        return try PJRTExecutable(loaded: loaded, client: self)
    }

    func check(device: Int) throws(NativeError) {
        guard devices.indices.contains(device) else {
            throw NativeError(
                .invalidArgument,
                "device \(device): expected one of the \(devices.count) of \(platformName)")
        }
    }

    /// Too many would only be found when they are to run, with a message that does not name them.
    private func check(replicas: Int) throws(NativeError) {
        guard replicas > 0, replicas <= devices.count else {
            throw NativeError(
                .invalidArgument,
                "\(replicas) replicas: expected 1 to \(devices.count), the devices of \(platformName)"
            )
        }
    }
}
