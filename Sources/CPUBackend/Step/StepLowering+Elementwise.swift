import Execution
import Graph
import Native
import Tensors

extension StepLowering {
    /// Sums in identity blocks that take so many bytes an image are made twice rather than kept: of ResNet-50 two in
    /// the first stage, a tenth of all that is kept, for a hundredth of the time.
    private static let recomputedByteCount = 3 << 19

    /// Adds a call whose rows are elements: chunk by chunk for activations, else shared among threads.
    ///
    /// - Parameter takeOver: an operand whose memory the result may take.
    mutating func addElementwise(
        _ index: Int, _ element: KernelElement, _ layout: Layout, reads: [StepSlot],
        takeOver: StepSlot? = nil,
        _ make: @escaping (Int, [StepOperand], StepOperand, String) throws(NativeError) -> StepCall
    ) throws -> Stored {
        let value = Value(index: index)
        let isChunked = layout == .channelsLast && isPerImage(value)
        let count = type(value).shape.elementCount
        let out =
            isChunked
            ? allocate(index, perImage: true)
            : element == .float32 ? target(index, layout: layout) : allocate(index, perImage: false)
        let (label, batch) = (label(index), plan.batch)
        plan.add(
            PlannedCall(
                label: label, isChunked: isChunked, isTiny: !isChunked && count < 1 << 13,
                reads: reads, writes: [out], takeOver: takeOver.map { ($0, out) }
            ) { resolver throws(NativeError) in
                try make(
                    isChunked ? count / batch * resolver.images : count,
                    reads.map { resolver.operand($0) }, resolver.operand(out), label)
            })
        return Stored(slot: out, element: element, layout: layout)
    }

    /// Operands of one element type in one order of elements, that of the first.
    private mutating func matched(
        _ values: [Value], _ index: Int
    ) throws -> (slots: [StepSlot], element: KernelElement, layout: Layout) {
        let first = try stored(values[0])
        guard let element = first.element else {
            throw unsupported(index, "does not compute with integers here")
        }
        var slots = [first.slot]
        for value in values.dropFirst() {
            let other = try stored(value)
            guard other.element == element else {
                throw unsupported(index, "takes operands of one element type")
            }
            slots.append(try relaid(value, other, to: first.layout).slot)
        }
        return (slots, element, first.layout)
    }

    mutating func lowerReLU(_ node: Node, at index: Int) throws {
        let x = node.operands[0]
        switch try form(x) {
        case .affine(let source, let affine, relu: false):
            forms[index] = .affine(x: source, affine: affine, relu: true)
            return
        case .sum(let source, let affine, let other) where readers[x.index].count == 1:
            let stored = try makeSum(index, source, affine, other, relu: true)
            forms[index] = .stored(stored)
            if case .stored = try form(other),
                byteCount(Value(index: index)) / plan.batch >= Self.recomputedByteCount
            {
                recomputed[index] = .recomputed(x: source, affine: affine, other: other)
            }
            return
        default: break
        }
        let (slots, element, layout) = try matched([x], index)
        let stored = try addElementwise(
            index, element, layout, reads: slots, takeOver: slots[0]
        ) { count, operands, out, label throws(NativeError) in
            try .relu(count: count, element: element, input: operands[0], out: out, label: label)
        }
        forms[index] = .stored(stored)
    }

    mutating func lowerAdd(_ node: Node, at index: Int) throws {
        for place in 0..<2 {
            let (value, other) = (node.operands[place], node.operands[1 - place])
            guard value != other, readers[value.index].count == 1 else { continue }
            switch try form(value) {
            case .inputGradient(let gradient):
                let residual = try activation(other).slot
                let stored = try makeInputGradient(
                    gradient, value.index, residual: residual, at: index)
                forms[index] = .stored(stored)
                return
            case .affine(let source, let affine, relu: false):
                forms[index] = .sum(x: source, affine: affine, other: other)
                return
            default: continue
            }
        }
        let (slots, element, layout) = try matched(node.operands, index)
        let stored = try addElementwise(
            index, element, layout, reads: slots, takeOver: slots[0]
        ) { count, operands, out, label throws(NativeError) in
            try .add(
                count: count, element: element, input: operands[0], second: operands[1], out: out,
                label: label)
        }
        forms[index] = .stored(stored)
    }

