import Execution
import Graph
import Native
import Tensors

/// Pixels, pooling, loss and rows.
extension StepLowering {
    // MARK: Pixels

    mutating func makePixels(_ index: Int, _ padding: Padding) throws -> Stored {
        let node = graph.nodes[index]
        guard case .normalizeImage(let mean, let deviation, _) = node.operation else {
            throw unsupported(index, "cannot make this value")
        }
        let element = try element(index)
        let input = try stored(node.operands[0]).slot
        let shape = node.type.shape
        let table = constant(PixelTable.memory(mean: mean, deviation: deviation, element: element))
        let width = shape[3] + padding.left + padding.right
        let out = plan.allocate(.perImage(shape[1] * shape[2] * width * element.byteCount))
        let label = label(index)
        plan.add(
            PlannedCall(label: label, isChunked: true, reads: [input, table], writes: [out]) {
                resolver throws(NativeError) in
                try .lookUp(
                    rows: resolver.images * shape[2], width: shape[3], channels: shape[1],
                    padLeft: padding.left, padRight: padding.right, element: element,
                    input: resolver.operand(input), table: resolver.operand(table),
                    out: resolver.operand(out), label: label)
            })
        return Stored(slot: out, element: element, layout: .channelsLast)
    }

    // MARK: Pooling

    private func pooling(
        _ window: Window, _ from: Shape, _ to: Shape, _ element: KernelElement
    ) -> PoolingKernel {
        PoolingKernel(
            images: 1, inHeight: from[2], inWidth: from[3], outHeight: to[2], outWidth: to[3],
            channels: from[1], windowHeight: window.size.height, windowWidth: window.size.width,
            strideHeight: window.stride.height, strideWidth: window.stride.width,
            padTop: window.padding.top, padLeft: window.padding.left, element: element)
    }

    mutating func lowerMaxPool(_ node: Node, _ window: Window, at index: Int) throws {
        // Where the maxima are is found in the same pass.
        let indices = readers[node.operands[0].index].first {
            graph.nodes[$0].operation == .maxPoolIndices(window) && !finished.contains($0)
        }
        try addMaxPool(node, window, values: index, indices: indices)
    }

    mutating func lowerMaxPoolIndices(_ node: Node, _ window: Window, at index: Int) throws {
        try addMaxPool(node, window, values: nil, indices: index)
    }

    private mutating func addMaxPool(
        _ node: Node, _ window: Window, values: Int?, indices: Int?
    ) throws {
        let x = node.operands[0]
        let (input, element) = try activation(x)
        let kernel = pooling(window, type(x).shape, node.type.shape, element)
        let out = values.map { allocate($0, perImage: true) }
        let places = indices.map { allocate($0, perImage: true) }
        addPixelCall(
            values ?? indices ?? 0, reads: [input], writes: [out, places],
            {
                resolver, _, _, label throws(NativeError) in
                var kernel = kernel
                kernel.images = resolver.images
                return try .maxPool(
                    kernel, input: resolver.operand(input), out: resolver.operand(out),
                    indices: resolver.operand(places), label: label)
            }, over: x)
        if let values, let out { try store(values, out, .channelsLast) }
        if let indices, let places {
            forms[indices] = .stored(
                Stored(slot: places, element: nil, layout: .channelsLast))
            finished.insert(indices)
        }
    }

    mutating func lowerMaxPoolGradient(
        _ node: Node, _ window: Window, _ size: Spatial, at index: Int
    ) throws {
        let (gradient, element) = try activation(node.operands[0])
        let indices = try stored(node.operands[1])
        guard indices.layout == .channelsLast else {
            throw unsupported(index, "takes indices [N, C, H, W] here")
        }
        let kernel = pooling(window, node.type.shape, type(node.operands[0]).shape, element)
        let out = allocate(index, perImage: true)
        addPixelCall(
            index, reads: [gradient, indices.slot], writes: [out],
            {
                resolver, _, _, label throws(NativeError) in
                var kernel = kernel
                kernel.images = resolver.images
                return try .maxPoolGradient(
                    kernel, gradient: resolver.operand(gradient),
                    indices: resolver.operand(indices.slot), out: resolver.operand(out),
                    label: label)
            }, over: Value(index: index))
        try store(index, out, .channelsLast)
    }

