internal import CPJRT

/// Memory that a program takes on one device, in bytes, as its compiler planned it.
public struct PJRTMemory: Sendable, Hashable {
    /// Arguments.
    public let argument: Int
    /// Results.
    public let output: Int
    /// Results that are written in the place of arguments, counted in both.
    public let alias: Int
    /// What lives only during a run.
    public let temporary: Int
    /// Instructions.
    public let generatedCode: Int
}

extension PJRTExecutable {
    /// The executable in the plugin's own form, for `PJRTClient.load(serialized:)` of the same version.
    ///
    /// - Throws: `NativeError` with code `.unsupported` where the plugin cannot.
    public func serialized() throws(NativeError) -> [UInt8] {
        var taken: [[UInt8]] = []
        try unsafe collect("serialise the executable", &taken, cpjrt_executable_serialize)
        return taken.first ?? []
    }

    /// The program after the plugin's optimisations, in a form such as `hlo_with_config`, a protocol buffer.
    ///
    /// - Throws: `NativeError` with code `.unsupported` where the plugin does not tell.
    public func optimizedProgram() throws(NativeError) -> (format: String, bytes: [UInt8]) {
        var taken: [[UInt8]] = []
        try unsafe collect("tell the optimised program", &taken, cpjrt_executable_optimized)
        guard taken.count == 2 else { return ("", []) }
        return (String(decoding: taken[0], as: UTF8.self), taken[1])
    }

    /// Memory that the program takes.
    ///
    /// - Throws: `NativeError` with code `.unsupported` where the plugin does not tell.
    public func memory() throws(NativeError) -> PJRTMemory {
        var memory = cpjrt_executable_memory()
        _ = try unsafe callPJRT("tell the program's memory", plugin.path) { failure in
            unsafe cpjrt_executable_memory_of(plugin.table, pointer, &memory, failure)
        }
        return PJRTMemory(
            argument: Int(memory.argument), output: Int(memory.output), alias: Int(memory.alias),
            temporary: Int(memory.temporary), generatedCode: Int(memory.generated_code))
    }

    /// The compiler's estimates, as in `flops` and `bytes accessed`.
    ///
    /// - Throws: `NativeError` with code `.unsupported` where the plugin does not tell.
    public func costs() throws(NativeError) -> [String: PJRTValue] {
        var values = unsafe cpjrt_values()
        _ = try unsafe callPJRT("tell the program's costs", plugin.path) { failure in
            unsafe cpjrt_executable_costs(plugin.table, pointer, &values, failure)
        }
        // They live as long as the executable.
        return unsafe dictionary(values)
    }

    private typealias Take =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int
        ) -> Void

    /// Calls a function of the shim that hands bytes to a callback.
    private func collect(
        _ action: String, _ taken: inout [[UInt8]],
        _ call: (
            OpaquePointer?, UnsafeMutableRawPointer?, Take?, UnsafeMutableRawPointer?,
            UnsafeMutablePointer<cpjrt_failure>?
        ) -> Bool
    ) throws(NativeError) {
        _ = try unsafe callPJRT(action, plugin.path) { failure in
            // The callback runs during the call only, with the address of `taken` and bytes valid for that long.
            unsafe withUnsafeMutablePointer(to: &taken) { taken in
                unsafe call(
                    plugin.table, pointer,
                    { context, bytes, size in
                        let list = unsafe context?.assumingMemoryBound(to: [[UInt8]].self)
                        let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: size)
                        unsafe list?.pointee.append(Array(buffer))
                    }, taken, failure)
            }
        }
    }
}
