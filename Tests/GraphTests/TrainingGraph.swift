import Graph
import Tensors

/// A graph of every operation of training steps, with attributes that are not the defaults and for several replicas;
/// it computes nothing of use.
func trainingGraph() throws(GraphError) -> Graph {
    var builder = GraphBuilder(name: "every training operation", replicaCount: 3)
    let x = try builder.input("x", type: TensorType(.bfloat16, [2, 3, 7, 6]))
    let labels = try builder.input("labels", type: TensorType(.int32, [2]))
    let filter = try builder.cast(
        builder.state("conv1.weight", type: TensorType(.float32, [4, 3, 3, 2]), label: "conv1"),
        to: .bfloat16)
    let scale = try builder.state("bn1.weight", type: TensorType(.float32, [4]))
    let shift = try builder.state("bn1 \"bias\"", type: TensorType(.float32, [4]))
    let one = try builder.constant(1, label: "one")
    let tiny = try builder.constant(-1e-300, .float64)

    // Forward and back through a convolution and its batch norm.
    let stride = Spatial(height: 2, width: 1)
    let padding = Padding(top: 0, left: 1, bottom: 2, right: 0)
    let y = try builder.convolution(x, filter: filter, stride: stride, padding: padding)
    let moments = try builder.replicaMoments(builder.batchMoments(y), label: "bn1")
    let normalized = try builder.normalizeBatch(
        y, scale: scale, shift: shift, moments: moments, epsilon: 1.0 / 3)
    let sums = try builder.normalizationSums(
        gradient: builder.replicaMean(y, label: "bn1"), x: normalized, moments: moments,
        epsilon: 0.25)
    let gradient = try builder.reluGradient(
        gradient: builder.normalizeBatchGradient(
            gradient: y, x: normalized, scale: scale, moments: moments, sums: sums, epsilon: 0),
        y: builder.batchNormalizationGradient(
            gradient: y, scale: scale, variance: shift, epsilon: 0.5))
    let inputGradient = try builder.convolutionInputGradient(
        gradient: gradient, filter: filter, size: Spatial(height: 7, width: 6), stride: stride,
        padding: padding, label: "conv1.gradient")
    let filterGradient = try builder.convolutionFilterGradient(
        gradient: gradient, x: x, size: Spatial(height: 3, width: 2), stride: stride,
        padding: padding)

    // Pooling and a dense layer.
    let window = Window(
        size: Spatial(height: 3, width: 2), stride: Spatial(height: 1, width: 2),
        padding: Padding(top: 2, left: 1, bottom: 0, right: 0))
    let indices = try builder.maxPoolIndices(x, window)
    let pooled = try builder.maxPoolGradient(
        gradient: builder.maxPool(
            x, size: window.size, stride: window.stride, padding: window.padding),
        indices: indices, window, size: Spatial(height: 7, width: 6))
    let logits = try builder.globalAveragePool(pooled)
    let weight = try builder.cast(
        builder.stack([shift, builder.channelSums(y), scale]), to: .bfloat16)
    let back = try builder.denseInputGradient(gradient: logits, weight: weight)
    let spread = try builder.globalAveragePoolGradient(
        gradient: back, size: Spatial(height: 5, width: 1))
    let weightGradient = try builder.denseWeightGradient(gradient: logits, x: back)

    // Losses.
    let loss = try builder.crossEntropy(logits, targets: labels, smoothing: 0.1)
    let classWeights = try builder.state("class weights", type: TensorType(.float32, [3]))
    let softLoss = try builder.crossEntropy(logits, targets: logits, weights: classWeights)
    let logitsGradient = try builder.crossEntropyGradient(
        logits, targets: labels, gradient: one, smoothing: 1)
    let softGradient = try builder.crossEntropyGradient(
        logits, targets: logits, weights: classWeights, gradient: loss)
    let correct = try builder.correctCount(logits, labels: labels, top: 3, label: "top 3")

    // Numbers about the step, and updates.
    let rate = try builder.reciprocal(builder.multiply(one, by: correct))
    let norm = try builder.squaredNorm([filterGradient, y])
    let finite = try builder.isFinite([weightGradient])
    let factor = try builder.select(
        finite, builder.clipFactor(squaredNorm: norm, maximum: 2.5),
        builder.trustRatio(
            weight: norm, gradient: softLoss, coefficient: 0.001, weightDecay: 1e-4, epsilon: 1e-9))
    let rule = MomentumRule(convention: .keras, momentum: 0.9, weightDecay: 5e-5, nesterov: true)
    let velocity = try builder.velocityUpdate(
        rule, velocity: scale, weight: shift, gradient: builder.row(sums, index: 1), rate: rate,
        factor: factor)
    let changed = try builder.weightUpdate(
        MomentumRule(momentum: 0.5), weight: scale, gradient: shift, velocity: velocity,
        rate: rate, factor: factor)
    let average = try builder.movingAverage(shift, velocity, share: rate, label: "bn1")
    let lossScale = try builder.state("loss scale", type: TensorType(.float32, [2]))
    let nextScale = try builder.lossScaleUpdate(
        LossScaleRule(growth: 1.5, backoff: 0.25, interval: 7), lossScale, isFinite: finite)

    for (name, value) in [
        ("tiny", tiny), ("input gradient", inputGradient), ("spread", spread),
        ("logits gradient", logitsGradient), ("soft gradient", softGradient),
    ] {
        try builder.output(name, value)
    }
    try builder.update("bn1.weight", changed)
    try builder.update("bn1 \"bias\"", average)
    try builder.update("loss scale", nextScale)
    return try builder.finish()
}
