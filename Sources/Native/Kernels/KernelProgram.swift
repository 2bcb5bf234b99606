internal import CKernels

/// Where a kernel's operand lies.
public enum KernelOperand: Sendable, Hashable {
    /// Bytes of the arena that each group of threads has.
    case arena(offset: Int, byteCount: Int)
    /// A part of an input that is given for each run; the count is for one chunk of the batch.
    case input(index: Int, byteCount: Int)
    /// A part of an output.
    case output(index: Int, byteCount: Int)

    /// Bytes that the operand has.
    public var byteCount: Int {
        switch self {
        case .arena(_, let byteCount), .input(_, let byteCount), .output(_, let byteCount):
            byteCount
        }
    }

    var native: ck_operand {
        switch self {
        case .arena(let offset, _): ck_operand(space: CK_ARENA, index: 0, offset: Int64(offset))
        case .input(let index, _): ck_operand(space: CK_INPUT, index: Int32(index), offset: 0)
        case .output(let index, _): ck_operand(space: CK_OUTPUT, index: Int32(index), offset: 0)
        }
    }
}

/// A window of a maximum over activations with channels innermost.
public struct PoolingKernel: Sendable, Hashable {
    /// Extents of input and output, and channels.
    public var images, inHeight, inWidth, outHeight, outWidth, channels: Int
    /// The window.
    public var windowHeight, windowWidth, strideHeight, strideWidth, padTop, padLeft: Int
    /// What is read and written.
    public var element: KernelElement

    /// Makes a window.
    public init(
        images: Int, inHeight: Int, inWidth: Int, outHeight: Int, outWidth: Int, channels: Int,
        windowHeight: Int, windowWidth: Int, strideHeight: Int, strideWidth: Int, padTop: Int,
        padLeft: Int, element: KernelElement
    ) {
        self.images = images
        self.inHeight = inHeight
        self.inWidth = inWidth
        self.outHeight = outHeight
        self.outWidth = outWidth
        self.channels = channels
        self.windowHeight = windowHeight
        self.windowWidth = windowWidth
        self.strideHeight = strideHeight
        self.strideWidth = strideWidth
        self.padTop = padTop
        self.padLeft = padLeft
        self.element = element
    }

    var native: ck_pooling {
        ck_pooling(
            in_height: Int32(inHeight), in_width: Int32(inWidth), out_height: Int32(outHeight),
            out_width: Int32(outWidth), channels: Int32(channels),
            window_high: Int32(windowHeight), window_wide: Int32(windowWidth),
            stride_high: Int32(strideHeight), stride_wide: Int32(strideWidth),
            pad_top: Int32(padTop), pad_left: Int32(padLeft), type: element.type)
    }
}

/// A list of kernel calls over an arena, prepared once and run many times.
///
/// Every call is checked against its operands' sizes when it is added, so that running needs no check.
public struct KernelProgram: Sendable {
    private(set) var calls: [KernelCall] = []
    /// Names of the calls, for profiles.
    public var labels: [String] { calls.map(\.label) }
    /// Bytes of arena that the calls use.
    public private(set) var arenaByteCount = 0
    /// Zero elements, in bytes, that convolutions read for taps outside their input.
    private(set) var zeroByteCount = 64
    /// Bytes that each thread needs for itself.
    private(set) var scratchByteCount = 64
    /// Bytes of each input and output that one chunk uses.
    private(set) var inputByteCounts: [Int]
    private(set) var outputByteCounts: [Int]
    /// Threads that will share each call.
    private let members: Int

    /// Starts an empty program.
    ///
    /// - Parameters:
    ///   - inputByteCounts: bytes of each input in one chunk.
    ///   - outputByteCounts: bytes of each output in one chunk.
    ///   - members: threads that work on one chunk together.
    public init(inputByteCounts: [Int], outputByteCounts: [Int], members: Int) {
        self.inputByteCounts = inputByteCounts
        self.outputByteCounts = outputByteCounts
        self.members = members
    }

    // MARK: Calls