    mutating func lowerAverage(_ node: Node, at index: Int) throws {
        let x = node.operands[0]
        let (input, element) = try activation(x)
        let shape = type(x).shape
        let out = plan.allocate(.perImage(shape[1] * element.byteCount))
        addPixelCall(
            index, reads: [input], writes: [out],
            {
                resolver, _, channels, label throws(NativeError) in
                try .average(
                    images: resolver.images, pixels: shape[2] * shape[3], channels: channels,
                    element: element, input: resolver.operand(input), out: resolver.operand(out),
                    label: label)
            }, over: x)
        try store(index, out, .plain)
    }

    mutating func lowerAverageGradient(_ node: Node, _ size: Spatial, at index: Int) throws {
        let gradient = try plain(node.operands[0], stored(node.operands[0]))
        guard let element = gradient.element else {
            throw unsupported(index, "has no gradients of integers")
        }
        let shape = node.type.shape
        // Rows of the whole batch, read image by image.
        let input = plan.allocate(.perImage(shape[1] * element.byteCount))
        addCopy(
            gradient.slot, input, shape[0] * shape[1] * element.byteCount, label(index))
        let out = allocate(index, perImage: true)
        addPixelCall(
            index, reads: [input], writes: [out],
            {
                resolver, _, channels, label throws(NativeError) in
                try .averageGradient(
                    images: resolver.images, pixels: size.height * size.width, channels: channels,
                    element: element, gradient: resolver.operand(input), out: resolver.operand(out),
                    label: label)
            }, over: Value(index: index))
        try store(index, out, .channelsLast)
    }

    // MARK: Loss

    private mutating func lossOperands(
        _ loss: CrossEntropy, _ node: Node, at index: Int
    ) throws -> (
        kernel: CrossEntropyKernel, logits: StepSlot, targets: StepSlot, weights: StepSlot?
    ) {
        let logits = try plain(node.operands[0], stored(node.operands[0]))
        let targets = try plain(node.operands[1], stored(node.operands[1]))
        let shape = type(node.operands[0]).shape
        guard let element = logits.element else { throw unsupported(index, "takes numbers") }
        let isSoft = type(node.operands[1]).shape.rank == 2
        guard !isSoft || targets.element == element else {
            throw unsupported(index, "takes targets of the logits' element type")
        }
        let kernel = CrossEntropyKernel(
            images: shape[0], classes: shape[1], smoothing: loss.smoothing, isSoft: isSoft,
            element: element)
        let weights = loss.hasWeights ? try vector(node.operands[2]) : nil
        return (kernel, logits.slot, targets.slot, weights)
    }

    mutating func lowerCrossEntropy(_ loss: CrossEntropy, _ node: Node, at index: Int) throws {
        let (kernel, logits, targets, weights) = try lossOperands(loss, node, at: index)
        let out = allocate(index, perImage: false)
        let label = label(index)
        addTinyCall(label, reads: [logits, targets, weights], writes: [out]) {
            resolver throws(NativeError) in
            try .crossEntropy(
                kernel, logits: resolver.operand(logits), targets: resolver.operand(targets),
                weights: resolver.operand(weights), out: resolver.operand(out), label: label)
        }
        try store(index, out, .plain)
    }

    mutating func lowerCrossEntropyGradient(
        _ loss: CrossEntropy, _ node: Node, at index: Int
    ) throws {
        let (kernel, logits, targets, weights) = try lossOperands(loss, node, at: index)
        guard let last = node.operands.last else { return }
        // The backward pass begins.
        for (index, form) in recomputed { forms[index] = form }
        let gradient = try vector(last)
        let out = allocate(index, perImage: false)
        let label = label(index)
        addTinyCall(label, reads: [logits, targets, weights, gradient], writes: [out]) {
            resolver throws(NativeError) in
            try .crossEntropyGradient(
                kernel, logits: resolver.operand(logits), targets: resolver.operand(targets),
                weights: resolver.operand(weights), gradient: resolver.operand(gradient),
                out: resolver.operand(out), label: label)
        }
        try store(index, out, .plain)
    }

