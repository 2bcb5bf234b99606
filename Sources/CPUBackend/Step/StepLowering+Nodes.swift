import Execution
import Graph
import Native
import Tensors

extension StepLowering {
    /// Plans one node.
    mutating func lower(_ node: Node, at index: Int) throws {
        switch node.operation {
        case .input(let name): try lowerInput(name, at: index)
        case .parameter(let name): try lowerParameter(name, at: index)
        case .state: try lowerState(at: index)
        case .constant(let number, _):
            _ = try element(index)
            let slot = constant(Memory(copying: [Float(number)]))
            try store(index, slot, .plain)

        case .normalizeImage: forms[index] = .pixels
        case .convolution(let convolution): try lowerConvolution(convolution, node, at: index)
        case .convolutionInputGradient(let convolution, let size):
            try lowerInputGradient(convolution, size, node, at: index)
        case .convolutionFilterGradient(let convolution, let size):
            try lowerFilterGradient(convolution, size, node, at: index)
        case .dense: try lowerDense(node, at: index)
        case .denseInputGradient: try lowerDenseInputGradient(node, at: index)
        case .denseWeightGradient: try lowerDenseWeightGradient(node, at: index)

        case .batchMoments: try lowerMoments(node, at: index)
        case .normalizeBatch(let epsilon): try lowerNormalizeBatch(node, epsilon, at: index)
        case .batchNormalization(let epsilon):
            try lowerBatchNormalization(node, epsilon, at: index)
        case .normalizationSums(let epsilon):
            try lowerNormalizationSums(node, epsilon, at: index)
        case .normalizeBatchGradient(let epsilon):
            try lowerNormalizeBatchGradient(node, epsilon, at: index)
        case .batchNormalizationGradient(let epsilon):
            try lowerBatchNormalizationGradient(node, epsilon, at: index)

        case .relu: try lowerReLU(node, at: index)
        case .reluGradient: try lowerReLUGradient(node, at: index)
        case .add: try lowerAdd(node, at: index)
        case .cast(let type): try lowerCast(node, type, at: index)
        case .multiply: try lowerMultiply(node, at: index)

        case .maxPool(let window): try lowerMaxPool(node, window, at: index)
        case .maxPoolIndices(let window): try lowerMaxPoolIndices(node, window, at: index)
        case .maxPoolGradient(let window, let size):
            try lowerMaxPoolGradient(node, window, size, at: index)
        case .globalAveragePool: try lowerAverage(node, at: index)
        case .globalAveragePoolGradient(let size):
            try lowerAverageGradient(node, size, at: index)

        case .softmax: try lowerSoftmax(node, at: index)
        case .crossEntropy(let loss): try lowerCrossEntropy(loss, node, at: index)
        case .crossEntropyGradient(let loss): try lowerCrossEntropyGradient(loss, node, at: index)
        case .correctCount(let top): try lowerCorrectCount(node, top: top, at: index)
        case .channelSums: try lowerChannelSums(node, at: index)

        case .row(let row): try lowerRow(node, row, at: index)
        case .stack: try lowerStack(node, at: index)
        case .squaredNorm: try lowerReduction(node, countsNonFinite: false, at: index)
        case .isFinite: try lowerReduction(node, countsNonFinite: true, at: index)
        case .reciprocal, .select, .movingAverage, .clipFactor, .trustRatio, .lossScaleUpdate:
            try lowerNumbers(node, at: index)
        case .velocityUpdate(let rule): try lowerVelocityUpdate(node, rule, at: index)
        case .weightUpdate(let rule): try lowerWeightUpdate(node, rule, at: index)
        case .replicaMean, .replicaMoments:
            throw unsupported(index, "takes graphs without means over replicas here")
        }
    }

    /// Makes a value that has no memory yet.
    mutating func make(_ value: Value, padding: Padding?) throws -> Stored {
        let index = value.index
        switch try form(value) {
        case .stored(let stored): return stored
        case .affine(let x, let affine, let relu):
            return try makeAffine(index, x, affine, relu: relu)
        case .sum(let x, let affine, let other):
            let stored = try makeSum(index, x, affine, other, relu: false)
            forms[index] = .stored(stored)
            return stored
        case .recomputed(let x, let affine, let other):
            let stored = try makeSum(index, x, affine, other, relu: true)
            forms[index] = .stored(stored)
            return stored
        case .masked(let gradient, let y):
            let stored = try makeMasked(index, gradient, y)
            forms[index] = .stored(stored)
            return stored
        case .inputGradient(let gradient):
            let stored = try makeInputGradient(gradient, index, residual: nil, at: index)
            forms[index] = .stored(stored)
            return stored
        case .pixels: return try makePixels(index, padding ?? Padding(0))
        case .narrowed(let weight):
            return try cast(value, stored(weight), to: element(index))
        }
    }

