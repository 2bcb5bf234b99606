import Execution
import Graph
import Native
import Tensors

extension StepLowering {
    /// Adds a call over all pixels of an activation, chunk by chunk.
    mutating func addPixelCall(
        _ index: Int, reads: [StepSlot?], writes: [StepSlot?],
        takeOver: (from: StepSlot, to: StepSlot)? = nil,
        _ make: @escaping (StepResolver, Int, Int, String) throws(NativeError) -> StepCall,
        over value: Value
    ) {
        let shape = type(value).shape
        let pixels = shape.dimensions.dropFirst(2).reduce(1, *)
        let label = label(index)
        plan.add(
            PlannedCall(
                label: label, isChunked: true, reads: reads.compactMap { $0 },
                writes: writes.compactMap { $0 }, takeOver: takeOver
            ) { resolver throws(NativeError) in
                try make(resolver, resolver.images * pixels, shape[1], label)
            })
    }

    /// Adds a call of a few numbers for each channel.
    mutating func addTinyCall(
        _ label: String, reads: [StepSlot?], writes: [StepSlot],
        _ make: @escaping (StepResolver) throws(NativeError) -> StepCall
    ) {
        plan.add(
            PlannedCall(
                label: label, isChunked: false, isTiny: true, reads: reads.compactMap { $0 },
                writes: writes, make: make))
    }

    /// An activation in memory, channels innermost.
    mutating func activation(_ value: Value) throws -> (slot: StepSlot, element: KernelElement) {
        let stored = try stored(value)
        guard let element = stored.element, stored.layout == .channelsLast else {
            throw unsupported(value.index, "takes activations [N, C, H, W] here")
        }
        return (stored.slot, element)
    }

    // MARK: Forward

    mutating func lowerMoments(_ node: Node, at index: Int) throws {
        let x = node.operands[0]
        let (input, element) = try activation(x)
        let channels = type(x).shape[1]
        let parts = plan.allocate(.perPart(2 * channels * 8))
        let out = allocate(index, perImage: false)
        addPixelCall(
            index, reads: [input], writes: [parts],
            {
                resolver, pixels, channels, label throws(NativeError) in
                try .moments(
                    pixels: pixels, channels: channels, element: element,
                    input: resolver.operand(input), part: resolver.operand(parts), label: label)
            }, over: x)
        let pixels = type(x).shape.elementCount / channels
        let label = label(index)
        addTinyCall(label, reads: [parts], writes: [out]) { resolver throws(NativeError) in
            let count = resolver.partCount(parts)
            return try .combineMoments(
                parts: count, pixels: pixels / count, channels: channels,
                input: resolver.operand(parts), out: resolver.operand(out), label: label)
        }
        try store(index, out, .plain)
    }

    mutating func lowerNormalizeBatch(_ node: Node, _ epsilon: Double, at index: Int) throws {
        let moments = try vector(node.operands[3])
        try addAffine(
            node, epsilon, moments: moments, scale: vector(node.operands[1]),
            shift: vector(node.operands[2]), at: index)
    }

    mutating func lowerBatchNormalization(_ node: Node, _ epsilon: Double, at index: Int) throws {
        let channels = type(node.operands[0]).shape[1]
        let moments = plan.allocate(.fixed(2 * channels * 4))
        for row in 0..<2 {
            let part = part(of: moments, row, channels)
            addCopy(try vector(node.operands[3 + row]), part, channels * 4, label(index))
        }
        try addAffine(
            node, epsilon, moments: moments, scale: vector(node.operands[1]),
            shift: vector(node.operands[2]), at: index)
    }

    /// Row `row` of numbers for each channel.
    private func part(of slot: StepSlot, _ row: Int, _ channels: Int) -> StepSlot {
        guard case .buffer(let id) = slot else { return slot }
        return .part(of: id, offset: row * channels * 4, byteCount: channels * 4)
    }

    private mutating func addAffine(
        _ node: Node, _ epsilon: Double, moments: StepSlot, scale: StepSlot, shift: StepSlot,
        at index: Int
    ) throws {
        let channels = type(node.operands[0]).shape[1]
        let affine = plan.allocate(.fixed(2 * channels * 4))
        let label = label(index)
        addTinyCall(label, reads: [moments, scale, shift], writes: [affine]) {
            resolver throws(NativeError) in
            try .affineOfMoments(
                channels: channels, epsilon: epsilon, moments: resolver.operand(moments),
                scale: resolver.operand(scale), shift: resolver.operand(shift),
                out: resolver.operand(affine), label: label)
        }
        forms[index] = .affine(x: node.operands[0], affine: affine, relu: false)
    }

