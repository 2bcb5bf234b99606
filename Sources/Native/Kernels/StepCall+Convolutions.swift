internal import CKernels

/// Convolutions, their gradients and their filters.
extension StepCall {
    /// A convolution; `bias` has `kernel.paddedOutChannels` float32.
    public static func convolution(
        _ kernel: ConvolutionKernel, input: StepOperand, packed: StepOperand, bias: StepOperand,
        residual: StepOperand?, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        try kernel.validate()
        var call = StepCall(
            kernel.winograd ? CK_STEP_WINOGRAD : CK_STEP_CONVOLUTION, "convolution", label: label,
            operands: [input, packed, bias, residual, out])
        let outBytes = kernel.outputElementCount * kernel.outElement.byteCount
        try call.require(0, kernel.inputElementCount * kernel.inElement.byteCount)
        try call.require(1, kernel.packedByteCount)
        try call.require(2, kernel.paddedOutChannels * 4)
        try call.requireIfPresent(3, outBytes)
        try call.require(4, outBytes)
        call.attributes = .convolution(kernel)
        call.zeroByteCount = (kernel.depth + 32) * kernel.inElement.byteCount
        var native = kernel.native
        var winograd = kernel.nativeWinograd
        if kernel.winograd {
            call.workByteCount = unsafe ck_winograd_scratch_bytes(&winograd)
            call.units = unsafe Int(ck_winograd_units(&winograd))
        } else {
            call.units = unsafe Int(ck_convolution_units(&native))
        }
        call.multiplyAdds = kernel.multiplyAdds
        return call
    }

    /// Packs a filter, float32 `[taps][depth][channels]`, for a convolution.
    ///
    /// - Parameter taps: `source.taps` as int32.
    public static func pack(
        _ kernel: ConvolutionKernel, _ source: FilterSource, filter: StepOperand,
        packed: StepOperand, taps: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        try kernel.validate()
        var call = StepCall(
            kernel.winograd ? CK_STEP_PACK_WINOGRAD : CK_STEP_PACK, "packing", label: label,
            operands: [filter, packed, taps])
        let convolutionTaps = kernel.filterHeight * (kernel.filterWidth / kernel.rowFold)
        let (from, to) =
            source.isTransposed
            ? (source.channels, source.depth) : (source.depth, source.channels)
        guard source.taps.count == convolutionTaps, from == kernel.depth, to == kernel.outChannels,
            source.taps.allSatisfy({ (0..<source.tapCount).contains($0) }),
            !kernel.winograd || source.tapCount == 9
        else { throw NativeError(.unsupported, "\(label): the filter does not fit \(kernel)") }
        try call.require(0, source.tapCount * source.depth * source.channels * 4)
        try call.require(1, kernel.packedByteCount)
        try call.require(2, source.taps.count * 4)
        call.attributes = .packing(kernel, source)
        var native = kernel.native
        call.units =
            kernel.winograd ? (kernel.outChannels + 63) / 64 : unsafe Int(ck_slab_count(&native))
        return call
    }

    /// A filter's gradient, in parts: float32 `[groups][taps][depth][channels]`.
    ///
    /// - Parameter affine: `[2][input channels]` that the input goes through first.
    public static func filterGradient(
        _ kernel: FilterGradientKernel, gradient: StepOperand, input: StepOperand,
        affine: StepOperand?, parts: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        let convolution = kernel.convolution
        try convolution.validate()
        var call = StepCall(
            CK_STEP_FILTER_GRADIENT, "filter gradient", label: label,
            operands: [gradient, input, affine, parts])
        let size = convolution.inElement.byteCount
        try call.require(0, convolution.outputElementCount * size)
        try call.require(1, convolution.inputElementCount * size)
        try call.requireIfPresent(2, 2 * convolution.inChannels * 4)
        try call.require(3, kernel.groups * kernel.filterElementCount * 4)
        call.attributes = .filterGradient(kernel)
        call.units = kernel.unitCount
        call.workByteCount = kernel.scratchByteCount
        call.multiplyAdds = convolution.multiplyAdds
        return call
    }

    /// Adds up `parts` float32 parts of `count`.
    public static func sumParts(
        _ parts: Int, count: Int, input: StepOperand, out: StepOperand, label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(
            CK_STEP_SUM_PARTS, "filter gradient", label: label, operands: [input, out])
        try call.require(0, parts * count * 4)
        try call.require(1, count * 4)
        call.attributes = .sizes(Sizes(parts: parts))
        call.share(rows: count, rowsPerUnit: 1 << 15)
        return call
    }

    /// Turns `[O][I][taps]` into `[taps][I][O]`, float32, or back.
    public static func moveFilter(
        channels: Int, depth: Int, taps: Int, back: Bool, input: StepOperand, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        var call = StepCall(CK_STEP_MOVE_FILTER, "copy", label: label, operands: [input, out])
        for index in 0..<2 { try call.require(index, channels * depth * taps * 4) }
        call.attributes = .sizes(Sizes(channels: depth, taps: taps, flag: back))
        call.share(rows: channels, rowsPerUnit: channels)
        return call
    }

    /// The most phases that `spread` takes.
    public static let mostPhases = Int(CK_MOST_PHASES)

    /// Puts the phases of a strided convolution's input gradient together.
    ///
    /// - Parameters:
    ///   - phases: `stride.height * stride.width` operands, those without any tap `nil`.
    ///   - residual: what is added.
    public static func spread(
        images: Int, height: Int, width: Int, channels: Int, strideHeight: Int, strideWidth: Int,
        element: KernelElement, phases: [StepOperand?], residual: StepOperand?, out: StepOperand,
        label: String
    ) throws(NativeError) -> StepCall {
        guard phases.count == strideHeight * strideWidth, phases.count <= mostPhases else {
            throw NativeError(
                .unsupported, "\(label): strides of \(strideHeight)x\(strideWidth) in a gradient")
        }
        let absent = [StepOperand?](repeating: nil, count: mostPhases - phases.count)
        var call = StepCall(
            CK_STEP_SPREAD, "copy", label: label, operands: phases + absent + [residual, out])
        let size = images * channels * element.byteCount
        for row in 0..<strideHeight {
            for column in 0..<strideWidth {
                let high = (height - row + strideHeight - 1) / strideHeight
                let wide = (width - column + strideWidth - 1) / strideWidth
                try call.requireIfPresent(row * strideWidth + column, high * wide * size)
            }
        }
        try call.requireIfPresent(mostPhases, height * width * size)
        try call.require(mostPhases + 1, height * width * size)
        call.attributes = .spreading(
            ck_spreading(
                height: Int32(height), width: Int32(width), channels: Int32(channels),
                high: Int32(strideHeight), wide: Int32(strideWidth), type: element.type))
        call.share(rows: images * height, rowsPerUnit: max(1, height / 4))
        return call
    }
}

extension ConvolutionKernel {
    /// Bytes of the packed filter.
    public var packedByteCount: Int {
        var native = native
        var winograd = nativeWinograd
        return unsafe self.winograd ? ck_winograd_filter_bytes(&winograd) : ck_filter_bytes(&native)
    }

    /// Multiply-adds of the direct sums.
    public var multiplyAdds: Int {
        images * outHeight * outWidth * outChannels * inChannels * filterHeight * filterWidth
    }
}
