import Graph
import Tensors

/// Writes the network down once, for inference and for training.
struct NetworkBuilder {
    /// What the graph is for.
    enum Mode {
        /// Parameters are given once; batch norms use stored statistics.
        case inference
        /// Parameters are state, and batch norms do as the options say; frozen ones use stored statistics.
        case training(BatchNormalizationOptions, FrozenPart)
    }

    /// The values that graphs give.
    struct Values {
        var activations: Value
        var features: Value
        var logits: Value
    }

    let architecture: ResNetArchitecture
    let mode: Mode
    var graph: GraphBuilder
    private let shapes: [String: Shape]
    /// Numbers in the graph, each once.
    private var constants: [Double: Value] = [:]

    init(architecture: ResNetArchitecture, mode: Mode, replicaCount: Int = 1) {
        self.architecture = architecture
        self.mode = mode
        graph = GraphBuilder(name: architecture.name, replicaCount: replicaCount)
        shapes = Dictionary(
            uniqueKeysWithValues: architecture.parameterList.map { ($0.name, $0.shape) })
    }

    /// Adds everything from the input `image` to the logits.
    mutating func forwardPass(batch: Int, imageSize: Int) throws(GraphError) -> Values {
        guard batch >= 1, imageSize >= 1, batch <= 1 << 20, imageSize <= 1 << 16 else {
            throw GraphError(
                .invalidAttribute,
                "\(architecture.name): expected a batch of 1 to \(1 << 20) and images of 1 to "
                    + "\(1 << 16) pixels a side, found \(batch) and \(imageSize)")
        }
        let image = try graph.input(
            "image", type: TensorType(.uint8, [batch, imageSize, imageSize, 3]))
        var x = try graph.normalizeImage(
            image, mean: architecture.normalization.mean,
            deviation: architecture.normalization.deviation)
        x = try convolutionAndNormalization(architecture.stem, x)
        x = try graph.relu(x, label: "relu")
        x = try graph.maxPool(
            x, size: Spatial(3), stride: Spatial(2),
            padding: padding(size: 3, stride: 2, over: x, isPooling: true),
            label: "maxpool")
        for block in architecture.blocks { x = try residualBlock(block, x) }
        let features = try graph.globalAveragePool(x, label: "avgpool")
        let logits = try graph.dense(
            features, weight: parameter("fc.weight"), bias: parameter("fc.bias"), label: "fc")
        return Values(activations: x, features: features, logits: logits)
    }

    private mutating func residualBlock(
        _ block: ResidualBlock, _ x: Value
    ) throws(GraphError) -> Value {
        // The projection comes first, so that the main branch's last convolution is the later of the two
        // and takes the sum when nodes are fused.
        var shortcut = x
        if let projection = block.projection {
            shortcut = try convolutionAndNormalization(projection, x)
        }
        var y = x
        for (index, convolution) in block.convolutions.enumerated() {
            y = try convolutionAndNormalization(convolution, y)
            if index < block.convolutions.count - 1 {
                y = try graph.relu(y, label: "\(block.name).relu")
            }
        }
        let sum = try graph.add(y, shortcut, label: block.name)
        return try graph.relu(sum, label: "\(block.name).relu")
    }

    private mutating func convolutionAndNormalization(
        _ layer: ConvolutionLayer, _ x: Value
    ) throws(GraphError) -> Value {
        let y = try graph.convolution(
            x, filter: parameter("\(layer.name).weight"), stride: Spatial(layer.stride),
            padding: padding(size: layer.size, stride: layer.stride, over: x), label: layer.name)
        let name = layer.normalizationName
        switch mode {
        case .inference:
            return try normalizationWithStoredStatistics(name, y, epsilon: 1e-5)
        case .training(let options, let frozen)
        where options.isFrozen || frozen.containsNormalization(name):
            return try normalizationWithStoredStatistics(name, y, epsilon: options.epsilon)
        case .training(let options, _):
            return try normalizationWithBatchStatistics(name, y, options)
        }
    }

    private func padding(
        size: Int, stride: Int, over x: Value, isPooling: Bool = false
    ) -> Padding {
        // Whatever is no image is refused by the operation that gets the padding.
        let shape = graph.type(of: x)?.shape ?? []
        let image =
            shape.rank == 4 ? Spatial(height: shape[2], width: shape[3]) : Spatial(0)
        return architecture.padding.padding(
            size: size, stride: stride, over: image, isPooling: isPooling)
    }

    private mutating func normalizationWithStoredStatistics(
        _ name: String, _ x: Value, epsilon: Double
    ) throws(GraphError) -> Value {
        try graph.batchNormalization(
            x, scale: parameter("\(name).weight"), shift: parameter("\(name).bias"),
            mean: parameter("\(name).running_mean"), variance: parameter("\(name).running_var"),
            epsilon: epsilon, label: name)
    }

    private mutating func normalizationWithBatchStatistics(
        _ name: String, _ x: Value, _ options: BatchNormalizationOptions
    ) throws(GraphError) -> Value {
        let shape = graph.type(of: x)?.shape ?? []
        let isSynchronized = graph.replicaCount > 1 && options.batchStatistics == .synchronized
        let count =
            shape.elementCount / max(1, shape.rank > 1 ? shape[1] : 1)
            * (isSynchronized ? graph.replicaCount : 1)
        guard count > 1 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): batch statistics need more than 1 value per channel, found \(shape); "
                    + "use larger batches or images, or freeze batch norms")
        }
        var moments = try graph.batchMoments(x, label: name)
        if isSynchronized { moments = try graph.replicaMoments(moments, label: name) }
        let y = try graph.normalizeBatch(
            x, scale: parameter("\(name).weight"), shift: parameter("\(name).bias"),
            moments: moments, epsilon: options.epsilon, label: name)

        // The running statistics of all replicas stay equal, whatever each normalises with.
        if graph.replicaCount > 1, !isSynchronized {
            moments = try graph.replicaMean(moments, label: name)
        }
        let share = try constant(options.momentum)
        let mean = try graph.row(moments, index: 0, label: name)
        var variance = try graph.row(moments, index: 1, label: name)
        if options.runningVariance == .unbiased {
            variance = try graph.multiply(
                variance, by: constant(Double(count) / Double(count - 1)), label: name)
        }
        for (suffix, new) in [("running_mean", mean), ("running_var", variance)] {
            let statistic = "\(name).\(suffix)"
            try graph.update(
                statistic,
                graph.movingAverage(parameter(statistic), new, share: share, label: name))
        }
        return y
    }

    private mutating func parameter(_ name: String) throws(GraphError) -> Value {
        guard let shape = shapes[name] else {
            preconditionFailure("\(name) is not in the architecture's parameter list")
        }
        let type = TensorType(.float32, shape)
        switch mode {
        case .inference: return try graph.parameter(name, type: type)
        case .training: return try graph.state(name, type: type)
        }
    }

    private mutating func constant(_ number: Double) throws(GraphError) -> Value {
        if let value = constants[number] { return value }
        let value = try graph.constant(number)
        constants[number] = value
        return value
    }
}
