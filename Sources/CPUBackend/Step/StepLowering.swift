import Execution
import Graph
import Native
import Tensors

/// Turns a graph with state into a plan of calls.
///
/// Activations of rank 4 lie with channels innermost, filters and dense weights as `[taps][I][O]`. A batch norm with
/// its ReLU is not computed where it stands in the graph: whoever reads it applies the affine, so that only the
/// convolution's result is kept for the backward pass.
struct StepLowering {
    /// The order of a value's elements.
    enum Layout: Hashable {
        /// As in the graph.
        case plain
        /// `[N][H][W][C]`.
        case channelsLast
        /// `[taps][I][O]`.
        case filter
    }

    /// A value that lies in memory.
    struct Stored {
        var slot: StepSlot
        /// What its elements are; `nil` for integers.
        var element: KernelElement?
        var layout: Layout
    }

    /// What has become of a value.
    enum Form {
        /// It lies in memory.
        case stored(Stored)
        /// A tensor through an affine, and a ReLU.
        case affine(x: Value, affine: StepSlot, relu: Bool)
        /// A tensor through an affine, plus another.
        case sum(x: Value, affine: StepSlot, other: Value)
        /// The same with a ReLU; it was there in the forward pass, and is made again by whoever reads it.
        case recomputed(x: Value, affine: StepSlot, other: Value)
        /// A gradient where `y` is above 0.
        case masked(gradient: Value, y: Value)
        /// A convolution's input gradient, to be made with what is added to it.
        case inputGradient(InputGradient)
        /// Normalised pixels.
        case pixels
        /// A float32 weight, read in a narrower type.
        case narrowed(Value)
    }

    private struct Made: Hashable {
        var value: Value
        var padding: Padding?
    }

    let graph: Graph
    let parameters: Parameters
    let backend: CPUBackend
    let order: [Int]
    let readers: [[Int]]
    private let lastStateReaders: [Int: Int]
    private let updates: [Int: Int]
    private let stateIndices: [Int: Int]
    private let outputValues: Set<Int>
    var plan: StepPlan
    var forms: [Int: Form] = [:]
    var constants: [Memory] = []
    private var zeroConstant: Int?
    private var made: [Made: Stored] = [:]
    private var madeIn = -1
    private var place = 0
    /// Nodes that another node's call makes too.
    var finished: Set<Int> = []
    private var updatedInPlace: Set<String> = []
    /// What takes so much memory that it is not kept from the forward to the backward pass.
    var recomputed: [Int: Form] = [:]

    init(
        graph: Graph, parameters: Parameters, backend: CPUBackend, chunkByteCount: Int
    ) {
        self.graph = graph
        self.parameters = parameters
        self.backend = backend
        order = graph.stepOrder
        lastStateReaders = graph.lastStateReaders(order)
        var readers = [[Int]](repeating: [], count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for operand in node.operands { readers[operand.index].append(index) }
        }
        self.readers = readers
        var stateIndices: [Int: Int] = [:]
        var stateNodes: [String: Int] = [:]
        for (index, state) in graph.states.enumerated() {
            stateIndices[state.value.index] = index
            stateNodes[state.name] = state.value.index
        }
        self.stateIndices = stateIndices
        var updates: [Int: Int] = [:]
        for update in graph.updates { updates[update.value.index] = stateNodes[update.name] }
        self.updates = updates
        outputValues = Set(graph.outputs.map(\.value.index))
        plan = StepPlan(batch: Self.batch(of: graph), chunkByteCount: chunkByteCount)
    }

    /// Images in the batch: the first extent of activations.
    private static func batch(of graph: Graph) -> Int {
        for node in graph.nodes where node.type.shape.rank == 4 {
            switch node.operation {
            case .input, .normalizeImage, .globalAveragePoolGradient: return node.type.shape[0]
            default: continue
            }
        }
        return 1
    }