    mutating func lowerMultiply(_ node: Node, at index: Int) throws {
        let isScalar = type(node.operands[1]).shape.rank == 0
        let (slots, element, layout): ([StepSlot], KernelElement, Layout)
        if isScalar {
            let x = try stored(node.operands[0])
            let factor = try stored(node.operands[1])
            guard let type = x.element, factor.element == type else {
                throw unsupported(index, "multiplies numbers of one element type")
            }
            (slots, element, layout) = ([x.slot, factor.slot], type, x.layout)
        } else {
            (slots, element, layout) = try matched(node.operands, index)
        }
        let stored = try addElementwise(
            index, element, layout, reads: slots, takeOver: slots[0]
        ) { count, operands, out, label throws(NativeError) in
            try .multiply(
                count: count, element: element, scalar: isScalar, input: operands[0],
                factor: operands[1], out: out, label: label)
        }
        forms[index] = .stored(stored)
    }

    // MARK: Numbers

    mutating func lowerNumbers(_ node: Node, at index: Int) throws {
        let label = label(index)
        let stored: Stored
        switch node.operation {
        case .reciprocal:
            let (slots, element, layout) = try matched(node.operands, index)
            guard element == .float32 else { throw unsupported(index, "divides in float32") }
            stored = try addElementwise(index, element, layout, reads: slots) {
                count, operands, out, label throws(NativeError) in
                try .reciprocal(count: count, input: operands[0], out: out, label: label)
            }
        case .select:
            let condition = try vector(node.operands[0])
            let (slots, element, layout) = try matched(Array(node.operands[1...]), index)
            stored = try addElementwise(
                index, element, layout, reads: [condition] + slots
            ) { count, operands, out, label throws(NativeError) in
                try .select(
                    byteCount: count * element.byteCount, condition: operands[0],
                    first: operands[1], second: operands[2], out: out, label: label)
            }
        case .movingAverage:
            let share = try vector(node.operands[2])
            let (slots, element, layout) = try matched(Array(node.operands[..<2]), index)
            guard element == .float32 else { throw unsupported(index, "averages in float32") }
            stored = try addElementwise(index, element, layout, reads: slots + [share]) {
                count, operands, out, label throws(NativeError) in
                try .movingAverage(
                    count: count, old: operands[0], new: operands[1], share: operands[2],
                    out: out, label: label)
            }
        case .clipFactor(let maximum):
            let norm = try vector(node.operands[0])
            stored = numbers(index, reads: [norm]) { operands, out throws(NativeError) in
                try .clipFactor(
                    maximum: maximum, squaredNorm: operands[0], out: out, label: label)
            }
        case .trustRatio(let coefficient, let weightDecay, let epsilon):
            let norms = [try vector(node.operands[0]), try vector(node.operands[1])]
            stored = numbers(index, reads: norms) { operands, out throws(NativeError) in
                try .trustRatio(
                    coefficient: coefficient, weightDecay: weightDecay, epsilon: epsilon,
                    weight: operands[0], gradient: operands[1], out: out, label: label)
            }
        case .lossScaleUpdate(let rule):
            let slots = [try vector(node.operands[0]), try vector(node.operands[1])]
            stored = numbers(index, reads: slots) { operands, out throws(NativeError) in
                try .lossScale(
                    growth: rule.growth, backoff: rule.backoff, interval: rule.interval,
                    scale: operands[0], finite: operands[1], out: out, label: label)
            }
        default: throw unsupported(index, "does not know this operation")
        }
        forms[index] = .stored(stored)
    }

    /// Adds a call that gives a few numbers.
    private mutating func numbers(
        _ index: Int, reads: [StepSlot],
        _ make: @escaping ([StepOperand], StepOperand) throws(NativeError) -> StepCall
    ) -> Stored {
        let out = target(index, layout: .plain)
        addTinyCall(label(index), reads: reads, writes: [out]) { resolver throws(NativeError) in
            try make(reads.map { resolver.operand($0) }, resolver.operand(out))
        }
        return Stored(slot: out, element: .float32, layout: .plain)
    }

