import CPUBackend
public import Execution
import Native
import ReferenceBackend
import XLABackend

/// A back end that was opened, with what callers choose by.
public struct Device: Sendable {
    /// What runs graphs.
    public let backend: any Backend
    /// How many threads of the processor compute.
    public let threadCount: Int
    /// Over how many devices a batch may be spread, each a replica.
    public let replicaCount: Int
    /// Whether bfloat16 is faster here than float32.
    public let prefersBFloat16: Bool
    /// Whether compiling takes seconds, so that callers should ask for few sizes of batch.
    public let compilesSlowly: Bool
    /// What the user should know, such as that the fast back end is absent; one sentence each.
    public let warnings: [String]
}

/// Opens a device.
///
/// - Parameters:
///   - selection: which; `auto` takes GPUs where there are some, else the processor, else, with a warning, the
///     reference back end.
///   - threads: how many threads compute on the processor; one a processor that the process may use where `nil`.
///   - cpuReplicas: how many devices `xlaCPU` has.
/// - Throws: `ExecutionError` with code `.deviceUnavailable`.
public func openDevice(
    _ selection: DeviceSelection, threads: Int? = nil, cpuReplicas: Int = 1
) throws(ExecutionError) -> Device {
    switch selection {
    case .reference: return referenceDevice(warnings: [])
    case .cpu: return try processorDevice(threads: threads)
    case .gpu(let numbers):
        // A plugin that was named may be for other devices.
        let isNamed = environmentVariable("RESNET_PJRT_PLUGIN")?.isEmpty == false
        guard hasGPUDriver || isNamed || !XLABackend.isInstalled(.gpu) else {
            throw ExecutionError(
                .deviceUnavailable,
                "no GPU: NVIDIA's driver is not loaded, there is neither /dev/nvidiactl nor /dev/dxg"
            )
        }
        var options = xlaOptions()
        options.devices = numbers.isEmpty ? nil : numbers
        return xlaDevice(try XLABackend(.gpu, options: options))
    case .xlaCPU:
        var options = xlaOptions()
        options.cpuDeviceCount = cpuReplicas
        return xlaDevice(try XLABackend(.cpu, options: options))
    case .auto:
        if hasGPUDriver, XLABackend.isInstalled(.gpu),
            let device = try? openDevice(.gpu([]), threads: threads)
        {
            return device
        }
        do {
            return try processorDevice(threads: threads)
        } catch  where error.code == .deviceUnavailable {
            return referenceDevice(warnings: [
                "\(error.message); computing in plain Swift instead, about a thousand times slower"
            ])
        }
    }
}

/// Whether the system has a driver for NVIDIA's GPUs.
///
/// Without one, asking the plugin takes long, and it writes complaints of its own.
private var hasGPUDriver: Bool {
    ["/dev/nvidiactl", "/dev/dxg"].contains { FileKind(atPath: $0) != nil }
}

private func xlaOptions() -> XLABackend.Options {
    var options = XLABackend.Options()
    options.cacheFolder = cacheFolder().map { "\($0)/xla" }
    return options
}

private func xlaDevice(_ backend: XLABackend) -> Device {
    Device(
        backend: backend, threadCount: 1, replicaCount: backend.deviceCount,
        prefersBFloat16: backend.platform == .gpu, compilesSlowly: true, warnings: [])
}

private func processorDevice(threads: Int?) throws(ExecutionError) -> Device {
    let backend = try CPUBackend(threads: threads)
    return Device(
        backend: backend, threadCount: backend.threadCount, replicaCount: 1,
        prefersBFloat16: CPUBackend.prefersBFloat16, compilesSlowly: false,
        warnings: backend.warnings)
}

private func referenceDevice(warnings: [String]) -> Device {
    Device(
        backend: ReferenceBackend(), threadCount: 1, replicaCount: 1, prefersBFloat16: false,
        compilesSlowly: false, warnings: warnings)
}
