internal import CKernels

/// Which elements of a gradient count: those where a ReLU let its operand pass.
public enum GradientMask: Sendable, Hashable {
    /// All.
    case all
    /// Those where `x`, through an affine `[2][channels]`, is above 0.
    case affine(StepOperand)
    /// Those where a result of the ReLU is above 0.
    case y(StepOperand)

    var native: ck_mask {
        switch self {
        case .all: CK_ALL
        case .affine: CK_WHERE_AFFINE
        case .y: CK_WHERE_Y
        }
    }

    var affine: StepOperand? {
        if case .affine(let operand) = self { operand } else { nil }
    }

    var y: StepOperand? {
        if case .y(let operand) = self { operand } else { nil }
    }
}

/// Batch norm over `pixels` positions of `channels`, channels innermost.
extension StepCall {
    /// One part's moments, float64 `[2][channels]`.
    public static func moments(
        pixels: Int, channels: Int, element: KernelElement, input: StepOperand, part: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(CK_STEP_MOMENTS, "batch norm", label: label, operands: [input, part])
        try call.require(0, pixels * channels * element.byteCount)
        try call.require(1, 2 * channels * 8)
        call.attributes = .sizes(Sizes(pixels: pixels, channels: channels))
        call.from = element.type
        return call
    }

    /// The moments, float32 `[2][channels]`, of `parts` parts of `pixels` positions each.
    public static func combineMoments(
        parts: Int, pixels: Int, channels: Int, input: StepOperand, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_COMBINE_MOMENTS, "batch norm", label: label, operands: [input, out])
        try call.require(0, parts * 2 * channels * 8)
        try call.require(1, 2 * channels * 4)
        call.attributes = .sizes(Sizes(pixels: pixels, channels: channels, parts: parts))
        return call
    }

    /// The affine `[2][channels]` that normalises.
    public static func affineOfMoments(
        channels: Int, epsilon: Double, moments: StepOperand, scale: StepOperand,
        shift: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_AFFINE_OF_MOMENTS, "batch norm", label: label,
            operands: [moments, scale, shift, out])
        try call.require(0, 2 * channels * 4)
        for index in 1...2 { try call.require(index, channels * 4) }
        try call.require(3, 2 * channels * 4)
        call.attributes = .sizes(Sizes(channels: channels, epsilon: epsilon))
        return call
    }

    /// `x * affine[0] + affine[1]`, at least 0 where `relu`.
    public static func affine(
        pixels: Int, channels: Int, element: KernelElement, relu: Bool, input: StepOperand,
        affine: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_AFFINE, "batch norm", label: label, operands: [input, affine, out])
        let size = pixels * channels * element.byteCount
        try call.require(0, size)
        try call.require(1, 2 * channels * 4)
        try call.require(2, size)
        call.attributes = .sizes(Sizes(pixels: pixels, channels: channels, relu: relu))
        call.from = element.type
        return call
    }

    /// `x` through its affine plus `other`, through one of its own if given; at least 0 where `relu`.
    public static func join(
        pixels: Int, channels: Int, element: KernelElement, relu: Bool, input: StepOperand,
        affine: StepOperand, other: StepOperand, otherAffine: StepOperand?, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_JOIN, "batch norm", label: label,
            operands: [input, affine, other, otherAffine, out])
        let size = pixels * channels * element.byteCount
        for index in [0, 2, 4] { try call.require(index, size) }
        try call.require(1, 2 * channels * 4)
        try call.requireIfPresent(3, 2 * channels * 4)
        call.attributes = .sizes(Sizes(pixels: pixels, channels: channels, relu: relu))
        call.from = element.type
        return call
    }

    /// One part's sums, float64 `[2][channels]`, of a gradient where it counts and of that times normalised `x`.
    ///
    /// - Parameter masked: where the gradient goes with zeros where it does not count; may be the gradient.
    public static func gradientSums(
        pixels: Int, channels: Int, element: KernelElement, epsilon: Double, mask: GradientMask,
        gradient: StepOperand, input: StepOperand, moments: StepOperand, masked: StepOperand?,
        part: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_GRADIENT_SUMS, "batch norm", label: label,
            operands: [gradient, input, mask.affine, mask.y, moments, masked, part])
        let size = pixels * channels * element.byteCount
        for index in 0...1 { try call.require(index, size) }
        try call.requireIfPresent(2, 2 * channels * 4)
        try call.requireIfPresent(3, size)
        try call.require(4, 2 * channels * 4)
        try call.requireIfPresent(5, size)
        try call.require(6, 2 * channels * 8)
        call.attributes = .sizes(
            Sizes(pixels: pixels, channels: channels, epsilon: epsilon, mask: mask.native))
        call.from = element.type
        return call
    }

    /// Adds up float64 parts of `count` numbers to float32.
    public static func combineSums(
        parts: Int, count: Int, input: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_COMBINE_SUMS, "batch norm", label: label, operands: [input, out])
        try call.require(0, parts * count * 8)
        try call.require(1, count * 4)
        call.attributes = .sizes(Sizes(parts: parts))
        call.share(rows: count, rowsPerUnit: count)
        return call
    }

    /// What `normalizeGradient` needs, `[3][channels]`; `count` positions in the batch.
    public static func gradientCoefficients(
        count: Int, channels: Int, epsilon: Double, moments: StepOperand, scale: StepOperand,
        sums: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_GRADIENT_COEFFICIENTS, "batch norm", label: label,
            operands: [moments, scale, sums, out])
        try call.require(0, 2 * channels * 4)
        try call.require(1, channels * 4)
        try call.require(2, 2 * channels * 4)
        try call.require(3, 3 * channels * 4)
        call.attributes = .sizes(Sizes(pixels: count, channels: channels, epsilon: epsilon))
        return call
    }

    /// `gradient * c[0] + x * c[1] + c[2]`, the gradient as 0 where it does not count.
    public static func normalizeGradient(
        pixels: Int, channels: Int, element: KernelElement, mask: GradientMask,
        gradient: StepOperand, input: StepOperand, coefficients: StepOperand, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_NORMALIZE_GRADIENT, "batch norm", label: label,
            operands: [gradient, input, mask.affine, mask.y, coefficients, out])
        let size = pixels * channels * element.byteCount
        for index in 0...1 { try call.require(index, size) }
        try call.requireIfPresent(2, 2 * channels * 4)
        try call.requireIfPresent(3, size)
        try call.require(4, 3 * channels * 4)
        try call.require(5, size)
        call.attributes = .sizes(Sizes(pixels: pixels, channels: channels, mask: mask.native))
        call.from = element.type
        return call
    }

    /// One part's sums over pixels, float64 `[channels]`.
    public static func channelSums(
        pixels: Int, channels: Int, element: KernelElement, input: StepOperand, part: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_CHANNEL_SUMS, "sums", label: label, operands: [input, part])
        try call.require(0, pixels * channels * element.byteCount)
        try call.require(1, channels * 8)
        call.attributes = .sizes(Sizes(pixels: pixels, channels: channels))
        call.from = element.type
        return call
    }
}
