public import Tensors

/// Pictures that are ready for a network.
public struct LoadedBatch: Sendable {
    /// Pixels, red first: uint8 `[N, H, W, 3]`.
    public let images: HostTensor
    /// The class of each picture.
    public let labels: [Int]
    /// The shares of the classes, float32 `[N, C]`, where pictures were mixed; `nil` where the labels say it all.
    public let distributions: HostTensor?
    /// The position of each picture in the data set's `samples`.
    public let positions: [Int]

    /// Puts a batch together.
    package init(
        images: HostTensor, labels: [Int], distributions: HostTensor? = nil, positions: [Int]
    ) {
        self.images = images
        self.labels = labels
        self.distributions = distributions
        self.positions = positions
    }
}

/// A sample that was left out because its picture could not be read.
public struct SkippedSample: Sendable, Hashable, Codable {
    /// The sample's name.
    public let name: String
    /// Why, in one sentence.
    public let reason: String

    /// Tells of a sample.
    public init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }
}