    /// Adds a convolution.
    ///
    /// `bias` is float32, `kernel.paddedOutChannels` long.
    public mutating func convolve(
        _ kernel: ConvolutionKernel, filter: PackedFilter, bias: Memory, input: KernelOperand,
        residual: KernelOperand?, out: KernelOperand, label: String
    ) throws(NativeError) {
        try kernel.validate()
        guard filter.kernel == kernel, bias.byteCount == kernel.paddedOutChannels * 4 else {
            throw misfit(label, "a filter packed for another convolution or a short bias")
        }
        let outBytes = kernel.outputElementCount * kernel.outElement.byteCount
        // The bytes beside the last element are read where the depth is odd and a row is folded.
        try check(input, kernel.inputElementCount * kernel.inElement.byteCount, label)
        try check(out, outBytes, label)
        if let residual { try check(residual, outBytes, label) }
        zeroByteCount = max(zeroByteCount, (kernel.depth + 32) * kernel.inElement.byteCount)
        if kernel.winograd {
            var winograd = kernel.nativeWinograd
            scratchByteCount = max(
                scratchByteCount, unsafe ck_winograd_scratch_bytes(&winograd))
        }
        var call = KernelCall(
            kernel.winograd ? CK_WINOGRAD : CK_CONVOLUTION, input: input, second: residual,
            out: out, rows: 1, members: members,
            label: label)
        call.convolution = kernel
        call.filter = filter.memory
        call.bias = bias
        calls.append(call)
    }

    /// Adds a call of another library.
    public mutating func call(
        _ external: ExternalKernel, input: KernelOperand, residual: KernelOperand?,
        out: KernelOperand, label: String
    ) throws(NativeError) {
        try check(input, external.inputByteCount, label)
        try check(out, external.outputByteCount, label)
        if let residual { try check(residual, external.outputByteCount, label) }
        var call = KernelCall(
            CK_EXTERNAL, input: input, second: residual, out: out, rows: 1, members: members,
            label: label)
        call.external = external
        calls.append(call)
    }

    /// Adds a look-up of uint8 `[rows][width][channels]` in `table [channels][256]`.
    public mutating func lookUp(
        table: Memory, element: KernelElement, rows: Int, width: Int, channels: Int, padLeft: Int,
        padRight: Int, input: KernelOperand, out: KernelOperand, label: String
    ) throws(NativeError) {
        guard table.byteCount == channels * 256 * element.byteCount, padLeft >= 0, padRight >= 0
        else { throw misfit(label, "a table of \(table.byteCount) bytes") }
        try check(input, rows * width * channels, label)
        try check(out, rows * (width + padLeft + padRight) * channels * element.byteCount, label)
        var call = KernelCall(
            CK_LOOK_UP, input: input, out: out, rows: rows, members: members, label: label)
        call.width = width
        call.channels = channels
        call.padLeft = padLeft
        call.padRight = padRight
        call.to = element.type
        call.table = table
        calls.append(call)
    }

    /// Adds a maximum under a window.
    public mutating func maxPool(
        _ pooling: PoolingKernel, input: KernelOperand, out: KernelOperand, label: String
    ) throws(NativeError) {
        let size = pooling.channels * pooling.images * pooling.element.byteCount
        try check(input, pooling.inHeight * pooling.inWidth * size, label)
        try check(out, pooling.outHeight * pooling.outWidth * size, label)
        var call = KernelCall(
            CK_MAX_POOL, input: input, out: out, rows: pooling.images * pooling.outHeight,
            members: members, label: label)
        call.pooling = pooling.native
        calls.append(call)
    }

    /// Adds a mean over `pixels` positions of each of `images`.
    public mutating func average(
        images: Int, pixels: Int, channels: Int, element: KernelElement, input: KernelOperand,
        out: KernelOperand, label: String
    ) throws(NativeError) {
        try check(input, images * pixels * channels * element.byteCount, label)
        try check(out, images * channels * element.byteCount, label)
        var call = KernelCall(
            CK_AVERAGE, input: input, out: out, rows: images, members: members, label: label)
        call.pixels = pixels
        call.channels = channels
        call.from = element.type
        calls.append(call)
    }

    /// Adds probabilities along rows; the result is float32.
    public mutating func softmax(
        rows: Int, count: Int, element: KernelElement, input: KernelOperand, out: KernelOperand,
        label: String
    ) throws(NativeError) {
        try check(input, rows * count * element.byteCount, label)
        try check(out, rows * count * 4, label)
        var call = KernelCall(
            CK_SOFTMAX, input: input, out: out, rows: rows, members: members, label: label)
        call.channels = count
        call.from = element.type
        calls.append(call)
    }