    mutating func makeAffine(
        _ index: Int, _ x: Value, _ affine: StepSlot, relu: Bool
    ) throws -> Stored {
        let (input, element) = try activation(x)
        let out = allocate(index, perImage: true)
        addPixelCall(
            index, reads: [input, affine], writes: [out], takeOver: (input, out),
            {
                resolver, pixels, channels, label throws(NativeError) in
                try .affine(
                    pixels: pixels, channels: channels, element: element, relu: relu,
                    input: resolver.operand(input), affine: resolver.operand(affine),
                    out: resolver.operand(out), label: label)
            }, over: x)
        return Stored(slot: out, element: element, layout: .channelsLast)
    }

    /// Adds a tensor, through its affine if it has one, to another that goes through one.
    mutating func makeSum(
        _ index: Int, _ x: Value, _ affine: StepSlot, _ other: Value, relu: Bool
    ) throws -> Stored {
        let (input, element) = try activation(x)
        var otherAffine: StepSlot?
        let second: StepSlot
        if case .affine(let source, let slot, relu: false) = try form(other) {
            second = try activation(source).slot
            otherAffine = slot
        } else {
            second = try activation(other).slot
        }
        let out = allocate(index, perImage: true)
        addPixelCall(
            index, reads: [input, affine, second, otherAffine], writes: [out],
            takeOver: (second, out),
            {
                [otherAffine] resolver, pixels, channels, label throws(NativeError) in
                try .join(
                    pixels: pixels, channels: channels, element: element, relu: relu,
                    input: resolver.operand(input), affine: resolver.operand(affine),
                    other: resolver.operand(second), otherAffine: resolver.operand(otherAffine),
                    out: resolver.operand(out), label: label)
            }, over: x)
        return Stored(slot: out, element: element, layout: .channelsLast)
    }

    // MARK: Backward

    /// A gradient and which of its elements count, for a kernel that also reads `x`.
    private mutating func counted(
        _ gradient: Value, beside x: Value
    ) throws -> (slot: StepSlot, mask: StepMask) {
        guard case .masked(let source, let y) = try form(gradient) else {
            return (try activation(gradient).slot, .all)
        }
        if case .recomputed = try form(y) { _ = try stored(y) }
        switch try form(y) {
        case .affine(let input, let affine, relu: true) where input == x:
            return (try activation(source).slot, .affine(affine))
        case .stored(let stored) where stored.layout == .channelsLast:
            return (try activation(source).slot, .y(stored.slot))
        default: return (try activation(gradient).slot, .all)
        }
    }

    mutating func lowerNormalizationSums(_ node: Node, _ epsilon: Double, at index: Int) throws {
        let (gradient, x) = (node.operands[0], node.operands[1])
        let (input, element) = try activation(x)
        let moments = try vector(node.operands[2])
        let (slot, mask) = try counted(gradient, beside: x)
        // Where others than batch norms read the gradient, it is written down with its zeros.
        var masked: StepSlot?
        if case .y = mask, !isReadByNormsAlone(gradient) {
            masked = allocate(gradient.index, perImage: true)
        }
        let channels = type(x).shape[1]
        let parts = plan.allocate(.perPart(2 * channels * 8))
        addPixelCall(
            index, reads: [slot, input, moments] + mask.slots, writes: [parts, masked],
            takeOver: masked.map { (slot, $0) },
            {
                [masked] resolver, pixels, channels, label throws(NativeError) in
                try .gradientSums(
                    pixels: pixels, channels: channels, element: element, epsilon: epsilon,
                    mask: mask.resolved(resolver), gradient: resolver.operand(slot),
                    input: resolver.operand(input), moments: resolver.operand(moments),
                    masked: resolver.operand(masked), part: resolver.operand(parts), label: label)
            }, over: x)
        if let masked { try store(gradient.index, masked, .channelsLast) }
        let out = allocate(index, perImage: false)
        addCombine(parts, count: 2 * channels, out: out, label: label(index))
        try store(index, out, .plain)
    }

    /// Adds up float64 parts.
    mutating func addCombine(_ parts: StepSlot, count: Int, out: StepSlot, label: String) {
        addTinyCall(label, reads: [parts], writes: [out]) { resolver throws(NativeError) in
            try .combineSums(
                parts: resolver.partCount(parts), count: count, input: resolver.operand(parts),
                out: resolver.operand(out), label: label)
        }
    }

    /// Whether a gradient's readers all know how to leave elements out.
    private func isReadByNormsAlone(_ gradient: Value) -> Bool {
        readers[gradient.index].allSatisfy { reader in
            switch graph.nodes[reader].operation {
            case .normalizationSums, .normalizeBatchGradient, .batchNormalizationGradient:
                graph.nodes[reader].operands.dropFirst().allSatisfy { $0 != gradient }
            default: false
            }
        }
    }