    /// The sum of squares, or whether all are finite, over all elements of all operands.
    mutating func lowerReduction(
        _ node: Node, countsNonFinite: Bool, at index: Int
    ) throws {
        _ = try element(index)
        var operands: [(slot: StepSlot, element: KernelElement, count: Int)] = []
        for operand in node.operands {
            let stored = try stored(operand)
            guard let element = stored.element else {
                throw unsupported(index, "does not measure integers")
            }
            operands.append((stored.slot, element, type(operand).shape.elementCount))
        }
        let partCount = operands.reduce(0) { $0 + StepCall.partCount($1.count) }
        guard case .buffer(let parts) = plan.allocate(.fixed(partCount * 8)) else { return }
        let label = label(index)
        var offset = 0
        for (slot, element, count) in operands {
            let size = StepCall.partCount(count) * 8
            let part = StepSlot.part(of: parts, offset: offset, byteCount: size)
            offset += size
            plan.add(
                PlannedCall(
                    label: label, isChunked: false, isTiny: count < 1 << 13, reads: [slot],
                    writes: [part]
                ) { resolver throws(NativeError) in
                    let (input, out) = (
                        resolver.operand(slot) as StepOperand,
                        resolver.operand(part) as StepOperand
                    )
                    return countsNonFinite
                        ? try .countNonFinite(
                            count: count, element: element, input: input, parts: out,
                            label: label)
                        : try .squaredNorm(
                            count: count, element: element, input: input, parts: out,
                            label: label)
                })
        }
        let out = allocate(index, perImage: false)
        let all = StepSlot.buffer(parts)
        let sum = countsNonFinite ? plan.allocate(.fixed(4)) : out
        addTinyCall(label, reads: [all], writes: [sum]) { resolver throws(NativeError) in
            try .combineSums(
                parts: partCount, count: 1, input: resolver.operand(all),
                out: resolver.operand(sum), label: label)
        }
        if countsNonFinite {
            addTinyCall(label, reads: [sum], writes: [out]) { resolver throws(NativeError) in
                try .isZero(
                    input: resolver.operand(sum), out: resolver.operand(out), label: label)
            }
        }
        try store(index, out, .plain)
    }

    // MARK: Optimizer

    mutating func lowerVelocityUpdate(
        _ node: Node, _ rule: MomentumRule, at index: Int
    ) throws {
        // The weight's update, of the same operands, is made by the same call.
        let weight = readers[index].first { reader in
            let other = graph.nodes[reader]
            guard case .weightUpdate(rule) = other.operation else { return false }
            return other.operands
                == [
                    node.operands[1], node.operands[2], Value(index: index), node.operands[3],
                    node.operands[4],
                ]
        }
        let (slots, element, layout) = try matched(Array(node.operands[..<3]), index)
        let (rate, factor) = (try vector(node.operands[3]), try vector(node.operands[4]))
        guard element == .float32 else { throw unsupported(index, "updates in float32") }
        let velocity = target(index, layout: layout)
        let newWeight = weight.map { target($0, layout: layout) }
        addMomentum(
            index, rule, weight: slots[1], gradient: slots[2], velocity: slots[0], rate: rate,
            factor: factor, newVelocity: velocity, newWeight: newWeight)
        try store(index, velocity, layout)
        if let weight, let newWeight {
            try store(weight, newWeight, layout)
            finished.insert(weight)
        }
    }

    mutating func lowerWeightUpdate(_ node: Node, _ rule: MomentumRule, at index: Int) throws {
        let (slots, element, layout) = try matched(Array(node.operands[..<3]), index)
        let (rate, factor) = (try vector(node.operands[3]), try vector(node.operands[4]))
        guard element == .float32 else { throw unsupported(index, "updates in float32") }
        let out = target(index, layout: layout)
        addMomentum(
            index, rule, weight: slots[0], gradient: slots[1], velocity: slots[2], rate: rate,
            factor: factor, newVelocity: nil, newWeight: out)
        try store(index, out, layout)
    }

    private mutating func addMomentum(
        _ index: Int, _ rule: MomentumRule, weight: StepSlot, gradient: StepSlot,
        velocity: StepSlot, rate: StepSlot, factor: StepSlot, newVelocity: StepSlot?,
        newWeight: StepSlot?
    ) {
        let count = graph.nodes[index].type.shape.elementCount
        let label = label(index)
        plan.add(
            PlannedCall(
                label: label, isChunked: false, isTiny: count < 1 << 13,
                reads: [weight, gradient, velocity, rate, factor],
                writes: [newVelocity, newWeight].compactMap { $0 }
            ) { resolver throws(NativeError) in
                try .momentum(
                    count: count, momentum: rule.momentum, weightDecay: rule.weightDecay,
                    nesterov: rule.nesterov, keras: rule.convention == .keras,
                    weight: resolver.operand(weight), gradient: resolver.operand(gradient),
                    velocity: resolver.operand(velocity), rate: resolver.operand(rate),
                    factor: resolver.operand(factor), newVelocity: resolver.operand(newVelocity),
                    newWeight: resolver.operand(newWeight), label: label)
            })
    }
}
