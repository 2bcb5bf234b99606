public import Graph

/// How batch norms normalise during training, and what they remember for inference.
public struct BatchNormalizationOptions: Sendable, Hashable {
    /// Which variance of a batch goes into the running one; what normalises the batch itself is the biased one.
    public enum RunningVariance: String, Sendable, Hashable, CaseIterable {
        /// The sum of squared deviations over `M - 1`, `M` being the values a channel.
        case unbiased
        /// The sum of squared deviations over `M`.
        case biased
    }

    /// Whose values a batch's statistics are made of where several replicas train, each on its share of the batch.
    public enum BatchStatistics: String, Sendable, Hashable, CaseIterable {
        /// Each replica normalises with the statistics of its own share. What goes into the running ones is the mean
        /// over the replicas.
        case perReplica
        /// All replicas normalise with the statistics of the whole batch, as one replica would: PyTorch's
        /// `SyncBatchNorm`.
        case synchronized
    }

    /// What is added to a variance before its root is taken.
    public var epsilon: Double
    /// The share that a new batch gets in the running statistics.
    public var momentum: Double
    /// Which variance goes into the running one.
    public var runningVariance: RunningVariance
    /// Whether batches are normalised with the stored statistics, which then stay as they are.
    public var isFrozen: Bool
    /// Whose values a batch's statistics are made of; it matters to several replicas only.
    public var batchStatistics: BatchStatistics

    /// Makes options; the defaults are PyTorch's.
    public init(
        epsilon: Double = 1e-5, momentum: Double = 0.1,
        runningVariance: RunningVariance = .unbiased, isFrozen: Bool = false,
        batchStatistics: BatchStatistics = .perReplica
    ) {
        self.epsilon = epsilon
        self.momentum = momentum
        self.runningVariance = runningVariance
        self.isFrozen = isFrozen
        self.batchStatistics = batchStatistics
    }

    /// NVIDIA's for TensorFlow: a decay of 0.9, which is a momentum of 0.1, and epsilon 1e-5.
    ///
    /// TensorFlow's fused batch norm gives the unbiased variance.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, `resnet.py`.
    public static let nvidiaTensorFlow = BatchNormalizationOptions(
        epsilon: 1e-5, momentum: 0.1, runningVariance: .unbiased)

    /// Those of Keras's ResNet-50: a momentum of 0.99, which is 0.01 here, epsilon 1.001e-5, and the biased variance.
    ///
    /// Source: Keras 3, `applications/resnet.py` and `layers/normalization/batch_normalization.py`.
    public static let keras = BatchNormalizationOptions(
        epsilon: 1.001e-5, momentum: 0.01, runningVariance: .biased)
}

extension ResNetArchitecture {
    /// The forward pass of training: from images to logits, with running statistics as updates.
    ///
    /// Its one input is `image`, as in `inferenceGraph(batch:imageSize:outputs:)`. All of `parameterList` is state,
    /// under the names there; unless batch norms are frozen, the running statistics have updates. Its one output is
    /// `logits`. Loss, gradients and the updates of weights are what a step adds.
    ///
    /// For several replicas the running statistics follow the mean of theirs, so that they stay equal on all.
    ///
    /// - Parameters:
    ///   - batch: images a run, of each replica.
    ///   - imageSize: height and width; 224 in the published recipes.
    ///   - normalization: what batch norms do.
    ///   - frozen: the part whose batch norms use stored statistics.
    ///   - replicas: how many replicas the graph is for; see `Graph.replicaCount`.
    /// - Throws: `GraphError` with code `.invalidAttribute` where batch or image size is below 1, where batch
    ///   statistics would be those of a single value a channel, or where there are no replicas.
    public func trainingGraph(
        batch: Int, imageSize: Int = 224,
        normalization: BatchNormalizationOptions = BatchNormalizationOptions(),
        frozen: FrozenPart = .none, replicas: Int = 1
    ) throws(GraphError) -> Graph {
        var network = NetworkBuilder(
            architecture: self, mode: .training(normalization, frozen), replicaCount: replicas)
        let values = try network.forwardPass(batch: batch, imageSize: imageSize)
        try network.graph.output(ResNetOutput.logits.rawValue, values.logits)
        return try network.graph.finish()
    }
}
