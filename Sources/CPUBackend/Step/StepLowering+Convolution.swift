import Execution
import Graph
import Native
import Tensors

extension StepLowering {
    /// An input gradient to be made once it is known what is added to it.
    struct InputGradient {
        /// The convolutions that make its phases, one for each place in a stride; `nil` where no tap falls.
        var phases: [Phase?]
        var gradient: StepSlot
        var stride: Spatial
        var element: KernelElement
    }

    /// A convolution from the gradient to every so many rows and columns of the input's gradient.
    struct Phase {
        /// For one image.
        var kernel: ConvolutionKernel
        var packed: StepSlot
    }

    // MARK: Filters

    /// A filter or dense weight as a step keeps it, float32 `[taps][I][O]`.
    private mutating func filter(_ value: Value) throws -> StepSlot {
        if case .narrowed(let weight) = try form(value) { return try filter(weight) }
        guard case .stored(let stored) = try form(value), stored.element == .float32 else {
            throw unsupported(value.index, "reads filters that are parameters or states")
        }
        return try relaid(value, stored, to: .filter).slot
    }

    /// Packs a filter for a convolution; threads share the work.
    private mutating func pack(
        _ value: Value, for kernel: ConvolutionKernel, _ source: FilterSource, label: String
    ) throws -> StepSlot {
        let filter = try filter(value)
        let packed = plan.allocate(.fixed(kernel.packedByteCount))
        let taps = constant(Memory(copying: source.taps.map { Int32($0) }))
        plan.add(
            PlannedCall(label: label, isChunked: false, reads: [filter, taps], writes: [packed]) {
                resolver throws(NativeError) in
                try .pack(
                    kernel, source, filter: resolver.operand(filter),
                    packed: resolver.operand(packed), taps: resolver.operand(taps), label: label)
            })
        return packed
    }

    /// A bias of whole vectors; zeros where there is none.
    private mutating func bias(_ value: Value?, channels: Int) throws -> StepSlot {
        let size = (channels + 15) / 16 * 64
        guard let value else { return zeros(size) }
        let slot = try vector(value)
        if channels % 16 == 0 { return slot }
        // The rest is read, and what comes of it is not stored.
        let padded = plan.allocate(.fixed(size))
        addCopy(slot, padded, channels * 4, label(value.index))
        return padded
    }

    // MARK: Convolutions

    mutating func lowerConvolution(
        _ convolution: Convolution, _ node: Node, at index: Int
    ) throws {
        let x = node.operands[0]
        var kernel = try forwardKernel(
            convolution, x: type(x).shape, filter: type(node.operands[1]).shape,
            result: node.type.shape, element: element(index), pixels: try isFolded(x, convolution))
        kernel.relu = convolution.activation == .relu
        let input = try stored(x, padding: kernel.rowFold > 1 ? convolution.padding : nil)
        guard input.element == kernel.inElement else {
            throw unsupported(index, "convolves x and filters of one element type")
        }
        let depth = kernel.inChannels * kernel.rowFold
        let taps = kernel.filterHeight * kernel.filterWidth / kernel.rowFold
        let source = FilterSource(
            depth: depth, channels: kernel.outChannels, taps: Array(0..<taps), tapCount: taps,
            isTransposed: false)
        let packed = try pack(node.operands[1], for: kernel, source, label: label(index))
        let bias = try bias(
            convolution.biasIndex.map { node.operands[$0] }, channels: kernel.outChannels)
        let residual = try convolution.residualIndex.map { try stored(node.operands[$0]).slot }
        let out = allocate(index, perImage: true)
        addConvolution(
            kernel, input: input.slot, packed: packed, bias: bias, residual: residual, out: out,
            label: label(index))
        try store(index, out, .channelsLast)
    }

    /// Adds a convolution that is made chunk by chunk.
    private mutating func addConvolution(
        _ kernel: ConvolutionKernel, input: StepSlot, packed: StepSlot, bias: StepSlot,
        residual: StepSlot?, out: StepSlot, label: String
    ) {
        plan.add(
            PlannedCall(
                label: label, isChunked: true,
                reads: [input, packed, bias] + [residual].compactMap { $0 }, writes: [out],
                takeOver: residual.map { ($0, out) }
            ) { resolver throws(NativeError) in
                var kernel = kernel
                kernel.images = resolver.images
                kernel.cutForOneThread()
                return try .convolution(
                    kernel, input: resolver.operand(input), packed: resolver.operand(packed),
                    bias: resolver.operand(bias), residual: resolver.operand(residual),
                    out: resolver.operand(out), label: label)
            })
    }