    // MARK: Boundaries

    private mutating func lowerInput(_ name: String, at index: Int) throws {
        let type = graph.nodes[index].type
        guard let position = graph.inputs.firstIndex(where: { $0.value.index == index }) else {
            throw unsupported(index, "does not know this input")
        }
        let size = byteCount(Value(index: index))
        let isBatch = type.shape.rank == 4 && type.shape[0] == plan.batch
        let perImage = isBatch ? size / plan.batch : nil
        let slot = StepSlot.input(position, byteCount: size, perImage: perImage)
        let element: KernelElement? =
            type.elementType.isFloatingPoint ? try element(index) : nil
        let isPixels =
            !readers[index].isEmpty
            && readers[index].allSatisfy {
                if case .normalizeImage = graph.nodes[$0].operation { true } else { false }
            }
        guard type.shape.rank == 4, perImage != nil, !isPixels else {
            forms[index] = .stored(Stored(slot: slot, element: element, layout: .plain))
            return
        }
        let out = allocate(index, perImage: true)
        let (shape, label) = (type.shape, label(index))
        plan.add(
            PlannedCall(label: label, isChunked: true, reads: [slot], writes: [out]) {
                resolver throws(NativeError) in
                try .moveChannels(
                    last: true, images: resolver.images, channels: shape[1],
                    pixels: shape[2] * shape[3], elementByteCount: type.elementType.byteCount,
                    input: resolver.operand(slot), out: resolver.operand(out), label: label)
            })
        forms[index] = .stored(Stored(slot: out, element: element, layout: .channelsLast))
    }

    /// A parameter is a constant: filters and weights as `[taps][I][O]`, all in float32.
    private mutating func lowerParameter(_ name: String, at index: Int) throws {
        let type = graph.nodes[index].type
        let tensor = try requireTensor(parameters[name], type, "parameter \(name)")
        guard type.elementType == .float32 || type.elementType == .bfloat16 else {
            throw ExecutionError(
                .unsupported,
                "parameter \(name): the CPU back end computes in float32 and bfloat16, not "
                    + type.elementType.rawValue)
        }
        let slot = constant(FilterLayout.memory(tensor))
        forms[index] = .stored(
            Stored(slot: slot, element: .float32, layout: layout(ofState: index)))
    }

    mutating func lowerOutput(_ output: GraphOutput, _ position: Int) throws(ExecutionError) {
        do {
            let type = type(output.value)
            var stored = try stored(output.value)
            let size = byteCount(output.value)
            let out = StepSlot.output(position, byteCount: size)
            let shape = type.shape
            let from = stored.slot
            if stored.layout == .channelsLast, shape.rank == 4 {
                let images = shape[0]
                plan.add(
                    PlannedCall(label: output.name, isChunked: false, reads: [from], writes: [out])
                    { resolver throws(NativeError) in
                        try .moveChannels(
                            last: false, images: images, channels: shape[1],
                            pixels: shape[2] * shape[3],
                            elementByteCount: type.elementType.byteCount,
                            input: resolver.operand(from), out: resolver.operand(out),
                            label: output.name)
                    })
                return
            }
            stored = try plain(output.value, stored)
            addCopy(stored.slot, out, size, output.name)
        } catch let error as ExecutionError {
            throw error
        } catch {
            throw ExecutionError(.libraryFailure, "output \(output.name): \(error)")
        }
    }

    // MARK: Layouts

    /// A stored value in the graph's order.
    mutating func plain(_ value: Value, _ stored: Stored) throws -> Stored {
        try relaid(value, stored, to: .plain)
    }

