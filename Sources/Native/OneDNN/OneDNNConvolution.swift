internal import COneDNN

/// Convolutions of oneDNN, as calls of a kernel program.
public enum OneDNNConvolution {
    /// Prepares a convolution.
    ///
    /// - Parameters:
    ///   - kernel: the convolution; how its work is cut does not matter here.
    ///   - filter: float32 `[O, I, h, w]`.
    ///   - bias: float32, at least `kernel.outChannels` long.
    ///   - hasResidual: whether a residual is added.
    ///   - groups: groups of threads that will run it at the same time.
    ///   - members: threads in a group.
    /// - Throws: `NativeError` with code `.notFound` where oneDNN is missing, `.unsupported` where it does not
    ///   take the convolution.
    public static func prepare(
        _ kernel: ConvolutionKernel, filter: Memory, bias: Memory, hasResidual: Bool, groups: Int,
        members: Int
    ) throws(NativeError) -> ExternalKernel {
        try OneDNN.load()
        try kernel.validate()
        guard filter.byteCount == kernel.filterElementCount * 4,
            bias.byteCount >= kernel.outChannels * 4, filter.isAligned(for: Float.self),
            bias.isAligned(for: Float.self), kernel.rowFold == 1
        else {
            throw NativeError(
                .unsupported, "filter: expected \(kernel.filterElementCount) aligned float32")
        }
        let parts = min(members, kernel.outHeight)
        var native = conednn_convolution(
            images: Int64(kernel.images), in_height: Int64(kernel.inHeight),
            in_width: Int64(kernel.inWidth), in_channels: Int64(kernel.inChannels),
            out_height: Int64(kernel.outHeight), out_width: Int64(kernel.outWidth),
            out_channels: Int64(kernel.outChannels), filter_height: Int64(kernel.filterHeight),
            filter_width: Int64(kernel.filterWidth), stride_height: Int64(kernel.strideHeight),
            stride_width: Int64(kernel.strideWidth), pad_top: Int64(kernel.padTop),
            pad_left: Int64(kernel.padLeft), in_bfloat16: kernel.inElement == .bfloat16,
            out_bfloat16: kernel.outElement == .bfloat16, relu: kernel.relu, residual: hasResidual,
            parts: Int32(parts))
        var contexts: [UnsafeMutableRawPointer?] = unsafe []
        var message = [CChar](repeating: 0, count: 256)
        let messageSize = message.count
        for _ in 0..<groups {
            // Filter and bias are copied during the call; the first kernel outlives those that share its filters.
            let first: OpaquePointer? = unsafe contexts.isEmpty ? nil : OpaquePointer(contexts[0])
            let made = unsafe conednn_create(
                &native, filter.unsafeAddress.assumingMemoryBound(to: Float.self),
                bias.unsafeAddress.assumingMemoryBound(to: Float.self), first, &message,
                messageSize)
            guard let made = unsafe made else {
                for index in unsafe contexts.indices { unsafe conednn_destroy(contexts[index]) }
                throw NativeError(.unsupported, text(of: message))
            }
            unsafe contexts.append(UnsafeMutableRawPointer(made))
        }
        return unsafe ExternalKernel(
            function: conednn_execute, contexts: contexts, unitCount: parts,
            inputByteCount: kernel.inputElementCount * kernel.inElement.byteCount,
            outputByteCount: kernel.outputElementCount * kernel.outElement.byteCount,
            release: conednn_destroy)
    }
}
