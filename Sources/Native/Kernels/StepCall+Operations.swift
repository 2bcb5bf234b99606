internal import CKernels

/// Elementwise operations, pooling and the boundaries of a step.
extension StepCall {
    /// Elements in a unit of elementwise work.
    private static let unitElementCount = 1 << 16

    /// The larger of each element and zero.
    public static func relu(
        count: Int, element: KernelElement, input: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        try elementwise(CK_STEP_RELU, "elementwise", count, element, [input, out], label)
    }

    /// The gradient where `y` is above 0.
    public static func reluGradient(
        count: Int, element: KernelElement, gradient: StepOperand, y: StepOperand,
        out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        try elementwise(
            CK_STEP_RELU_GRADIENT, "elementwise", count, element, [gradient, y, out], label)
    }

    /// The sum of two operands.
    public static func add(
        count: Int, element: KernelElement, input: StepOperand, second: StepOperand,
        out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        try elementwise(CK_STEP_ADD, "elementwise", count, element, [input, second, out], label)
    }

    /// A change of element type, or a copy.
    public static func cast(
        count: Int, from: KernelElement, to: KernelElement, input: StepOperand, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(CK_STEP_CAST, "copy", label: label, operands: [input, out])
        try call.require(0, count * from.byteCount)
        try call.require(1, count * to.byteCount)
        call.from = from.type
        call.to = to.type
        call.share(rows: count, rowsPerUnit: unitElementCount)
        return call
    }

    /// A copy of bytes.
    public static func copy(
        byteCount: Int, input: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(CK_STEP_COPY, "copy", label: label, operands: [input, out])
        for index in 0..<2 { try call.require(index, byteCount) }
        call.share(rows: byteCount, rowsPerUnit: 1 << 18)
        return call
    }

    /// A look-up of uint8 `[rows][width][channels]` in `table [channels][256]`.
    public static func lookUp(
        rows: Int, width: Int, channels: Int, padLeft: Int, padRight: Int, element: KernelElement,
        input: StepOperand, table: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_LOOK_UP, "pixels", label: label, operands: [input, table, out])
        guard padLeft >= 0, padRight >= 0 else {
            throw NativeError(.unsupported, "\(label): padding \(padLeft), \(padRight)")
        }
        try call.require(0, rows * width * channels)
        try call.require(1, channels * 256 * element.byteCount)
        try call.require(2, rows * (width + padLeft + padRight) * channels * element.byteCount)
        call.attributes = .lookUp(
            width: Int32(width), channels: Int32(channels), padLeft: Int32(padLeft),
            padRight: Int32(padRight))
        call.to = element.type
        call.share(rows: rows, rowsPerUnit: 64)
        return call
    }

    /// A maximum under a window, and where it is if `indices` is given.
    public static func maxPool(
        _ pooling: PoolingKernel, input: StepOperand, out: StepOperand?, indices: StepOperand?,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_MAX_POOL, "pooling", label: label, operands: [input, out, indices])
        let size = pooling.channels * pooling.images
        guard out != nil || indices != nil, pooling.windowHeight * pooling.windowWidth <= 256
        else { throw NativeError(.unsupported, "\(label): a maximum without a result") }
        try call.require(0, pooling.inHeight * pooling.inWidth * size * pooling.element.byteCount)
        let outCount = pooling.outHeight * pooling.outWidth * size
        try call.requireIfPresent(1, outCount * pooling.element.byteCount)
        try call.requireIfPresent(2, outCount)
        call.attributes = .pooling(pooling.native)
        call.share(rows: pooling.images * pooling.outHeight, rowsPerUnit: 4)
        return call
    }

    /// The gradient of a maximum for its input.
    public static func maxPoolGradient(
        _ pooling: PoolingKernel, gradient: StepOperand, indices: StepOperand, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_MAX_POOL_GRADIENT, "pooling", label: label,
            operands: [gradient, indices, out])
        let size = pooling.channels * pooling.images
        let outCount = pooling.outHeight * pooling.outWidth * size
        try call.require(0, outCount * pooling.element.byteCount)
        try call.require(1, outCount)
        try call.require(2, pooling.inHeight * pooling.inWidth * size * pooling.element.byteCount)
        call.attributes = .pooling(pooling.native)
        call.share(rows: pooling.images * pooling.inHeight, rowsPerUnit: 8)
        return call
    }

    /// A mean over `pixels` positions of each image.
    public static func average(
        images: Int, pixels: Int, channels: Int, element: KernelElement, input: StepOperand,
        out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(CK_STEP_AVERAGE, "pooling", label: label, operands: [input, out])
        try call.require(0, images * pixels * channels * element.byteCount)
        try call.require(1, images * channels * element.byteCount)
        call.attributes = .sizes(Sizes(pixels: pixels, channels: channels))
        call.from = element.type
        call.share(rows: images, rowsPerUnit: 1)
        return call
    }

    /// The gradient of a mean for its input.
    public static func averageGradient(
        images: Int, pixels: Int, channels: Int, element: KernelElement, gradient: StepOperand,
        out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_AVERAGE_GRADIENT, "pooling", label: label, operands: [gradient, out])
        try call.require(0, images * channels * element.byteCount)
        try call.require(1, images * pixels * channels * element.byteCount)
        call.attributes = .sizes(Sizes(pixels: pixels, channels: channels))
        call.from = element.type
        call.share(rows: images, rowsPerUnit: 1)
        return call
    }

    /// Probabilities along rows, float32.
    public static func softmax(
        rows: Int, count: Int, element: KernelElement, input: StepOperand, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(CK_STEP_SOFTMAX, "loss", label: label, operands: [input, out])
        try call.require(0, rows * count * element.byteCount)
        try call.require(1, rows * count * 4)
        call.attributes = .sizes(Sizes(channels: count))
        call.from = element.type
        call.share(rows: rows, rowsPerUnit: 1)
        return call
    }

    /// `[N][C][P]` to `[N][P][C]`, or back where `last` is false.
    public static func moveChannels(
        last: Bool, images: Int, channels: Int, pixels: Int, elementByteCount: Int,
        input: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            last ? CK_STEP_CHANNELS_LAST : CK_STEP_CHANNELS_FIRST, "copy", label: label,
            operands: [input, out])
        for index in 0..<2 {
            try call.require(index, images * channels * pixels * elementByteCount)
        }
        call.attributes = .sizes(
            Sizes(pixels: pixels, channels: channels, parts: elementByteCount))
        call.share(rows: images, rowsPerUnit: 1)
        return call
    }

    /// Rows that are elements, each operand `count` of them.
    static func elementwise(
        _ code: ck_step_kind, _ kind: String, _ count: Int, _ element: KernelElement,
        _ operands: [StepOperand?], _ label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(code, kind, label: label, operands: operands)
        for index in operands.indices { try call.require(index, count * element.byteCount) }
        call.from = element.type
        call.share(rows: count, rowsPerUnit: unitElementCount)
        return call
    }
}