    /// Plans every node, the outputs and the updates.
    mutating func lower() throws(ExecutionError) {
        for (place, index) in order.enumerated() where !finished.contains(index) {
            self.place = place
            do {
                try lower(graph.nodes[index], at: index)
            } catch let error as ExecutionError {
                throw error
            } catch {
                throw ExecutionError(.libraryFailure, "\(label(index)): \(error)")
            }
        }
        for (index, output) in graph.outputs.enumerated() { try lowerOutput(output, index) }
        try lowerUpdates()
        plan.endChain()
    }

    // MARK: Values

    func label(_ index: Int) -> String {
        let node = graph.nodes[index]
        return node.label.isEmpty ? "%\(index) \(node.operation.name)" : node.label
    }

    func type(_ value: Value) -> TensorType { graph[value].type }

    func unsupported(_ index: Int, _ what: String) -> ExecutionError {
        ExecutionError(.unsupported, "\(label(index)): the CPU back end \(what)")
    }

    /// What the elements of a node's result are.
    func element(_ index: Int) throws(ExecutionError) -> KernelElement {
        switch graph.nodes[index].type.elementType {
        case .float32: return .float32
        case .bfloat16: return .bfloat16
        case let other:
            throw unsupported(
                index, "computes in float32 and bfloat16, not \(other.rawValue)")
        }
    }

    /// Bytes of a value's elements.
    func byteCount(_ value: Value) -> Int {
        type(value).shape.elementCount * type(value).elementType.byteCount
    }

    /// Memory for a node's result: for each image where the first axis is the batch's and the result is an activation.
    mutating func allocate(_ index: Int, perImage: Bool) -> StepSlot {
        let value = Value(index: index)
        if perImage { return plan.allocate(.perImage(byteCount(value) / plan.batch)) }
        return plan.allocate(.fixed(max(byteCount(value), 4)))
    }

    /// Whether a value's elements lie image by image.
    func isPerImage(_ value: Value) -> Bool {
        type(value).shape.rank == 4 && type(value).shape[0] == plan.batch
    }

    /// Adds a constant.
    mutating func constant(_ memory: Memory) -> StepSlot {
        constants.append(memory)
        return .constant(constants.count - 1, offset: 0, byteCount: memory.byteCount)
    }

    /// So many zero bytes; there is one such constant, which grows.
    mutating func zeros(_ byteCount: Int) -> StepSlot {
        let most = max(byteCount, 1 << 14)
        if let index = zeroConstant, constants[index].byteCount >= byteCount {
            return .constant(index, offset: 0, byteCount: byteCount)
        }
        zeroConstant = constants.count
        constants.append(Memory(copying: [Float](repeating: 0, count: (most + 3) / 4)))
        return .constant(constants.count - 1, offset: 0, byteCount: byteCount)
    }

    mutating func store(
        _ index: Int, _ slot: StepSlot, _ layout: Layout
    ) throws(ExecutionError) {
        forms[index] = .stored(
            Stored(slot: slot, element: try element(index), layout: layout))
    }

    func form(_ value: Value) throws(ExecutionError) -> Form {
        guard let form = forms[value.index] else {
            throw unsupported(value.index, "cannot read this value here")
        }
        return form
    }

    /// A value in memory, in the element type that the graph states, made if it is not there yet.
    ///
    /// What is made from kept tensors alone lasts until the chain ends, and is made again by a later reader.
    mutating func stored(_ value: Value, padding: Padding? = nil) throws -> Stored {
        if case .stored(let stored) = try form(value) {
            guard let element = stored.element,
                type(value).elementType.isFloatingPoint
            else { return stored }
            let wanted = try self.element(value.index)
            return element == wanted ? stored : try cast(value, stored, to: wanted)
        }
        if madeIn != plan.chainNumber {
            made = [:]
            madeIn = plan.chainNumber
        }
        let key = Made(value: value, padding: padding)
        if let stored = made[key] { return stored }
        let before = plan.chainNumber
        let stored = try make(value, padding: padding)
        // Making it may have ended the chain it was to be part of.
        if plan.chainNumber != before {
            made = [:]
            madeIn = plan.chainNumber
        }
        made[key] = stored
        return stored
    }

