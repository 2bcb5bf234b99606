internal import CKernels

/// A loss over classes.
public struct CrossEntropyKernel: Sendable, Hashable {
    /// Images and classes.
    public var images, classes: Int
    /// The share of each target that is spread over all classes.
    public var smoothing: Double
    /// Whether targets are distributions rather than int32 labels.
    public var isSoft: Bool
    /// What logits, and soft targets, are.
    public var element: KernelElement

    /// Makes a loss.
    public init(
        images: Int, classes: Int, smoothing: Double, isSoft: Bool, element: KernelElement
    ) {
        self.images = images
        self.classes = classes
        self.smoothing = smoothing
        self.isSoft = isSoft
        self.element = element
    }

    var native: ck_cross_entropy {
        ck_cross_entropy(
            images: Int32(images), classes: Int32(classes), smoothing: Float(smoothing),
            soft: isSoft, type: element.type)
    }

    var logitByteCount: Int { images * classes * element.byteCount }
    var targetByteCount: Int { isSoft ? logitByteCount : images * 4 }
}

/// Loss, optimizer and the numbers around them. Numbers are float32.
extension StepCall {
    /// The mean loss, one number.
    public static func crossEntropy(
        _ loss: CrossEntropyKernel, logits: StepOperand, targets: StepOperand,
        weights: StepOperand?, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_CROSS_ENTROPY, "loss", label: label, operands: [logits, targets, weights, out])
        try call.require(0, loss.logitByteCount)
        try call.require(1, loss.targetByteCount)
        try call.requireIfPresent(2, loss.classes * 4)
        try call.require(3, 4)
        call.attributes = .loss(loss.native)
        return call
    }

    /// The loss's gradient for the logits, times the number `gradient`.
    public static func crossEntropyGradient(
        _ loss: CrossEntropyKernel, logits: StepOperand, targets: StepOperand,
        weights: StepOperand?, gradient: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_CROSS_ENTROPY_GRADIENT, "loss", label: label,
            operands: [logits, targets, weights, gradient, out])
        try call.require(0, loss.logitByteCount)
        try call.require(1, loss.targetByteCount)
        try call.requireIfPresent(2, loss.classes * 4)
        try call.require(3, 4)
        try call.require(4, loss.logitByteCount)
        call.attributes = .loss(loss.native)
        return call
    }

    /// How many images have their label among the `top` largest logits.
    public static func correctCount(
        images: Int, classes: Int, top: Int, element: KernelElement, logits: StepOperand,
        labels: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_CORRECT_COUNT, "loss", label: label, operands: [logits, labels, out])
        try call.require(0, images * classes * element.byteCount)
        try call.require(1, images * 4)
        try call.require(2, 4)
        call.attributes = .sizes(Sizes(channels: classes, top: top))
        call.from = element.type
        call.rows = images
        call.rowsPerUnit = images
        return call
    }

    /// A step of gradient descent with momentum over `count` float32.
    ///
    /// - Parameters:
    ///   - newVelocity: where the velocity goes; `nil` where `velocity` is already the new one.
    ///   - newWeight: where the weight goes; `nil` where only the velocity is wanted.
    public static func momentum(
        count: Int, momentum: Double, weightDecay: Double, nesterov: Bool, keras: Bool,
        weight: StepOperand, gradient: StepOperand, velocity: StepOperand, rate: StepOperand,
        factor: StepOperand, newVelocity: StepOperand?, newWeight: StepOperand?, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_MOMENTUM, "optimizer", label: label,
            operands: [weight, gradient, velocity, rate, factor, newVelocity, newWeight])
        guard newVelocity != nil || newWeight != nil else {
            throw NativeError(.unsupported, "\(label): a step without a result")
        }
        for index in [0, 1, 2] { try call.require(index, count * 4) }
        for index in [3, 4] { try call.require(index, 4) }
        for index in [5, 6] { try call.requireIfPresent(index, count * 4) }
        call.attributes = .momentum(
            ck_momentum(
                momentum: Float(momentum), weight_decay: Float(weightDecay), nesterov: nesterov,
                keras: keras))
        call.share(rows: count, rowsPerUnit: 1 << 16)
        return call
    }

    /// Elements in one part of a sum over all elements.
    public static let partElementCount = 1 << 16

    /// Parts of a sum over `count` elements.
    public static func partCount(_ count: Int) -> Int {
        max(1, (count + partElementCount - 1) / partElementCount)
    }

    /// Sums of squares, one float64 for each part of the elements.
    public static func squaredNorm(
        count: Int, element: KernelElement, input: StepOperand, parts: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        try reduction(CK_STEP_SQUARED_NORM, count, element, input, parts, label)
    }

    /// Whether there are elements that are not finite, one float64 for each part of the elements.
    public static func countNonFinite(
        count: Int, element: KernelElement, input: StepOperand, parts: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        try reduction(CK_STEP_COUNT_NON_FINITE, count, element, input, parts, label)
    }

    private static func reduction(
        _ code: ck_step_kind, _ count: Int, _ element: KernelElement, _ input: StepOperand,
        _ parts: StepOperand, _ label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(code, "optimizer", label: label, operands: [input, parts])
        try call.require(0, count * element.byteCount)
        try call.require(1, partCount(count) * 8)
        call.from = element.type
        call.share(rows: count, rowsPerUnit: partElementCount)
        return call
    }

    /// One of two operands of `byteCount` bytes.
    public static func select(
        byteCount: Int, condition: StepOperand, first: StepOperand, second: StepOperand,
        out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_SELECT, "optimizer", label: label, operands: [condition, first, second, out])
        try call.require(0, 4)
        for index in 1...3 { try call.require(index, byteCount) }
        call.share(rows: byteCount, rowsPerUnit: 1 << 18)
        return call
    }

    /// `old + share * (new - old)` over `count` float32.
    public static func movingAverage(
        count: Int, old: StepOperand, new: StepOperand, share: StepOperand, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_MOVING_AVERAGE, "optimizer", label: label, operands: [old, new, share, out])
        for index in [0, 1, 3] { try call.require(index, count * 4) }
        try call.require(2, 4)
        call.share(rows: count, rowsPerUnit: 1 << 16)
        return call
    }

    /// The product of `count` elements with as many factors, or with one where `scalar`.
    public static func multiply(
        count: Int, element: KernelElement, scalar: Bool, input: StepOperand, factor: StepOperand,
        out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_MULTIPLY, "elementwise", label: label, operands: [input, factor, out])
        try call.require(0, count * element.byteCount)
        try call.require(1, (scalar ? 1 : count) * element.byteCount)
        try call.require(2, count * element.byteCount)
        call.attributes = .sizes(Sizes(flag: scalar))
        call.from = element.type
        call.share(rows: count, rowsPerUnit: 1 << 16)
        return call
    }

    /// One over each of `count` float32.
    public static func reciprocal(
        count: Int, input: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        try elementwise(CK_STEP_RECIPROCAL, "optimizer", count, .float32, [input, out], label)
    }

    /// The factor that brings a norm down to `maximum`, from the squared norm.
    public static func clipFactor(
        maximum: Double, squaredNorm: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_CLIP_FACTOR, "optimizer", label: label, operands: [squaredNorm, out])
        for index in 0..<2 { try call.require(index, 4) }
        call.attributes = .sizes(Sizes(number: maximum))
        return call
    }

    /// LARS's trust ratio, from the squared norms.
    public static func trustRatio(
        coefficient: Double, weightDecay: Double, epsilon: Double, weight: StepOperand,
        gradient: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_TRUST_RATIO, "optimizer", label: label, operands: [weight, gradient, out])
        for index in 0..<3 { try call.require(index, 4) }
        call.attributes = .trust(
            coefficient: coefficient, weightDecay: weightDecay, epsilon: epsilon)
        return call
    }

    /// The next loss scale and streak of finite steps, two float32.
    public static func lossScale(
        growth: Double, backoff: Double, interval: Int, scale: StepOperand, finite: StepOperand,
        out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_LOSS_SCALE, "optimizer", label: label, operands: [scale, finite, out])
        try call.require(0, 8)
        try call.require(1, 4)
        try call.require(2, 8)
        call.attributes = .lossScale(
            growth: growth, backoff: backoff, interval: Double(interval))
        return call
    }

    /// 1 where a number is 0, else 0.
    public static func isZero(
        input: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        let call = StepCall(CK_STEP_IS_ZERO, "optimizer", label: label, operands: [input, out])
        for index in 0..<2 { try call.require(index, 4) }
        return call
    }
}
