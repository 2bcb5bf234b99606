import Graph
import Tensors

/// Types such as `f[2, 3]`: `f` float32, `d` float64, `b` bfloat16, `i` int32, `u` uint8.
private func type(_ element: Character, _ shape: Shape) -> TensorType {
    let elements: [Character: ElementType] = [
        "f": .float32, "d": .float64, "b": .bfloat16, "i": .int32, "u": .uint8,
    ]
    return TensorType(elements[element] ?? .bool, shape)
}

private func f(_ dimensions: Int...) -> TensorType { type("f", Shape(dimensions)) }
private func d(_ dimensions: Int...) -> TensorType { type("d", Shape(dimensions)) }
private func b(_ dimensions: Int...) -> TensorType { type("b", Shape(dimensions)) }
private func i(_ dimensions: Int...) -> TensorType { type("i", Shape(dimensions)) }
private func u(_ dimensions: Int...) -> TensorType { type("u", Shape(dimensions)) }

/// Operations of training steps on operands that fit, and on operands that do not.
enum TrainingCases {
    typealias Case = (operation: Operation, operands: [TensorType], result: TensorType)

    private static let slide = Convolution(
        stride: Spatial(2), padding: Padding(top: 1, left: 0, bottom: 1, right: 0))
    private static let window = Window(
        size: Spatial(3), stride: Spatial(2), padding: Padding(1))
    private static let rule = MomentumRule(momentum: 0.9)
    private static let weighted = CrossEntropy(hasWeights: true)

    static let cases: [Case] = [
        (.constant(1.5, .float32), [], f()),
        (.constant(1e300, .float64), [], d()),
        (.batchMoments, [b(2, 3, 4, 5)], f(2, 3)),
        (.batchMoments, [d(1, 3, 1, 1)], d(2, 3)),
        (.normalizeBatch(epsilon: 0), [b(2, 3, 4, 5), f(3), b(3), f(2, 3)], b(2, 3, 4, 5)),
        (.normalizationSums(epsilon: 0), [b(2, 3, 4, 5), b(2, 3, 4, 5), f(2, 3)], f(2, 3)),
        (
            .normalizeBatchGradient(epsilon: 1),
            [d(2, 3, 4, 5), d(2, 3, 4, 5), d(3), d(2, 3), d(2, 3)], d(2, 3, 4, 5)
        ),
        (.batchNormalizationGradient(epsilon: 0), [b(2, 3, 4, 5), f(3), f(3)], b(2, 3, 4, 5)),
        (.reluGradient, [b(2, 3), b(2, 3)], b(2, 3)),
        (
            // (10 + 2 - 3) / 2 + 1 = 5, (9 - 2) / 2 + 1 = 4; an input of 9 by 8 gives these too.
            .convolutionInputGradient(slide, size: Spatial(height: 10, width: 9)),
            [b(2, 7, 5, 4), b(7, 3, 3, 2)], b(2, 3, 10, 9)
        ),
        (
            .convolutionInputGradient(slide, size: Spatial(height: 9, width: 8)),
            [f(2, 7, 5, 4), f(7, 3, 3, 2)], f(2, 3, 9, 8)
        ),
        (
            .convolutionFilterGradient(slide, size: Spatial(height: 3, width: 2)),
            [b(2, 7, 5, 4), b(2, 3, 10, 9)], f(7, 3, 3, 2)
        ),
        (.maxPoolIndices(window), [b(2, 3, 8, 7)], u(2, 3, 4, 4)),
        (
            .maxPoolGradient(window, size: Spatial(height: 8, width: 7)),
            [b(2, 3, 4, 4), u(2, 3, 4, 4)], b(2, 3, 8, 7)
        ),
        (
            .globalAveragePoolGradient(size: Spatial(height: 7, width: 6)), [b(2, 3)],
            b(2, 3, 7, 6)
        ),
        (.denseInputGradient, [b(2, 5), b(5, 3)], b(2, 3)),
        (.denseWeightGradient, [b(2, 5), b(2, 3)], f(5, 3)),
        (.channelSums, [b(2, 5)], f(5)),
        (.channelSums, [d(2, 5, 3)], d(5)),
        (.crossEntropy(CrossEntropy(smoothing: 1)), [f(2, 5), i(2)], f()),
        (.crossEntropy(weighted), [d(2, 5), d(2, 5), d(5)], d()),
        (.crossEntropyGradient(CrossEntropy()), [b(2, 5), i(2), f()], b(2, 5)),
        (.crossEntropyGradient(weighted), [f(2, 5), f(2, 5), f(5), f()], f(2, 5)),
        (.correctCount(top: 5), [f(2, 5), i(2)], f()),
        (.row(index: 2), [f(3, 4, 5)], f(4, 5)),
        (.row(index: 0), [d(1)], d()),
        (.stack, [f(4), f(4), f(4)], f(3, 4)),
        (.multiply, [f(3, 4), f()], f(3, 4)),
        (.multiply, [f(3, 4), f(3, 4)], f(3, 4)),
        (.reciprocal, [f(3)], f(3)),
        (.squaredNorm, [f(3), b(2, 2)], f()),
        (.isFinite, [f(3), d()], d()),
        (.select, [f(), i(3), i(3)], i(3)),
        (.movingAverage, [f(3), f(3), f()], f(3)),
        (.clipFactor(maximum: 2), [f()], f()),
        (.trustRatio(coefficient: 0.001, weightDecay: 0, epsilon: 0), [f(), f()], f()),
        (.velocityUpdate(rule), [f(3), f(3), f(3), f(), f()], f(3)),
        (.weightUpdate(rule), [d(2, 2), d(2, 2), d(2, 2), d(), d()], d(2, 2)),
        (.lossScaleUpdate(LossScaleRule()), [f(2), f()], f(2)),
        (.replicaMean, [b(2, 3)], b(2, 3)),
        (.replicaMean, [d()], d()),
        (.replicaMoments, [f(2, 3)], f(2, 3)),
        (.replicaMoments, [d(2, 1)], d(2, 1)),
    ]

