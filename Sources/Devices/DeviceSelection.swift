/// What a user asks graphs to be run on.
public enum DeviceSelection: Sendable, Hashable {
    /// The fastest that is there.
    case auto
    /// The processor, with kernels of the project's own or oneDNN's.
    case cpu
    /// NVIDIA GPUs, through XLA: those of these numbers, or all where there are none.
    case gpu([Int])
    /// The processor, through XLA: to test what GPUs would be given; slow.
    case xlaCPU
    /// The processor, in plain Swift: slow, and right.
    case reference

    /// Reads what a user writes: `auto`, `cpu`, `gpu`, `gpu:0,1`, `xla-cpu`, `reference`; `nil` for other text.
    public init?(_ text: String) {
        switch text {
        case "auto": self = .auto
        case "cpu": self = .cpu
        case "gpu": self = .gpu([])
        case "xla-cpu": self = .xlaCPU
        case "reference": self = .reference
        default:
            guard text.hasPrefix("gpu:") else { return nil }
            let parts = text.dropFirst(4).split(separator: ",", omittingEmptySubsequences: false)
            var numbers: [Int] = []
            for part in parts {
                guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(part),
                    number < 1024, !numbers.contains(number)
                else { return nil }
                numbers.append(number)
            }
            self = .gpu(numbers)
        }
    }

    /// What a user writes.
    public var text: String {
        switch self {
        case .auto: "auto"
        case .cpu: "cpu"
        case .gpu(let numbers):
            numbers.isEmpty ? "gpu" : "gpu:" + numbers.map(String.init).joined(separator: ",")
        case .xlaCPU: "xla-cpu"
        case .reference: "reference"
        }
    }
}
