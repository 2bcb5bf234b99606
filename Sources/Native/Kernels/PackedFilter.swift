internal import CKernels

/// A convolution's filter in the order in which its kernel reads it.
public struct PackedFilter: Sendable {
    /// The packed elements.
    let memory: Memory
    /// The convolution it was packed for.
    let kernel: ConvolutionKernel

    /// Packs a filter, sharing the work among the threads of a team.
    ///
    /// - Parameters:
    ///   - filter: float32 `[O, I, h, w]`.
    ///   - kernel: the convolution that will read it.
    ///   - team: the threads to use.
    /// - Throws: `NativeError` with code `.unsupported` where the filter is not of the convolution's size.
    public init(
        _ filter: Memory, for kernel: ConvolutionKernel, team: ComputeTeam
    ) throws(NativeError) {
        try kernel.validate()
        guard filter.byteCount == kernel.filterElementCount * 4, filter.isAligned(for: Float.self)
        else {
            throw NativeError(
                .unsupported,
                "filter: expected \(kernel.filterElementCount) aligned float32, found \(filter.byteCount) bytes"
            )
        }
        var native = kernel.native
        var winograd = kernel.nativeWinograd
        let byteCount =
            unsafe kernel.winograd ? ck_winograd_filter_bytes(&winograd) : ck_filter_bytes(&native)
        let packed = try MutableMemory(reserving: byteCount)
        let slabs =
            unsafe kernel.winograd ? Int32((kernel.outChannels + 63) / 64) : ck_slab_count(&native)
        let target = PackingTarget(packed.owner)
        team.run { [native, winograd] thread in
            var (native, winograd) = (native, winograd)
            let share = (Int(slabs) + team.threadCount - 1) / team.threadCount
            let first = min(thread * share, Int(slabs))
            let end = min(first + share, Int(slabs))
            // Sizes were checked above; each thread writes slabs of its own.
            let source = unsafe filter.unsafeAddress.assumingMemoryBound(to: Float.self)
            if kernel.winograd {
                unsafe ck_winograd_pack(
                    &winograd, source, Int32(first), Int32(end), target.owner.base)
            } else {
                unsafe ck_pack_filter(
                    &native, Int32(kernel.rowFold), source, Int32(first), Int32(end),
                    target.owner.base)
            }
        }
        memory = packed.finish()
        self.kernel = kernel
    }
}

/// Lets the packing threads see the memory they fill.
private struct PackingTarget: Sendable {
    let owner: MemoryOwner

    init(_ owner: MemoryOwner) { self.owner = owner }
}