    mutating func lowerNormalizeBatchGradient(
        _ node: Node, _ epsilon: Double, at index: Int
    ) throws {
        let x = node.operands[1]
        let channels = type(x).shape[1]
        let (scale, moments, sums) = (
            try vector(node.operands[2]), try vector(node.operands[3]),
            try vector(node.operands[4])
        )
        let coefficients = plan.allocate(.fixed(3 * channels * 4))
        let count = type(x).shape.elementCount / channels
        let label = label(index)
        addTinyCall(label, reads: [moments, scale, sums], writes: [coefficients]) {
            resolver throws(NativeError) in
            try .gradientCoefficients(
                count: count, channels: channels, epsilon: epsilon,
                moments: resolver.operand(moments), scale: resolver.operand(scale),
                sums: resolver.operand(sums), out: resolver.operand(coefficients), label: label)
        }
        try addNormalizeGradient(node.operands[0], x, coefficients, at: index)
    }

    mutating func lowerBatchNormalizationGradient(
        _ node: Node, _ epsilon: Double, at index: Int
    ) throws {
        let gradient = node.operands[0]
        let channels = type(gradient).shape[1]
        let (scale, variance) = (try vector(node.operands[1]), try vector(node.operands[2]))
        let moments = plan.allocate(.fixed(2 * channels * 4))
        let coefficients = plan.allocate(.fixed(3 * channels * 4))
        let (zero, label) = (zeros(channels * 4), label(index))
        addCopy(zero, part(of: moments, 0, channels), channels * 4, label)
        addCopy(variance, part(of: moments, 1, channels), channels * 4, label)
        // With a mean and a shift of 0 the affine is the factor and 0; x then counts 0 times.
        addTinyCall(label, reads: [moments, scale, zero], writes: [coefficients]) {
            resolver throws(NativeError) in
            try .affineOfMoments(
                channels: channels, epsilon: epsilon, moments: resolver.operand(moments),
                scale: resolver.operand(scale), shift: resolver.operand(zero),
                out: resolver.operand(coefficients), label: label)
        }
        addCopy(zero, part(of: coefficients, 2, channels), channels * 4, label)
        var x = gradient
        if case .masked(_, let y) = try form(gradient), case .affine(let input, _, _) = try form(y)
        {
            x = input
        }
        try addNormalizeGradient(gradient, x, coefficients, at: index)
    }

    private mutating func addNormalizeGradient(
        _ gradient: Value, _ x: Value, _ coefficients: StepSlot, at index: Int
    ) throws {
        let (slot, mask) = try counted(gradient, beside: x)
        let (input, element) = try activation(x)
        let out = allocate(index, perImage: true)
        addPixelCall(
            index, reads: [slot, input, coefficients] + mask.slots, writes: [out],
            takeOver: (slot, out),
            {
                resolver, pixels, channels, label throws(NativeError) in
                try .normalizeGradient(
                    pixels: pixels, channels: channels, element: element,
                    mask: mask.resolved(resolver), gradient: resolver.operand(slot),
                    input: resolver.operand(input), coefficients: resolver.operand(coefficients),
                    out: resolver.operand(out), label: label)
            }, over: x)
        try store(index, out, .channelsLast)
    }

    mutating func lowerReLUGradient(_ node: Node, at index: Int) throws {
        if isReadByNormsAlone(Value(index: index)) || isReadBySums(index) {
            forms[index] = .masked(gradient: node.operands[0], y: node.operands[1])
            return
        }
        let stored = try makeMasked(index, node.operands[0], node.operands[1])
        forms[index] = .stored(stored)
    }

    /// Whether the first reader is a batch norm's sums, which write the gradient down with its zeros.
    private func isReadBySums(_ index: Int) -> Bool {
        let eager = readers[index].contains {
            if case .normalizationSums = graph.nodes[$0].operation { true } else { false }
        }
        guard eager, isPerImage(Value(index: index)) else { return false }
        switch forms[graph.nodes[index].operands[1].index] {
        case .stored, .recomputed: return true
        default: return false
        }
    }

    mutating func makeMasked(_ index: Int, _ gradient: Value, _ y: Value) throws -> Stored {
        let (first, second) = (try stored(gradient), try stored(y))
        guard let element = first.element, second.element == element else {
            throw unsupported(index, "takes a gradient and y of one element type")
        }
        let other = try relaid(y, second, to: first.layout).slot
        return try addElementwise(
            index, element, first.layout, reads: [first.slot, other], takeOver: first.slot
        ) { count, operands, out, label throws(NativeError) in
            try .reluGradient(
                count: count, element: element, gradient: operands[0], y: operands[1], out: out,
                label: label)
        }
    }
}

/// Which elements of a gradient count.
enum StepMask {
    case all
    case affine(StepSlot)
    case y(StepSlot)

    var slots: [StepSlot] {
        switch self {
        case .all: []
        case .affine(let slot), .y(let slot): [slot]
        }
    }

    func resolved(_ resolver: StepResolver) -> GradientMask {
        switch self {
        case .all: .all
        case .affine(let slot): .affine(resolver.operand(slot))
        case .y(let slot): .y(resolver.operand(slot))
        }
    }
}
