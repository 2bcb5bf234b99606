public import Tensors

/// A tensor and the name that its file gives it.
public struct NamedTensor: Sendable {
    /// The name, as in `layer1.0.conv2.weight`.
    public let name: String
    /// The elements; those of a file that is mapped stay in the file.
    public let tensor: HostTensor

    /// Names a tensor.
    public init(name: String, tensor: HostTensor) {
        self.name = name
        self.tensor = tensor
    }
}