    mutating func lowerCorrectCount(_ node: Node, top: Int, at index: Int) throws {
        let logits = try plain(node.operands[0], stored(node.operands[0]))
        let labels = try stored(node.operands[1]).slot
        let shape = type(node.operands[0]).shape
        guard let element = logits.element else { throw unsupported(index, "takes numbers") }
        let out = allocate(index, perImage: false)
        let label = label(index)
        addTinyCall(label, reads: [logits.slot, labels], writes: [out]) {
            resolver throws(NativeError) in
            try .correctCount(
                images: shape[0], classes: shape[1], top: top, element: element,
                logits: resolver.operand(logits.slot), labels: resolver.operand(labels),
                out: resolver.operand(out), label: label)
        }
        try store(index, out, .plain)
    }

    mutating func lowerSoftmax(_ node: Node, at index: Int) throws {
        let x = try plain(node.operands[0], stored(node.operands[0]))
        let shape = node.type.shape
        guard let element = x.element else { throw unsupported(index, "takes numbers") }
        let out = allocate(index, perImage: false)
        let label = label(index)
        plan.add(
            PlannedCall(label: label, isChunked: false, reads: [x.slot], writes: [out]) {
                resolver throws(NativeError) in
                try .softmax(
                    rows: shape[0], count: shape[1], element: element,
                    input: resolver.operand(x.slot), out: resolver.operand(out), label: label)
            })
        try store(index, out, .plain)
    }

    // MARK: Rows and sums

    mutating func lowerChannelSums(_ node: Node, at index: Int) throws {
        let x = node.operands[0]
        let shape = type(x).shape
        let channels = shape[1]
        let out = allocate(index, perImage: false)
        guard shape.rank == 4, isPerImage(x) else {
            var input = try plain(x, stored(x))
            guard let element = input.element else { throw unsupported(index, "sums numbers") }
            if shape.rank > 2 { input.slot = addChannelsLast(x, input.slot) }
            let pixels = shape.elementCount / channels
            let part = plan.allocate(.fixed(channels * 8))
            let label = label(index)
            addTinyCall(label, reads: [input.slot], writes: [part]) {
                [input] resolver throws(NativeError) in
                try .channelSums(
                    pixels: pixels, channels: channels, element: element,
                    input: resolver.operand(input.slot), part: resolver.operand(part),
                    label: label)
            }
            addCombine(part, count: channels, out: out, label: label)
            try store(index, out, .plain)
            return
        }
        let (input, element) = try activation(x)
        let parts = plan.allocate(.perPart(channels * 8))
        addPixelCall(
            index, reads: [input], writes: [parts],
            {
                resolver, pixels, channels, label throws(NativeError) in
                try .channelSums(
                    pixels: pixels, channels: channels, element: element,
                    input: resolver.operand(input), part: resolver.operand(parts), label: label)
            }, over: x)
        addCombine(parts, count: channels, out: out, label: label(index))
        try store(index, out, .plain)
    }

    mutating func lowerRow(_ node: Node, _ row: Int, at index: Int) throws {
        let x = node.operands[0]
        let stored = try plain(x, stored(x))
        let size = byteCount(Value(index: index))
        guard stored.element == .float32 else { throw unsupported(index, "takes rows of float32") }
        let slot: StepSlot
        switch stored.slot {
        case .buffer(let id): slot = .part(of: id, offset: row * size, byteCount: size)
        case .part(let id, let offset, _):
            slot = .part(of: id, offset: offset + row * size, byteCount: size)
        case .state(let state, let offset, _):
            slot = .state(state, offset: offset + row * size, byteCount: size)
        case .constant(let constant, let offset, _):
            slot = .constant(constant, offset: offset + row * size, byteCount: size)
        case .input(let input, let byteCount, _):
            let copy = plan.allocate(.fixed(byteCount))
            addCopy(
                .input(input, byteCount: byteCount, perImage: nil), copy, byteCount, label(index))
            guard case .buffer(let id) = copy else { return }
            slot = .part(of: id, offset: row * size, byteCount: size)
        case .output: throw unsupported(index, "cannot read an output")
        }
        try store(index, slot, .plain)
    }

    mutating func lowerStack(_ node: Node, at index: Int) throws {
        let out = allocate(index, perImage: false)
        guard case .buffer(let id) = out else { return }
        for (row, operand) in node.operands.enumerated() {
            let size = byteCount(operand)
            addCopy(
                try vector(operand), .part(of: id, offset: row * size, byteCount: size), size,
                label(index))
        }
        try store(index, out, .plain)
    }
}
