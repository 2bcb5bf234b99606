internal import CPJRT

/// A compiled program.
///
/// Keeps its client alive. May be run from several threads at a time.
@safe
public final class PJRTExecutable: Sendable {
    /// The results of the program, on each device.
    public let outputCount: Int
    /// On how many devices it runs at the same time.
    public let replicas: Int
    /// Where it runs: places among the client's devices, in the order of the replicas.
    ///
    /// Empty where it cannot run, being compiled without a device.
    public let devices: [Int]
    private let handle: PJRTHandle
    private let loaded: (handle: PJRTHandle, client: PJRTClient)?

    /// An executable that cannot run.
    init(handle: PJRTHandle) throws(NativeError) {
        self.handle = handle
        loaded = nil
        devices = []
        (outputCount, replicas) = try Self.counts(of: handle)
    }

    /// An executable that can.
    init(loaded: PJRTHandle, client: PJRTClient) throws(NativeError) {
        let plugin = loaded.plugin
        let pointer = try unsafe callPJRT("describe the executable", plugin.path) { failure in
            unsafe cpjrt_loaded_executable(plugin.table, loaded.pointer, failure)
        }
        handle = try unsafe PJRTHandle(
            pointer, of: plugin, from: loaded, destroy: cpjrt_executable_destroy)
        self.loaded = (loaded, client)
        devices = try Self.devices(of: loaded, client)
        (outputCount, replicas) = try Self.counts(of: handle)
    }

    private static func counts(of handle: PJRTHandle) throws(NativeError) -> (Int, Int) {
        var (results, replicas) = (0, 0)
        _ = try unsafe callPJRT("describe the executable", handle.plugin.path) { failure in
            unsafe cpjrt_executable_counts(
                handle.plugin.table, handle.pointer, &results, &replicas, failure)
        }
        return (results, replicas)
    }

    private static func devices(
        of loaded: PJRTHandle, _ client: PJRTClient
    ) throws(NativeError) -> [Int] {
        var list: UnsafePointer<cpjrt_handle?>?
        var count = 0
        _ = try unsafe callPJRT("list an executable's devices", loaded.plugin.path) { failure in
            unsafe cpjrt_loaded_devices(
                loaded.plugin.table, loaded.pointer, &list, &count, failure)
        }
        // The list has `count` elements and lives as long as the executable; its elements are the client's.
        return unsafe UnsafeBufferPointer(start: list, count: count).map { device in
            unsafe client.deviceHandles.firstIndex { unsafe $0 == device } ?? -1
        }
    }

    /// Starts a run on all its devices and returns before it has ended.
    ///
    /// An argument that the program marks with `tf.aliasing_output` is given away: it reads as deleted afterwards.
    ///
    /// Types and extents of arguments are the plugin's to check, on each device by itself: where they are wrong on only
    /// some, the others may wait forever for what they were to exchange.
    ///
    /// - Parameter arguments: `[device][argument]`, on the devices that `devices` names.
    /// - Returns: `[device][result]`, perhaps not ready yet: what goes wrong in the run is thrown by their `wait()` and
    ///   `download()`.
    /// - Throws: `NativeError` with code `.invalidArgument` where the numbers of devices or arguments are wrong, a
    ///   buffer is another client's, on another device or gone; `.unsupported` without a device.
    public func run(_ arguments: [[PJRTBuffer]]) throws(NativeError) -> [[PJRTBuffer]] {
        guard let (loaded, client) = loaded else {
            throw NativeError(
                .unsupported,
                "the executable was compiled without a device; load it into a client to run it")
        }
        // Each replica has its own check in the plugin: where only some fail, the others would wait for them forever.
        let pointers = try unsafe pointers(of: arguments, client)
        let count = arguments.first?.count ?? 0
        let deviceCount = devices.count
        var results: [cpjrt_handle?] = unsafe Array(
            repeating: nil, count: deviceCount * outputCount)
        _ = try unsafe callPJRT("run the program", client.plugin.path) { failure in
            // The plugin holds on to what it needs of the buffers; lists are read and written during the call.
            withExtendedLifetime(arguments) {
                unsafe cpjrt_loaded_run(
                    client.plugin.table, loaded.pointer, deviceCount, pointers, count, &results,
                    outputCount, failure)
            }
        }
        return try unsafe buffers(results, client)
    }

    /// The arguments in the plugin's form, one device after another.
    private func pointers(
        of arguments: [[PJRTBuffer]], _ client: PJRTClient
    ) throws(NativeError) -> [cpjrt_handle?] {
        guard arguments.count == devices.count else {
            throw NativeError(
                .invalidArgument,
                "arguments: expected lists for \(devices.count) devices, found \(arguments.count)")
        }
        let count = arguments.first?.count ?? 0
        var pointers: [cpjrt_handle?] = unsafe []
        unsafe pointers.reserveCapacity(count * arguments.count)
        for (list, device) in zip(arguments, devices) {
            guard list.count == count else {
                throw NativeError(
                    .invalidArgument,
                    "arguments of device \(device): expected \(count) as of the first, found \(list.count)"
                )
            }
            for (index, buffer) in list.enumerated() {
                try check(buffer, "argument \(index) of device \(device)", client, device)
                unsafe pointers.append(buffer.pointer)
            }
        }
        return unsafe pointers
    }

    private func check(
        _ buffer: PJRTBuffer, _ name: @autoclosure () -> String, _ client: PJRTClient, _ device: Int
    ) throws(NativeError) {
        guard buffer.client === client else {
            throw NativeError(.invalidArgument, "\(name()): expected a buffer of the same client")
        }
        guard buffer.device == device else {
            throw NativeError(
                .invalidArgument,
                "\(name()): expected a buffer there, found device \(buffer.device)")
        }
        guard !buffer.isDeleted else {
            throw NativeError(
                .invalidArgument, "\(name()): the buffer is gone, given away to an earlier run")
        }
    }

    /// Takes over what a run gave.
    private func buffers(
        _ results: [cpjrt_handle?], _ client: PJRTClient
    ) throws(NativeError) -> [[PJRTBuffer]] {
        var lists: [[PJRTBuffer]] = []
        for (place, device) in devices.enumerated() {
            var list: [PJRTBuffer] = []
            for index in place * outputCount..<(place + 1) * outputCount {
                list.append(
                    try unsafe PJRTBuffer(results[index], client: client, device: device))
            }
            lists.append(list)
        }
        return lists
    }

    var plugin: PJRTPlugin { handle.plugin }
    /// The description, valid while this lives.
    @unsafe var pointer: UnsafeMutableRawPointer { unsafe handle.pointer }
}