    /// Adds a maximum with zero.
    public mutating func relu(
        count: Int, element: KernelElement, input: KernelOperand, out: KernelOperand, label: String
    ) throws(NativeError) {
        try check(input, count * element.byteCount, label)
        try check(out, count * element.byteCount, label)
        var call = KernelCall(
            CK_RELU, input: input, out: out, rows: count, members: members, label: label)
        call.from = element.type
        calls.append(call)
    }

    /// Adds a sum of two operands.
    public mutating func sum(
        count: Int, element: KernelElement, input: KernelOperand, second: KernelOperand,
        out: KernelOperand, label: String
    ) throws(NativeError) {
        for operand in [input, second, out] { try check(operand, count * element.byteCount, label) }
        var call = KernelCall(
            CK_ADD, input: input, second: second, out: out, rows: count, members: members,
            label: label)
        call.from = element.type
        calls.append(call)
    }

    /// Adds a product and a sum per channel; `scale` and `shift` are float32.
    public mutating func scaleShift(
        pixels: Int, channels: Int, element: KernelElement, scale: Memory, shift: Memory,
        input: KernelOperand, out: KernelOperand, label: String
    ) throws(NativeError) {
        guard scale.byteCount == channels * 4, shift.byteCount == channels * 4 else {
            throw misfit(label, "a scale of \(scale.byteCount) bytes")
        }
        for operand in [input, out] {
            try check(operand, pixels * channels * element.byteCount, label)
        }
        var call = KernelCall(
            CK_SCALE_SHIFT, input: input, out: out, rows: pixels, members: members, label: label)
        call.channels = channels
        call.from = element.type
        call.scale = scale
        call.shift = shift
        calls.append(call)
    }

    /// Adds a change of element type, or a copy.
    public mutating func cast(
        count: Int, from: KernelElement, to: KernelElement, input: KernelOperand,
        out: KernelOperand, label: String
    ) throws(NativeError) {
        try check(input, count * from.byteCount, label)
        try check(out, count * to.byteCount, label)
        var call = KernelCall(
            CK_CAST, input: input, out: out, rows: count, members: members, label: label)
        call.from = from.type
        call.to = to.type
        calls.append(call)
    }

    /// Adds a change of axis order: `[N][C][P]` to `[N][P][C]`, or back where `last` is false.
    public mutating func moveChannels(
        last: Bool, images: Int, channels: Int, pixels: Int, elementByteCount: Int,
        input: KernelOperand, out: KernelOperand, label: String
    ) throws(NativeError) {
        let size = images * channels * pixels * elementByteCount
        try check(input, size, label)
        try check(out, size, label)
        var call = KernelCall(
            last ? CK_CHANNELS_LAST : CK_CHANNELS_FIRST, input: input, out: out, rows: images,
            members: members, label: label)
        call.channels = channels
        call.pixels = pixels
        call.elementByteCount = elementByteCount
        calls.append(call)
    }

    // MARK: Parts

    private func misfit(_ label: String, _ what: String) -> NativeError {
        NativeError(.unsupported, "\(label): a kernel was given \(what)")
    }

    private mutating func check(
        _ operand: KernelOperand, _ needed: Int, _ label: String
    ) throws(NativeError) {
        let available: Int
        switch operand {
        case .arena(let offset, let byteCount):
            guard offset >= 0, offset % 64 == 0, offset < 1 << 40, byteCount < 1 << 40 else {
                throw misfit(label, "offset \(offset)")
            }
            arenaByteCount = max(arenaByteCount, offset + byteCount)
            available = byteCount
        case .input(let index, let byteCount):
            guard inputByteCounts.indices.contains(index) else {
                throw misfit(label, "input \(index)")
            }
            available = min(byteCount, inputByteCounts[index])
        case .output(let index, let byteCount):
            guard outputByteCounts.indices.contains(index) else {
                throw misfit(label, "output \(index)")
            }
            available = min(byteCount, outputByteCounts[index])
        }
        guard needed > 0, needed <= available, needed < 1 << 40 else {
            throw misfit(label, "\(available) bytes where it needs \(needed)")
        }
    }
}
