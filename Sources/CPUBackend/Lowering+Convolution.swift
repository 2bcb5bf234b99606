import Execution
import Graph
import Native
import Tensors

extension CPUBackend {
    /// Whether convolutions in this element type run on the project's own kernels.
    ///
    /// Own kernels lead with AVX-512; oneDNN knows the tile instructions of AMX, which own kernels do not use, and
    /// AVX2. See docs/decisions/002-own-convolutions.md.
    func usesOwnConvolutions(bfloat16: Bool) -> Bool {
        switch kernels {
        case .own: return true
        case .oneDNN: return false
        case .automatic:
            if bfloat16, KernelInstructions.hasTiles { return !OneDNN.isAvailable }
            let needed: KernelInstructions = bfloat16 ? .avx512BFloat16 : .avx512
            return instructions >= needed || !OneDNN.isAvailable
        }
    }
}

extension Lowering {
    mutating func lowerConvolution(
        _ convolution: Convolution, _ node: Node, at index: Int
    ) throws {
        let x = node.operands[0]
        let input = try place(x)
        let (from, filter, to) = (shape(x.index), graph[node.operands[1]].type.shape, shape(index))
        var kernel = ConvolutionKernel(
            images: from[0], inHeight: from[2], inWidth: from[3], inChannels: from[1],
            outHeight: to[2], outWidth: to[3], outChannels: to[1], filterHeight: filter[2],
            filterWidth: filter[3], strideHeight: convolution.stride.height,
            strideWidth: convolution.stride.width, padTop: convolution.padding.top,
            padLeft: convolution.padding.left, inElement: input.element,
            outElement: try element(index), relu: convolution.activation == .relu,
            instructions: backend.instructions)
        if foldedReaders[x.index] == index {
            kernel.inWidth += convolution.padding.left + convolution.padding.right
            kernel.padLeft = 0
            kernel.rowFold = kernel.filterWidth
        }
        var residual: KernelOperand?
        var out: Place?
        if convolution.hasResidual, let operand = node.operands.last {
            residual = try place(operand).operand
            // Each element is read right before it is written, by the same thread.
            out = takeOver(operand, by: index)
        }
        try addConvolution(
            kernel, filter: node.operands[1],
            bias: convolution.hasBias ? node.operands[2] : nil, input: input.operand,
            residual: residual, out: try out ?? allocate(index), label: label(index))
    }

    mutating func lowerDense(_ node: Node, at index: Int) throws {
        let input = try place(node.operands[0])
        let (from, to) = (shape(node.operands[0].index), shape(index))
        let kernel = ConvolutionKernel(
            images: from[0], inHeight: 1, inWidth: 1, inChannels: from[1], outHeight: 1,
            outWidth: 1, outChannels: to[1], filterHeight: 1, filterWidth: 1, strideHeight: 1,
            strideWidth: 1, padTop: 0, padLeft: 0, inElement: input.element,
            outElement: try element(index), relu: false, instructions: backend.instructions)
        try addConvolution(
            kernel, filter: node.operands[1], bias: node.operands[2], input: input.operand,
            residual: nil, out: allocate(index), label: label(index))
    }

    private mutating func addConvolution(
        _ kernel: ConvolutionKernel, filter: Value, bias: Value?, input: KernelOperand,
        residual: KernelOperand?, out: Place, label: String
    ) throws {
        var kernel = kernel
        kernel.chooseForm(winograd: backend.winograd)
        kernel.cutForOneThread()
        let pixels = kernel.images * kernel.outHeight * kernel.outWidth
        if kernel.filtersFirst, schedule.members > 1,
            (kernel.outChannels + 63) / 64 < 4 * schedule.members
        {
            kernel.unitPixels = min(8 * kernel.tilePixels, max(pixels, kernel.tilePixels))
        }
        if kernel.winograd, schedule.members > 1 {
            kernel.parts = min((kernel.outChannels + 63) / 64, 2 * schedule.members)
        }
        let biasMemory = try paddedBias(bias, kernel)
        guard backend.usesOwnConvolutions(bfloat16: kernel.inElement == .bfloat16) else {
            let external = try OneDNNConvolution.prepare(
                kernel, filter: parameter(filter), bias: biasMemory, hasResidual: residual != nil,
                groups: schedule.groups, members: schedule.members)
            try program.call(
                external, input: input, residual: residual, out: out.operand, label: label)
            return
        }
        let packed = try PackedFilter(parameter(filter), for: kernel, team: backend.team)
        try program.convolve(
            kernel, filter: packed, bias: biasMemory, input: input,
            residual: residual, out: out.operand, label: label)
    }

    /// The bias, or zeros, in whole vectors.
    private func paddedBias(
        _ bias: Value?, _ kernel: ConvolutionKernel
    ) throws(ExecutionError) -> Memory {
        var values = [Float](repeating: 0, count: kernel.paddedOutChannels)
        if let bias {
            let memory = try parameter(bias)
            let span = memory.span(of: Float.self)
            for index in span.indices { values[index] = span[index] }
        }
        return Memory(copying: values)
    }
}

extension ConvolutionKernel {
    /// Filters up to this size stay in a core's second-level cache while the pixels pass.
    private static let residentFilterByteCount = 384 << 10
    /// Tiles whose transforms, beside a slab of filters, stay in a core's second-level cache.
    private static let winogradTiles = 36

    /// Pixels that are computed together.
    var tilePixels: Int { slabVectors == 2 ? 12 : 6 }

    /// Chooses what the packed filter depends on.
    mutating func chooseForm(winograd allowed: Bool) {
        let byteCount = filterElementCount * inElement.byteCount
        filtersFirst = byteCount > Self.residentFilterByteCount
        slabVectors = byteCount * 64 / max(outChannels, 64) > 700 << 10 ? 2 : 4
        winograd = allowed && allowsWinograd
    }

    /// Cuts the work of all images into units that one thread does one after another.
    mutating func cutForOneThread() {
        let pixels = images * outHeight * outWidth
        unitPixels = filtersFirst ? max(pixels, tilePixels) : 8 * tilePixels
        unitPixels = min(unitPixels, max(pixels, tilePixels))
        guard winograd else { return }
        let tiles = images * ((outHeight + 1) / 2) * ((outWidth + 1) / 2)
        let blocks = (tiles + Self.winogradTiles - 1) / Self.winogradTiles
        unitTiles = (tiles + blocks - 1) / blocks
    }
}