    private static let wide = Window(
        size: Spatial(height: 16, width: 17), stride: Spatial(1), padding: Padding(0))
    private static let huge = Window(
        size: Spatial(.max), stride: Spatial(1), padding: Padding(0))

    static let mistakes: [(Operation, [TensorType], GraphError.Code, String)] = [
        (.constant(.nan, .float64), [], .invalidAttribute, "finite float64"),
        (.constant(1e300, .float32), [], .invalidAttribute, "finite float32"),
        (.constant(1, .bfloat16), [], .invalidAttribute, "float32 or float64"),
        (.batchMoments, [f(1, 1 << 62, 1, 1)], .shapeMismatch, "too large"),
        (
            .normalizeBatch(epsilon: -1), [f(2, 3, 4, 5), f(3), f(3), f(2, 3)],
            .invalidAttribute, "epsilon of at least 0"
        ),
        (
            .normalizeBatch(epsilon: 0), [b(2, 3, 4, 5), f(3), f(3), b(2, 3)],
            .elementTypeMismatch, "moments of float32"
        ),
        (
            .convolutionInputGradient(Convolution(activation: .relu), size: Spatial(4)),
            [f(1, 1, 4, 4), f(1, 1, 1, 1)], .invalidAttribute, "without bias, residual"
        ),
        (
            .convolutionFilterGradient(Convolution(hasBias: true), size: Spatial(1)),
            [f(1, 1, 4, 4), f(1, 1, 4, 4)], .invalidAttribute, "without bias, residual"
        ),
        (
            .convolutionInputGradient(slide, size: Spatial(height: 11, width: 9)),
            [b(2, 7, 5, 4), b(7, 3, 3, 2)], .shapeMismatch, "expected a gradient of 6x4"
        ),
        (
            .convolutionInputGradient(Convolution(), size: Spatial(-1)),
            [f(1, 1, 4, 4), f(1, 1, 1, 1)], .shapeMismatch, "at least 0"
        ),
        (
            .convolutionInputGradient(Convolution(), size: Spatial(.max)),
            [f(1, 1, 4, 4), f(1, 1, 1, 1)], .shapeMismatch, "too large"
        ),
        (
            .convolutionFilterGradient(slide, size: Spatial(height: 3, width: 4)),
            [b(2, 7, 5, 4), b(2, 3, 10, 9)], .shapeMismatch, "expected a gradient of 5x3"
        ),
        (
            .convolutionFilterGradient(Convolution(), size: Spatial(0)),
            [f(1, 1, 4, 4), f(1, 1, 4, 4)], .invalidAttribute, "window of at least 1x1"
        ),
        (.maxPoolIndices(wide), [f(1, 1, 20, 20)], .invalidAttribute, "at most 256 elements"),
        (.maxPoolIndices(huge), [f(1, 1, 20, 20)], .invalidAttribute, "at most 256 elements"),
        (
            .maxPoolGradient(window, size: Spatial(9)), [f(1, 1, 4, 4), u(1, 1, 4, 4)],
            .shapeMismatch, "expected a gradient of 5x5"
        ),
        (
            .globalAveragePoolGradient(size: Spatial(height: 0, width: 1)), [f(1, 1)],
            .invalidAttribute, "at least 1x1"
        ),
        (.denseInputGradient, [f(2, 5), f(4, 3)], .shapeMismatch, "gives the 5 features"),
        (.denseWeightGradient, [f(2, 5), f(3, 3)], .shapeMismatch, "for the 2 rows"),
        (.channelSums, [f(2)], .rankMismatch, "two or more axes"),
        (
            .crossEntropy(CrossEntropy(smoothing: 1.1)), [f(2, 5), i(2)], .invalidAttribute,
            "smoothing of 0 to 1, found 1.1"
        ),
        (
            .crossEntropyGradient(CrossEntropy(smoothing: .nan)), [f(2, 5), i(2), f()],
            .invalidAttribute, "smoothing of 0 to 1"
        ),
        (
            .crossEntropy(CrossEntropy()), [f(2, 5), b(2, 5)], .elementTypeMismatch,
            "labels of int32 or targets of float32, found bfloat16"
        ),
        (
            .crossEntropy(CrossEntropy()), [f(2, 5), f(2)], .shapeMismatch,
            "targets [2, 5], found [2]"
        ),
        (.crossEntropy(CrossEntropy()), [f(2, 5), i(3)], .shapeMismatch, "labels [2], found [3]"),
        (.crossEntropy(weighted), [f(2, 5), i(2), f(4)], .shapeMismatch, "class weights [5]"),
        (.correctCount(top: 6), [f(2, 5), i(2)], .invalidAttribute, "1 to the 5 classes, found 6"),
        (.correctCount(top: 0), [f(2, 5), i(2)], .invalidAttribute, "1 to the 5 classes, found 0"),
        (.row(index: 2), [f(2, 3)], .invalidAttribute, "0 to 1, found 2"),
        (.row(index: -1), [f(2, 3)], .invalidAttribute, "0 to 1, found -1"),
        (.row(index: 0), [f()], .rankMismatch, "one or more axes"),
        (.stack, [f(3), f(4)], .shapeMismatch, "vectors [3], found [4]"),
        (.multiply, [f(3), d()], .elementTypeMismatch, "factor of float32"),
        (.select, [b(), f(), f()], .elementTypeMismatch, "condition of float32"),
        (.select, [f(), f(), d()], .elementTypeMismatch, "last operand of float32"),
        (.clipFactor(maximum: 0), [f()], .invalidAttribute, "maximum above 0"),
        (.clipFactor(maximum: .infinity), [f()], .invalidAttribute, "maximum above 0"),
        (
            .trustRatio(coefficient: 1, weightDecay: -1, epsilon: 0), [f(), f()],
            .invalidAttribute, "weightDecay of at least 0"
        ),
        (
            .velocityUpdate(MomentumRule(momentum: .infinity)), [f(3), f(3), f(3), f(), f()],
            .invalidAttribute, "momentum of at least 0"
        ),
        (
            .weightUpdate(MomentumRule(momentum: 0, weightDecay: -1)),
            [f(3), f(3), f(3), f(), f()], .invalidAttribute, "weightDecay of at least 0"
        ),
        (
            .lossScaleUpdate(LossScaleRule(growth: 0.5)), [f(2), f()], .invalidAttribute,
            "growth of at least 1"
        ),
        (
            .lossScaleUpdate(LossScaleRule(backoff: 0)), [f(2), f()], .invalidAttribute,
            "backoff above 0"
        ),
        (
            .lossScaleUpdate(LossScaleRule(interval: 0)), [f(2), f()], .invalidAttribute,
            "interval of at least 1"
        ),
        (.replicaMoments, [b(2, 3)], .elementTypeMismatch, "moments of float32"),
        (.replicaMoments, [f(3, 2)], .shapeMismatch, "moments [2, 2], found [3, 2]"),
        (.state(name: "w"), [], .invalidAttribute, "states its type"),
    ]
}
