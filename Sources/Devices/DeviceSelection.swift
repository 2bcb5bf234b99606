import CPUBackend
public import Execution
import ReferenceBackend

/// What a user asks graphs to be run on.
public enum DeviceSelection: String, Sendable, Hashable, CaseIterable {
    /// The fastest that is there.
    case auto
    /// The processor, with kernels of the project's own or oneDNN's.
    case cpu
    /// The processor, in plain Swift: slow, and right.
    case reference
}

/// A back end that was opened, with what callers choose by.
public struct Device: Sendable {
    /// What runs graphs.
    public let backend: any Backend
    /// How many threads compute.
    public let threadCount: Int
    /// Whether bfloat16 is faster here than float32.
    public let prefersBFloat16: Bool
    /// What the user should know, such as that the fast back end is absent; one sentence each.
    public let warnings: [String]
}

/// Opens a device.
///
/// - Parameters:
///   - selection: which; `auto` takes the reference back end, with a warning, where the other is absent.
///   - threads: how many threads compute; one a processor that the process may use where `nil`.
/// - Throws: `ExecutionError` with code `.deviceUnavailable`.
public func openDevice(
    _ selection: DeviceSelection, threads: Int? = nil
) throws(ExecutionError) -> Device {
    switch selection {
    case .reference: return referenceDevice(warnings: [])
    case .cpu: return try processorDevice(threads: threads)
    case .auto:
        do {
            return try processorDevice(threads: threads)
        } catch  where error.code == .deviceUnavailable {
            return referenceDevice(warnings: [
                "\(error.message); computing in plain Swift instead, about a thousand times slower"
            ])
        }
    }
}

private func processorDevice(threads: Int?) throws(ExecutionError) -> Device {
    let backend = try CPUBackend(threads: threads)
    return Device(
        backend: backend, threadCount: backend.threadCount,
        prefersBFloat16: CPUBackend.prefersBFloat16, warnings: backend.warnings)
}

private func referenceDevice(warnings: [String]) -> Device {
    Device(
        backend: ReferenceBackend(), threadCount: 1, prefersBFloat16: false, warnings: warnings)
}