    /// A vector or number: float32, in the graph's order.
    mutating func vector(_ value: Value) throws -> StepSlot {
        let stored = try stored(value)
        guard stored.element == .float32 else {
            throw unsupported(value.index, "takes this operand as float32")
        }
        return try plain(value, stored).slot
    }

    mutating func cast(
        _ value: Value, _ stored: Stored, to element: KernelElement
    ) throws -> Stored {
        guard let from = stored.element else {
            throw unsupported(value.index, "does not convert integers")
        }
        let count = type(value).shape.elementCount
        let isPerImage = isPerImage(value) && stored.layout == .channelsLast
        let out = allocate(value.index, perImage: isPerImage)
        let label = label(value.index)
        let batch = plan.batch
        plan.add(
            PlannedCall(
                label: label, isChunked: isPerImage, isTiny: !isPerImage && count < 1 << 14,
                reads: [stored.slot], writes: [out]
            ) { resolver throws(NativeError) in
                try .cast(
                    count: isPerImage ? count / batch * resolver.images : count, from: from,
                    to: element, input: resolver.operand(stored.slot), out: resolver.operand(out),
                    label: label)
            })
        return Stored(slot: out, element: element, layout: stored.layout)
    }

    // MARK: State

    /// Where the result of an elementwise node goes: into the state that it updates, where nobody reads the old one
    /// later, else into memory of its own.
    mutating func target(_ index: Int, layout: Layout) -> StepSlot {
        if let state = updates[index], let stateIndex = stateIndices[state],
            lastStateReaders[state] ?? -1 <= place, self.layout(ofState: state) == layout,
            case .state(let name) = graph.nodes[state].operation
        {
            updatedInPlace.insert(name)
            return .state(
                stateIndex, offset: 0, byteCount: byteCount(Value(index: state)))
        }
        return allocate(index, perImage: false)
    }

    func layout(ofState index: Int) -> Layout {
        let rank = graph.nodes[index].type.shape.rank
        return rank == 4 || rank == 2 ? .filter : .plain
    }

    mutating func lowerState(at index: Int) throws(ExecutionError) {
        guard graph.nodes[index].type.elementType == .float32, let state = stateIndices[index]
        else { throw unsupported(index, "keeps states in float32") }
        try store(
            index, .state(state, offset: 0, byteCount: byteCount(Value(index: index))),
            layout(ofState: index))
    }

    /// Brings the new values of states, where they are not there already, into place.
    private mutating func lowerUpdates() throws(ExecutionError) {
        var copies: [(from: StepSlot, to: StepSlot, byteCount: Int, label: String)] = []
        for update in graph.updates where !updatedInPlace.contains(update.name) {
            guard let state = graph.states.first(where: { $0.name == update.name }),
                let stateIndex = stateIndices[state.value.index]
            else {
                throw ExecutionError(.unsupported, "update \(update.name): there is no such state")
            }
            do {
                var stored = try stored(update.value)
                stored = try relaid(
                    update.value, stored, to: layout(ofState: state.value.index))
                let size = byteCount(update.value)
                var from = stored.slot
                if case .state = from {
                    // It may change before it is read: keep what it was.
                    let copy = plan.allocate(.fixed(max(size, 4)))
                    addCopy(from, copy, size, update.name)
                    from = copy
                }
                copies.append(
                    (from, .state(stateIndex, offset: 0, byteCount: size), size, update.name))
            } catch let error as ExecutionError {
                throw error
            } catch {
                throw ExecutionError(.libraryFailure, "update \(update.name): \(error)")
            }
        }
        for copy in copies { addCopy(copy.from, copy.to, copy.byteCount, copy.label) }
    }

    /// Adds a copy of bytes.
    mutating func addCopy(_ from: StepSlot, _ to: StepSlot, _ byteCount: Int, _ label: String) {
        plan.add(
            PlannedCall(
                label: label, isChunked: false, isTiny: byteCount < 1 << 16, reads: [from],
                writes: [to]
            ) { resolver throws(NativeError) in
                try .copy(
                    byteCount: byteCount, input: resolver.operand(from),
                    out: resolver.operand(to), label: label)
            })
    }
}
