public import Images
import Native

/// How pictures become batches.
public struct LoaderOptions: Sendable {
    /// What a picture goes through.
    public enum Transform: Sendable, Hashable {
        /// Random changes, to learn from.
        case training(TrainingTransform)
        /// No randomness, to measure by.
        case evaluation(EvaluationTransform)

        /// Both sides of the result, in pixels.
        public var size: Int {
            switch self {
            case .training(let transform): transform.size
            case .evaluation(let transform): transform.crop
            }
        }
    }

    /// Pictures in a batch, at least 1.
    public var batch: Int
    /// What all randomness comes from.
    public var seed: UInt64
    /// What a picture goes through.
    public var transform: Transform
    /// Whether each epoch has an order of its own; else it is that of the data set.
    public var shuffles: Bool
    /// How often a picture comes in a row, an epoch being as long as ever: repeated augmentation.
    ///
    /// Source: Hoffer et al. 2020, "Augment your batch"; timm 1.0, `RepeatAugSampler` with one replica.
    public var repeats: Int
    /// How pictures of a batch are mixed; `nil` leaves them apart.
    public var mixing: BatchMixing?
    /// Threads that read and decode, at least 1.
    public var workers: Int
    /// The share of the data set's pictures that may be bad, 0 to 1; one more ends loading with an error.
    public var maximumBadShare: Double
    /// Whether the last pictures of an epoch make a smaller batch; else they are left out.
    ///
    /// It also decides what becomes of a bad picture: here it is missing, else another one takes its place.
    public var keepsPartialBatch: Bool
    /// Batches that are read ahead, at least 1.
    public var prefetch: Int
    /// How large a picture may be.
    public var limits: DecodeLimits

    /// Describes loading.
    public init(
        batch: Int, seed: UInt64 = 42, transform: Transform, shuffles: Bool, repeats: Int = 1,
        mixing: BatchMixing? = nil, workers: Int = LoaderOptions.defaultWorkerCount,
        maximumBadShare: Double = 0.01, keepsPartialBatch: Bool, prefetch: Int = 3,
        limits: DecodeLimits = .commandLine
    ) {
        self.batch = batch
        self.seed = seed
        self.transform = transform
        self.shuffles = shuffles
        self.repeats = repeats
        self.mixing = mixing
        self.workers = workers
        self.maximumBadShare = maximumBadShare
        self.keepsPartialBatch = keepsPartialBatch
        self.prefetch = prefetch
        self.limits = limits
    }

    /// To learn from: in a new order each epoch, in whole batches.
    public static func training(
        batch: Int, seed: UInt64 = 42, transform: TrainingTransform
    ) -> LoaderOptions {
        LoaderOptions(
            batch: batch, seed: seed, transform: .training(transform), shuffles: true,
            keepsPartialBatch: false)
    }

    /// To measure by: every good picture exactly once, in the data set's order.
    public static func evaluation(batch: Int, transform: EvaluationTransform) -> LoaderOptions {
        LoaderOptions(
            batch: batch, transform: .evaluation(transform), shuffles: false,
            keepsPartialBatch: true)
    }

    /// A worker for each processor.
    public static var defaultWorkerCount: Int { ComputeTeam.processorCount }

    /// Refuses numbers that make no sense for a data set of a size.
    func check(sampleCount: Int) throws(DatasetError) {
        for (name, value, range) in [
            ("batch", batch, 1...1 << 20), ("workers", workers, 1...1024),
            ("prefetch", prefetch, 1...1024), ("repeats", repeats, 1...64),
        ] where !range.contains(value) {
            throw DatasetError(
                .invalidOption,
                "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
        guard (0...1).contains(maximumBadShare) else {
            throw DatasetError(
                .invalidOption,
                "share of bad pictures: expected 0 to 1, found \(maximumBadShare)")
        }
        guard keepsPartialBatch || sampleCount >= batch else {
            throw DatasetError(
                .invalidOption,
                "a batch of \(batch) pictures: the data set has \(sampleCount); take a smaller batch"
            )
        }
        try mixing?.check()
    }
}