    /// A stored value in another order of elements.
    mutating func relaid(
        _ value: Value, _ stored: Stored, to layout: Layout
    ) throws(ExecutionError) -> Stored {
        let shape = type(value).shape
        if stored.layout == layout || shape.rank < 2 { return stored }
        var result = stored
        let size = stored.element?.byteCount ?? type(value).elementType.byteCount
        if stored.layout == .channelsLast {
            result.slot = addMove(value, stored.slot) {
                resolver, input, out, label throws(NativeError) in
                try .moveChannels(
                    last: false, images: shape[0], channels: shape[1], pixels: shape[2] * shape[3],
                    elementByteCount: size, input: input, out: out, label: label)
            }
            result.layout = .plain
            return try relaid(value, result, to: layout)
        }
        if layout == .channelsLast {
            guard stored.layout == .plain else {
                return try relaid(value, relaid(value, stored, to: .plain), to: layout)
            }
            result.slot = addMove(value, stored.slot) {
                resolver, input, out, label throws(NativeError) in
                try .moveChannels(
                    last: true, images: shape[0], channels: shape[1], pixels: shape[2] * shape[3],
                    elementByteCount: size, input: input, out: out, label: label)
            }
            result.layout = .channelsLast
            return result
        }
        guard stored.element == .float32 else {
            throw unsupported(value.index, "moves filters in float32 only")
        }
        let back = stored.layout == .filter
        result.slot = addMove(value, stored.slot) {
            resolver, input, out, label throws(NativeError) in
            try .moveFilter(
                channels: shape[0], depth: shape[1],
                taps: shape.dimensions.dropFirst(2).reduce(1, *), back: back, input: input,
                out: out, label: label)
        }
        result.layout = layout
        return result
    }

    /// `[N][C]...` as `[N]...[C]`.
    mutating func addChannelsLast(_ value: Value, _ from: StepSlot) -> StepSlot {
        let shape = type(value).shape
        let size = type(value).elementType.byteCount
        return addMove(value, from) { resolver, input, out, label throws(NativeError) in
            try .moveChannels(
                last: true, images: shape[0], channels: shape[1],
                pixels: shape.dimensions.dropFirst(2).reduce(1, *), elementByteCount: size,
                input: input, out: out, label: label)
        }
    }

    private mutating func addMove(
        _ value: Value, _ from: StepSlot,
        _ make:
            @escaping (StepResolver, StepOperand, StepOperand, String) throws(NativeError) ->
            StepCall
    ) -> StepSlot {
        let out = plan.allocate(.fixed(max(byteCount(value), 4)))
        let label = label(value.index)
        plan.add(
            PlannedCall(label: label, isChunked: false, reads: [from], writes: [out]) {
                resolver throws(NativeError) in
                try make(resolver, resolver.operand(from), resolver.operand(out), label)
            })
        return out
    }

    private mutating func lowerCast(_ node: Node, _ type: ElementType, at index: Int) throws {
        let operand = node.operands[0]
        if case .stored(let stored) = try form(operand), stored.element == .float32,
            stored.layout == .filter || isLeaf(operand)
        {
            // A weight: most readers pack it, and convert on the way.
            _ = try element(index)
            forms[index] = .narrowed(operand)
            return
        }
        let converted = try cast(Value(index: index), stored(operand), to: element(index))
        forms[index] = .stored(converted)
    }

    private func isLeaf(_ value: Value) -> Bool { graph[value].operation.isLeaf }
}

/// The order in which steps keep filters and dense weights.
enum FilterLayout {
    /// A tensor's elements as float32; of rank 2 or 4 as `[taps][I][O]`.
    static func memory(_ tensor: HostTensor) -> Memory {
        let shape = tensor.shape
        guard shape.rank == 2 || shape.rank == 4 else {
            let isPlain = tensor.elementType == .float32 && tensor.memory.isAligned(for: Float.self)
            return isPlain ? tensor.memory : Memory(copying: tensor.floats())
        }
        let taps = shape.dimensions.dropFirst(2).reduce(1, *)
        return moved(tensor.floats(), shape[0], shape[1], taps)
    }

    /// A state's bytes as a tensor in the graph's order.
    static func tensor(_ memory: Memory, shape: Shape) throws(TensorError) -> HostTensor {
        guard shape.rank == 2 || shape.rank == 4 else {
            return try HostTensor(elementType: .float32, shape: shape, memory: memory)
        }
        let (channels, depth) = (shape[0], shape[1])
        let taps = shape.dimensions.dropFirst(2).reduce(1, *)
        let span = memory.span(of: Float.self)
        var values = [Float](repeating: 0, count: shape.elementCount)
        for tap in 0..<taps {
            for input in 0..<depth {
                let row = (tap * depth + input) * channels
                for output in 0..<channels {
                    values[(output * depth + input) * taps + tap] = span[row + output]
                }
            }
        }
        return HostTensor(values, shape: shape)
    }

    private static func moved(
        _ values: [Float], _ channels: Int, _ depth: Int, _ taps: Int
    ) -> Memory {
        var moved = [Float](repeating: 0, count: values.count)
        for output in 0..<channels {
            for input in 0..<depth {
                let from = (output * depth + input) * taps
                for tap in 0..<taps {
                    moved[(tap * depth + input) * channels + output] = values[from + tap]
                }
            }
        }
        return Memory(copying: moved)
    }
}
