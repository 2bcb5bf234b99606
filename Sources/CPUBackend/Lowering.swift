import Execution
import Graph
import Native
import Tensors

/// Turns a graph into kernel calls for one chunk of the batch.
///
/// Activations of rank 4 lie with channels innermost, those of rank 2 as they are.
struct Lowering {
    /// Where a value of the graph lies.
    struct Place {
        var operand: KernelOperand
        /// The arena's key, where the value can be freed.
        var key: Int?
        var element: KernelElement
    }

    let graph: Graph
    let parameters: Parameters
    let backend: CPUBackend
    let schedule: Schedule
    /// For each node, the last node that reads it; outputs are read at the end.
    let lastReaders: [Int]
    var places: [Int: Place] = [:]
    var arena = ArenaPlanner()
    var program: KernelProgram
    /// Convolutions that read rows padded in memory, by the node of their pixels.
    var foldedReaders: [Int: Int] = [:]

    init(graph: Graph, parameters: Parameters, backend: CPUBackend, schedule: Schedule) {
        self.graph = graph
        self.parameters = parameters
        self.backend = backend
        self.schedule = schedule
        var lastReaders = [Int](repeating: -1, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for operand in node.operands { lastReaders[operand.index] = index }
        }
        for output in graph.outputs { lastReaders[output.value.index] = graph.nodes.count }
        self.lastReaders = lastReaders
        let chunkCount = schedule.chunkCount
        let byteCount = { (type: TensorType) in
            type.shape.elementCount * type.elementType.byteCount / chunkCount
        }
        program = KernelProgram(
            inputByteCounts: graph.inputs.map { byteCount($0.type) },
            outputByteCounts: graph.outputs.map { byteCount(graph[$0.value].type) },
            members: schedule.members)
        foldedReaders = findFoldedReaders()
    }

    /// The extent of the first axis where all values but parameters share it.
    static func batch(of graph: Graph) -> Int? {
        let extents = graph.nodes.compactMap { node -> Int? in
            if case .parameter = node.operation { return nil }
            return node.type.shape.dimensions.first ?? 0
        }
        guard let first = extents.first, first > 0, extents.allSatisfy({ $0 == first }) else {
            return nil
        }
        return first
    }

    /// Lowers every node.
    mutating func lower() throws(ExecutionError) -> KernelProgram {
        var inputIndex = 0
        for (index, node) in graph.nodes.enumerated() {
            do {
                if case .input = node.operation {
                    try lowerInput(inputIndex, at: index)
                    inputIndex += 1
                } else {
                    try lower(node, at: index)
                }
            } catch let error as NativeError {
                throw ExecutionError(error)
            } catch let error as ExecutionError {
                throw error
            } catch {
                throw ExecutionError(.libraryFailure, "\(label(index)): \(error)")
            }
            for operand in Set(node.operands) where lastReaders[operand.index] == index {
                release(operand)
            }
            if lastReaders[index] == -1 { release(Value(index: index)) }
        }
        do {
            for (index, output) in graph.outputs.enumerated() { try lowerOutput(output, index) }
        } catch {
            throw ExecutionError(error)
        }
        return program
    }

    // MARK: Values

    /// The shape of a value in one chunk.
    func shape(_ index: Int) -> [Int] {
        var dimensions = graph.nodes[index].type.shape.dimensions
        if schedule.chunkCount > 1, !dimensions.isEmpty { dimensions[0] = schedule.chunk }
        return dimensions
    }

    func elementCount(_ index: Int) -> Int { shape(index).reduce(1, *) }

    func label(_ index: Int) -> String {
        let node = graph.nodes[index]
        return node.label.isEmpty ? "%\(index) \(node.operation.name)" : node.label
    }

    func element(_ index: Int) throws(ExecutionError) -> KernelElement {
        switch graph.nodes[index].type.elementType {
        case .float32: return .float32
        case .bfloat16: return .bfloat16
        case let other:
            throw ExecutionError(
                .unsupported,
                "\(label(index)): the CPU back end computes in float32 and bfloat16, not \(other.rawValue)"
            )
        }
    }

    func place(_ value: Value) throws(ExecutionError) -> Place {
        guard let place = places[value.index] else {
            throw ExecutionError(
                .unsupported,
                "\(label(value.index)): the CPU back end cannot compute with a parameter here")
        }
        return place
    }

    /// Finds room for a node's result.
    mutating func allocate(_ index: Int, byteCount: Int? = nil) throws(ExecutionError) -> Place {
        let element = try element(index)
        let size = byteCount ?? elementCount(index) * element.byteCount
        let (key, offset) = arena.allocate(byteCount: size)
        let place = Place(
            operand: .arena(offset: offset, byteCount: size), key: key, element: element)
        places[index] = place
        return place
    }

    private mutating func release(_ value: Value) {
        if let key = places[value.index]?.key { arena.free(key) }
        places[value.index] = nil
    }

    /// Lets a result take over the place of an operand that nobody reads later.
    mutating func takeOver(_ operand: Value, by index: Int) -> Place? {
        guard lastReaders[operand.index] == index, let place = places[operand.index],
            place.key != nil, graph[operand].type == graph.nodes[index].type
        else { return nil }
        places[operand.index] = nil
        places[index] = place
        return place
    }

    /// A parameter's elements as float32, aligned.
    func parameter(_ value: Value) throws(ExecutionError) -> Memory {
        guard case .parameter(let name) = graph[value].operation else {
            throw ExecutionError(
                .unsupported,
                "\(label(value.index)): the CPU back end takes filters, weights and statistics as parameters"
            )
        }
        let tensor = try requireTensor(parameters[name], graph[value].type, "parameter \(name)")
        if tensor.elementType == .float32, tensor.memory.isAligned(for: Float.self) {
            return tensor.memory
        }
        return Memory(copying: tensor.floats())
    }

    // MARK: Boundaries

    private mutating func lowerInput(_ inputIndex: Int, at index: Int) throws {
        let type = graph.nodes[index].type
        let shape = shape(index)
        let operand = KernelOperand.input(
            index: inputIndex, byteCount: shape.reduce(type.elementType.byteCount, *))
        if type.elementType == .uint8 {
            places[index] = Place(operand: operand, key: nil, element: .float32)
            return
        }
        let element = try element(index)
        guard shape.count == 4 else {
            places[index] = Place(operand: operand, key: nil, element: element)
            return
        }
        let place = try allocate(index)
        try program.moveChannels(
            last: true, images: shape[0], channels: shape[1], pixels: shape[2] * shape[3],
            elementByteCount: element.byteCount, input: operand, out: place.operand,
            label: label(index))
    }

    private mutating func lowerOutput(
        _ output: GraphOutput, _ index: Int
    ) throws(NativeError) {
        guard let place = places[output.value.index] else {
            throw NativeError(
                .unsupported, "output \(output.name): the CPU back end gives computed values only")
        }
        let shape = shape(output.value.index)
        let operand = KernelOperand.output(
            index: index, byteCount: shape.reduce(place.element.byteCount, *))
        if shape.count == 4 {
            try program.moveChannels(
                last: false, images: shape[0], channels: shape[1], pixels: shape[2] * shape[3],
                elementByteCount: place.element.byteCount, input: place.operand, out: operand,
                label: output.name)
        } else {
            try program.cast(
                count: shape.reduce(1, *), from: place.element, to: place.element,
                input: place.operand, out: operand, label: output.name)
        }
    }
}
