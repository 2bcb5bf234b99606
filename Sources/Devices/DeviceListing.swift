import Execution

/// What is known of a back end without running anything.
public struct DeviceListing: Sendable {
    /// How users ask for it.
    public let selection: DeviceSelection
    /// Whether it can be used.
    public let isAvailable: Bool
    /// What it runs on, or why it cannot.
    public let detail: String
}

/// The back ends that this program knows, the fastest first.
public func listDevices() -> [DeviceListing] {
    [.gpu([]), .cpu, .xlaCPU, .reference].map(listing)
}

private func listing(of selection: DeviceSelection) -> DeviceListing {
    do {
        let device = try openDevice(selection)
        return DeviceListing(
            selection: selection, isAvailable: true,
            detail: device.backend.deviceDescription)
    } catch {
        return DeviceListing(selection: selection, isAvailable: false, detail: error.message)
    }
}
