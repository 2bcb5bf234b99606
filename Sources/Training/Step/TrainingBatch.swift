public import Tensors

/// What a step learns from.
public struct TrainingBatch: Sendable {
    /// What says which class each image belongs to.
    public enum Targets: Sendable {
        /// A label an image, 0 for the first class.
        case labels([Int])
        /// The share of each class, float32 `[N, C]`: none negative, 1 in sum for each image. Images count as
        /// correct where their class of the largest share, the first of equal ones, is found.
        case distributions(HostTensor)
    }

    /// Pixels as decoded, red first: uint8 `[N, H, W, 3]`.
    public var images: HostTensor
    /// What says which class each image belongs to.
    public var targets: Targets

    /// Puts images and targets together; a step checks them.
    public init(images: HostTensor, targets: Targets) {
        self.images = images
        self.targets = targets
    }
}

/// A batch that was checked, as the tensors that graphs read.
struct CheckedBatch {
    var images: HostTensor
    /// The labels again, or the distributions.
    var targets: HostTensor
    var labels: HostTensor

    /// Checks a batch.
    ///
    /// - Throws: `TrainingError` with code `.batchMismatch`, `.labelOutOfRange` or `.invalidDistribution`.
    init(
        _ batch: TrainingBatch, count: Int, imageSize: Int, classCount: Int,
        targets: TrainingRecipe.Targets
    ) throws(TrainingError) {
        let expected: Shape = [count, imageSize, imageSize, 3]
        guard batch.images.elementType == .uint8, batch.images.shape == expected else {
            throw TrainingError(
                .batchMismatch,
                "images: expected uint8\(expected), "
                    + "found \(batch.images.elementType.rawValue)\(batch.images.shape)")
        }
        images = batch.images
        switch (batch.targets, targets) {
        case (.labels(let given), .labels):
            labels = try Self.check(given, count: count, classCount: classCount)
            self.targets = labels
        case (.distributions(let given), .distributions):
            labels = try Self.check(given, count: count, classCount: classCount)
            self.targets = given
        case (.labels, .distributions):
            throw TrainingError(
                .batchMismatch, "targets: the recipe expects distributions, found labels")
        case (.distributions, .labels):
            throw TrainingError(
                .batchMismatch, "targets: the recipe expects labels, found distributions")
        }
    }

    private static func check(
        _ labels: [Int], count: Int, classCount: Int
    ) throws(TrainingError) -> HostTensor {
        guard labels.count == count else {
            throw TrainingError(
                .batchMismatch,
                "labels: expected \(count), one an image, found \(labels.count)")
        }
        for (position, label) in labels.enumerated() where !(0..<classCount).contains(label) {
            throw TrainingError(
                .labelOutOfRange,
                "label of image \(position) of the batch: expected 0 to \(classCount - 1) for "
                    + "\(classCount) classes, found \(label)")
        }
        return HostTensor(labels.map { Int32($0) }, shape: [count])
    }

    private static func check(
        _ distributions: HostTensor, count: Int, classCount: Int
    ) throws(TrainingError) -> HostTensor {
        guard distributions.elementType == .float32, distributions.shape == [count, classCount]
        else {
            throw TrainingError(
                .batchMismatch,
                "distributions: expected float32[\(count), \(classCount)], "
                    + "found \(distributions.elementType.rawValue)\(distributions.shape)")
        }
        let shares = distributions.floats()
        var labels: [Int32] = []
        for position in 0..<count {
            var sum = 0.0
            var best = 0
            let start = position * classCount
            for label in 0..<classCount {
                let share = shares[start + label]
                guard share >= 0 else {
                    throw TrainingError(
                        .invalidDistribution,
                        "distribution of image \(position) of the batch: expected shares of at "
                            + "least 0, found \(share) of class \(label)")
                }
                sum += Double(share)
                if share > shares[start + best] { best = label }
            }
            guard abs(sum - 1) <= 1e-3 else {
                throw TrainingError(
                    .invalidDistribution,
                    "distribution of image \(position) of the batch: expected a sum of 1, "
                        + "found \(sum)")
            }
            labels.append(Int32(best))
        }
        return HostTensor(labels, shape: [count])
    }
}
