import CPUBackend
public import Execution
import ReferenceBackend

/// What a user asks graphs to be run on.
public enum DeviceSelection: String, Sendable, Hashable, CaseIterable {
    /// The fastest that is there.
    case auto
    /// The processor, on own kernels or oneDNN.
    case cpu
    /// The processor, in plain Swift: slow, and right.
    case reference
}

/// A back end that was opened, with what callers choose by.
public struct Device: Sendable {
    /// What runs graphs.
    public let backend: any Backend
    /// Whether bfloat16 is faster here than float32.
    public let prefersBFloat16: Bool
    /// What the user should know, such as that the fast back end is absent; one sentence each.
    public let warnings: [String]
}

/// Opens a device.
///
/// - Parameters:
///   - selection: which; `auto` takes the fastest that is there.
///   - threads: how many threads compute; as many as the process has processors where `nil`.
/// - Throws: `ExecutionError` with code `.deviceUnavailable`.
public func openDevice(
    _ selection: DeviceSelection, threads: Int? = nil
) throws(ExecutionError) -> Device {
    switch selection {
    case .reference:
        return Device(backend: ReferenceBackend(), prefersBFloat16: false, warnings: [])
    case .cpu, .auto:
        let backend = try CPUBackend(threads: threads)
        return Device(
            backend: backend, prefersBFloat16: CPUBackend.prefersBFloat16,
            warnings: backend.warnings)
    }
}