    /// Whether x is pixels of few channels, whose rows are padded in memory so that a filter row is one tap.
    func isFolded(_ x: Value, _ convolution: Convolution) throws(ExecutionError) -> Bool {
        guard case .pixels = try form(x) else { return false }
        return type(x).shape[1] <= 4
    }

    /// The kernel of a forward convolution, for one image.
    private func forwardKernel(
        _ convolution: Convolution, x: Shape, filter: Shape, result: Shape, element: KernelElement,
        pixels: Bool
    ) throws(ExecutionError) -> ConvolutionKernel {
        var kernel = ConvolutionKernel(
            images: 1, inHeight: x[2], inWidth: x[3], inChannels: x[1], outHeight: result[2],
            outWidth: result[3], outChannels: filter[0], filterHeight: filter[2],
            filterWidth: filter[3], strideHeight: convolution.stride.height,
            strideWidth: convolution.stride.width, padTop: convolution.padding.top,
            padLeft: convolution.padding.left, inElement: element, outElement: element,
            relu: false, instructions: backend.instructions)
        if pixels {
            kernel.inWidth += convolution.padding.left + convolution.padding.right
            kernel.padLeft = 0
            kernel.rowFold = kernel.filterWidth
        }
        kernel.chooseForm(winograd: backend.winograd)
        return kernel
    }

    // MARK: Input gradient

    mutating func lowerInputGradient(
        _ convolution: Convolution, _ size: Spatial, _ node: Node, at index: Int
    ) throws {
        let element = try element(index)
        let gradient = try stored(node.operands[0])
        let (from, filter) = (type(node.operands[0]).shape, type(node.operands[1]).shape)
        let stride = convolution.stride
        guard stride.height * stride.width <= StepCall.mostPhases else {
            throw unsupported(
                index, "makes input gradients of strides up to \(StepCall.mostPhases) in all")
        }
        var phases: [Phase?] = []
        for row in 0..<stride.height {
            let rows = PhaseTaps(
                place: row, padding: convolution.padding.top, stride: stride.height,
                filter: filter[2], extent: size.height)
            for column in 0..<stride.width {
                let columns = PhaseTaps(
                    place: column, padding: convolution.padding.left, stride: stride.width,
                    filter: filter[3], extent: size.width)
                guard let rows, let columns else {
                    phases.append(nil)
                    continue
                }
                var kernel = ConvolutionKernel(
                    images: 1, inHeight: from[2], inWidth: from[3], inChannels: filter[0],
                    outHeight: rows.extent, outWidth: columns.extent, outChannels: filter[1],
                    filterHeight: rows.taps.count, filterWidth: columns.taps.count,
                    strideHeight: 1, strideWidth: 1, padTop: rows.before, padLeft: columns.before,
                    inElement: element, outElement: element, relu: false,
                    instructions: backend.instructions)
                kernel.chooseForm(
                    winograd: backend.winograd && stride == Spatial(1) && filter[2] == 3
                        && filter[3] == 3)
                let source = FilterSource(
                    depth: filter[1], channels: filter[0],
                    taps: rows.taps.flatMap { row in columns.taps.map { row * filter[3] + $0 } },
                    tapCount: filter[2] * filter[3], isTransposed: true)
                // Packed now: the filter may change before the gradient is made.
                let packed = try pack(
                    node.operands[1], for: kernel, source, label: label(index))
                phases.append(Phase(kernel: kernel, packed: packed))
            }
        }
        forms[index] = .inputGradient(
            InputGradient(
                phases: phases, gradient: gradient.slot, stride: stride, element: element))
    }

