import Graph
import Tensors

/// Layers of a network whose parameters are states, in the case's element type.
extension CaseBuilder {
    /// A batch norm with the moments of its operand.
    mutating func batchNorm(_ x: Value) throws(GraphError) -> Value {
        let channels = graph.type(of: x)?.shape[1] ?? 0
        let scale = try state("scale", [channels], .uniform(0.5..<1.5))
        let shift = try state("shift", [channels])
        var moments = try graph.batchMoments(x)
        if isSynchronized { moments = try graph.replicaMoments(moments) }
        return try graph.normalizeBatch(x, scale: scale, shift: shift, moments: moments)
    }

    /// A batch norm with given statistics.
    mutating func frozenNorm(_ x: Value) throws(GraphError) -> Value {
        let channels = graph.type(of: x)?.shape[1] ?? 0
        let scale = try state("scale", [channels], .uniform(0.5..<1.5))
        let shift = try state("shift", [channels])
        return try graph.batchNormalization(
            x, scale: scale, shift: shift, mean: parameter("mean", [channels], vectorType),
            variance: parameter("variance", [channels], vectorType))
    }

    /// A convolution that keeps the extents divided by its stride, and a batch norm.
    mutating func layer(
        _ x: Value, channels: Int, size: Int, stride: Int = 1, frozen: Bool
    ) throws(GraphError) -> Value {
        let depth = graph.type(of: x)?.shape[1] ?? 0
        let filter = try weights(.state, "filter", [channels, depth, size, size])
        let y = try graph.convolution(
            x, filter: filter, stride: Spatial(stride), padding: Padding(size / 2))
        return frozen ? try frozenNorm(y) : try batchNorm(y)
    }

    /// Two convolutions and what they are given.
    mutating func basicBlock(_ x: Value, frozen: Bool) throws(GraphError) -> Value {
        let channels = graph.type(of: x)?.shape[1] ?? 0
        var y = try layer(x, channels: channels, size: 3, frozen: frozen)
        y = try graph.relu(y)
        y = try layer(y, channels: channels, size: 3, frozen: frozen)
        return try graph.relu(graph.add(y, x))
    }

    /// Three convolutions and what they are given, which is projected where extents differ.
    mutating func bottleneck(
        _ x: Value, channels: Int, stride: Int = 1, frozen: Bool
    ) throws(GraphError) -> Value {
        var shortcut = x
        if stride > 1 || graph.type(of: x)?.shape[1] != channels {
            shortcut = try layer(x, channels: channels, size: 1, stride: stride, frozen: frozen)
        }
        var y = try layer(x, channels: channels / 2, size: 1, frozen: frozen)
        y = try graph.relu(y)
        y = try layer(y, channels: channels / 2, size: 3, stride: stride, frozen: frozen)
        y = try graph.relu(y)
        y = try layer(y, channels: channels, size: 1, frozen: frozen)
        return try graph.relu(graph.add(y, shortcut))
    }

    /// From pixels through a stem and a block to a loss.
    ///
    /// - Parameters:
    ///   - pixels: images, height, width.
    ///   - channels: of the stem; the block gives twice as many.
    mutating func smallNetwork(
        pixels: (Int, Int, Int), channels: Int, frozen: Bool
    ) throws(GraphError) -> Value {
        let image = try input("pixels", [pixels.0, pixels.1, pixels.2, 3], .uint8)
        var y = try graph.normalizeImage(
            image, mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25], elementType: elementType)
        y = try layer(y, channels: channels, size: 7, stride: 2, frozen: frozen)
        y = try graph.relu(y)
        y = try graph.maxPool(y, size: Spatial(3), stride: Spatial(2), padding: Padding(1))
        y = try bottleneck(y, channels: 2 * channels, stride: 2, frozen: frozen)
        return try classificationLoss(y, classes: 7)
    }

    /// A classifier's loss.
    mutating func classificationLoss(_ x: Value, classes: Int) throws(GraphError) -> Value {
        let shape = graph.type(of: x)?.shape ?? []
        let features = try graph.globalAveragePool(x)
        let weight = try weights(.state, "weight", [classes, shape[1]])
        let bias = try state("bias", [classes])
        let logits = try graph.dense(
            features, weight: weight, bias: bias, elementType: vectorType)
        return try graph.crossEntropy(
            logits, targets: labels(shape[0], of: classes), smoothing: 0.1)
    }
}