    /// Makes an input gradient, plus what is added to it.
    ///
    /// - Parameter place: the node whose result this is: the gradient's own, or the sum's.
    mutating func makeInputGradient(
        _ gradient: InputGradient, _ index: Int, residual: StepSlot?, at place: Int
    ) throws -> Stored {
        let shape = graph.nodes[index].type.shape
        let out = allocate(place, perImage: true)
        let result = Stored(slot: out, element: gradient.element, layout: .channelsLast)
        let bias = zeros((shape[1] + 15) / 16 * 64)
        if gradient.phases.count == 1, let phase = gradient.phases[0] {
            addConvolution(
                phase.kernel, input: gradient.gradient, packed: phase.packed, bias: bias,
                residual: residual, out: out, label: label(index))
            return result
        }
        var slots: [StepSlot?] = []
        for phase in gradient.phases {
            guard let phase else {
                slots.append(nil)
                continue
            }
            let kernel = phase.kernel
            let slot = plan.allocate(
                .perImage(kernel.outputElementCount * kernel.outElement.byteCount))
            addConvolution(
                kernel, input: gradient.gradient, packed: phase.packed, bias: bias, residual: nil,
                out: slot, label: label(index))
            slots.append(slot)
        }
        let (label, stride, element) = (label(index), gradient.stride, gradient.element)
        plan.add(
            PlannedCall(
                label: label, isChunked: true,
                reads: slots.compactMap { $0 } + [residual].compactMap { $0 }, writes: [out],
                takeOver: residual.map { ($0, out) }
            ) { resolver throws(NativeError) in
                try .spread(
                    images: resolver.images, height: shape[2], width: shape[3],
                    channels: shape[1], strideHeight: stride.height, strideWidth: stride.width,
                    element: element, phases: slots.map { resolver.operand($0) },
                    residual: resolver.operand(residual), out: resolver.operand(out),
                    label: label)
            })
        return result
    }

    // MARK: Filter gradient

    mutating func lowerFilterGradient(
        _ convolution: Convolution, _ size: Spatial, _ node: Node, at index: Int
    ) throws {
        let x = node.operands[1]
        let gradient = try stored(node.operands[0])
        let isFolded = try isFolded(x, convolution)
        guard let element = gradient.element else {
            throw unsupported(index, "has no gradients of integers")
        }
        var kernel = try forwardKernel(
            convolution, x: type(x).shape, filter: node.type.shape,
            result: type(node.operands[0]).shape, element: element, pixels: isFolded)
        kernel.winograd = false
        kernel.images = plan.batch
        var affine: StepSlot?
        var relu = false
        let input: Stored
        if case .affine(let source, let slot, let isRectified) = try form(x) {
            input = try stored(source)
            affine = slot
            relu = isRectified
        } else {
            input = try stored(x, padding: isFolded ? convolution.padding : nil)
        }
        guard input.element == element else {
            throw unsupported(index, "multiplies gradients and x of one element type")
        }
        try addFilterGradient(
            FilterGradientKernel(kernel, relu: relu, winograd: backend.winograd),
            gradient: gradient.slot, input: input.slot, affine: affine, at: index)
    }

    private mutating func addFilterGradient(
        _ kernel: FilterGradientKernel, gradient: StepSlot, input: StepSlot, affine: StepSlot?,
        at index: Int
    ) throws {
        guard graph.nodes[index].type.elementType == .float32 else {
            throw unsupported(index, "gives filter gradients in float32")
        }
        let out = allocate(index, perImage: false)
        let count = kernel.filterElementCount
        let label = label(index)
        let groups = kernel.groups
        let parts = groups == 1 ? out : plan.allocate(.fixed(groups * count * 4))
        plan.add(
            PlannedCall(
                label: label, isChunked: false,
                reads: [gradient, input] + [affine].compactMap { $0 }, writes: [parts]
            ) { resolver throws(NativeError) in
                try .filterGradient(
                    kernel, gradient: resolver.operand(gradient), input: resolver.operand(input),
                    affine: resolver.operand(affine), parts: resolver.operand(parts),
                    label: label)
            })
        if groups > 1 {
            plan.add(
                PlannedCall(
                    label: label, isChunked: false, isTiny: count < 1 << 12, reads: [parts],
                    writes: [out]
                ) { resolver throws(NativeError) in
                    try .sumParts(
                        groups, count: count, input: resolver.operand(parts),
                        out: resolver.operand(out), label: label)
                })
        }
        try store(index, out, .filter)
    }

    // MARK: Dense

    mutating func lowerDense(_ node: Node, at index: Int) throws {
        let x = try stored(node.operands[0])
        let from = type(node.operands[0]).shape
        guard let inElement = x.element else { throw unsupported(index, "multiplies numbers") }
        let kernel = denseKernel(
            rows: from[0], depth: from[1], channels: node.type.shape[1], from: inElement,
            to: try element(index))
        let source = FilterSource(
            depth: from[1], channels: node.type.shape[1], taps: [0], tapCount: 1,
            isTransposed: false)
        let packed = try pack(node.operands[1], for: kernel, source, label: label(index))
        let bias = try bias(node.operands[2], channels: kernel.outChannels)
        let input = try plain(node.operands[0], x).slot
        try addDense(kernel, input: input, packed: packed, bias: bias, at: index)
    }

    mutating func lowerDenseInputGradient(_ node: Node, at index: Int) throws {
        let gradient = try stored(node.operands[0])
        let (from, to) = (type(node.operands[0]).shape, node.type.shape)
        guard let inElement = gradient.element else {
            throw unsupported(index, "multiplies numbers")
        }
        let kernel = denseKernel(
            rows: from[0], depth: from[1], channels: to[1], from: inElement,
            to: try element(index))
        let source = FilterSource(
            depth: to[1], channels: from[1], taps: [0], tapCount: 1, isTransposed: true)
        let packed = try pack(node.operands[1], for: kernel, source, label: label(index))
        let input = try plain(node.operands[0], gradient).slot
        try addDense(
            kernel, input: input, packed: packed, bias: zeros(kernel.paddedOutChannels * 4),
            at: index)
    }

    mutating func lowerDenseWeightGradient(_ node: Node, at index: Int) throws {
        let gradient = try plain(node.operands[0], stored(node.operands[0]))
        let x = try plain(node.operands[1], stored(node.operands[1]))
        let (from, to) = (type(node.operands[1]).shape, type(node.operands[0]).shape)
        guard let element = gradient.element, x.element == element else {
            throw unsupported(index, "multiplies gradients and x of one element type")
        }
        // One image of one row, a pixel for each row of x.
        var kernel = denseKernel(
            rows: 1, depth: from[1], channels: to[1], from: element, to: element)
        kernel.inWidth = from[0]
        kernel.outWidth = from[0]
        try addFilterGradient(
            FilterGradientKernel(kernel, relu: false), gradient: gradient.slot, input: x.slot,
            affine: nil, at: index)
    }

    private func denseKernel(
        rows: Int, depth: Int, channels: Int, from: KernelElement, to: KernelElement
    ) -> ConvolutionKernel {
        var kernel = ConvolutionKernel(
            images: rows, inHeight: 1, inWidth: 1, inChannels: depth, outHeight: 1, outWidth: 1,
            outChannels: channels, filterHeight: 1, filterWidth: 1, strideHeight: 1,
            strideWidth: 1, padTop: 0, padLeft: 0, inElement: from, outElement: to, relu: false,
            instructions: backend.instructions)
        kernel.chooseForm(winograd: false)
        return kernel
    }

    private mutating func addDense(
        _ kernel: ConvolutionKernel, input: StepSlot, packed: StepSlot, bias: StepSlot,
        at index: Int
    ) throws {
        var kernel = kernel
        kernel.filtersFirst = true
        kernel.unitPixels = kernel.images
        let out = allocate(index, perImage: false)
        let label = label(index)
        plan.add(
            PlannedCall(
                label: label, isChunked: false, reads: [input, packed, bias], writes: [out]
            ) { [kernel] resolver throws(NativeError) in
                try .convolution(
                    kernel, input: resolver.operand(input), packed: resolver.operand(packed),
                    bias: resolver.operand(bias), residual: nil, out: resolver.operand(out),
                    label: label)
            })
        try store(index, out, .plain)
    }
}

/// Which taps of a filter, along one axis, reach the input's elements at one place of a stride.
///
/// Element `stride * i + place` of the input meets tap `t` in output `i + (place + padding - t) / stride`, where that
/// divides. So the phase is a convolution of stride 1 over the output's gradient, its taps in falling order.
private struct PhaseTaps {
    /// Elements at this place.
    let extent: Int
    /// The filter's taps in the order of the phase's.
    let taps: [Int]
    /// Outputs before the first that the first tap reaches; negative where it begins later.
    let before: Int

    init?(place: Int, padding: Int, stride: Int, filter: Int, extent: Int) {
        let taps = (0..<filter).reversed().filter { (place + padding - $0) % stride == 0 }
        guard let first = taps.first, extent > place else { return nil }
        self.extent = (extent - place + stride - 1) / stride
        self.taps = taps
        before = -(place + padding - first) / stride
    }
}
