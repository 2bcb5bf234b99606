import Execution
import Graph
import Tensors

/// Walks a graph and writes each node's operations.
///
/// The extensions have one method per operation of the graph, each held to the function of the same name in
/// `ReferenceBackend/Operations`.
struct ProgramLowering {
    let graph: Graph
    var hlo: StableHLOBuilder
    private var values: [LoweredValue]

    init(_ graph: Graph, _ builder: StableHLOBuilder) {
        self.graph = graph
        hlo = builder
        values = graph.nodes.map { LoweredValue(type: $0.type) }
    }

    // MARK: The program

    /// Declares what the program is given, in the order of `XLAProgram.arguments`.
    mutating func addArguments() -> [XLAProgram.Argument] {
        var arguments: [XLAProgram.Argument] = []
        for (index, input) in graph.inputs.enumerated() {
            values[input.value.index].logical = hlo.argument(input.type)
            arguments.append(
                XLAProgram.Argument(
                    source: .input(index), type: input.type, isChannelsLast: false))
        }
        for parameter in graph.parameters {
            values[parameter.value.index].stored = hlo.argument(parameter.type.stored)
            arguments.append(
                XLAProgram.Argument(
                    source: .parameter(parameter.name), type: parameter.type,
                    isChannelsLast: parameter.type.isStoredChannelsLast))
        }
        var places: [String: Int] = [:]
        for (index, update) in graph.updates.enumerated() {
            places[update.name] = graph.outputs.count + index
        }
        for state in graph.states {
            values[state.value.index].stored = hlo.argument(
                state.type.stored, aliasedResult: places[state.name])
            arguments.append(
                XLAProgram.Argument(
                    source: .state(state.name), type: state.type,
                    isChannelsLast: state.type.isStoredChannelsLast))
        }
        return arguments
    }

    /// Writes all nodes: those that no bucket of means is needed for, the buckets, and the rest.
    mutating func addNodes() throws(ExecutionError) {
        let plan = MeetingPlan(graph)
        for index in graph.nodes.indices where !plan.isLate[index] { try addNode(index) }
        for bucket in plan.buckets {
            let means = try replicaMeans(bucket.map { graph.nodes[$0] })
            for (index, mean) in zip(bucket, means) {
                values[index].stored = mean
                try checkType(values[index], graph.nodes[index])
            }
        }
        let sent = Set(plan.buckets.joined())
        for index in graph.nodes.indices where plan.isLate[index] && !sent.contains(index) {
            try addNode(index)
        }
        hlo.label = ""
    }

    private mutating func addNode(_ index: Int) throws(ExecutionError) {
        let node = graph.nodes[index]
        hlo.label = node.label
        switch node.operation {
        case .input, .parameter, .state: return
        case .row(let row): values[index] = try self.row(row, node)
        case .batchMoments: values[index].rows = try batchMoments(node)
        case .normalizationSums(let epsilon):
            values[index].rows = try normalizationSums(epsilon: epsilon, node)
        case .replicaMoments: values[index].rows = try replicaMoments(node)
        case .stack:
            values[index].rows = try node.operands.map { (value) throws(ExecutionError) in
                try stored(value)
            }
        case .lossScaleUpdate(let rule):
            values[index].rows = try lossScaleUpdate(rule, node)
        default: values[index].stored = try lower(node)
        }
        try checkType(values[index], node)
    }

    /// Ends the program with its results.
    mutating func finish() throws(ExecutionError) -> ([XLAProgram.Result], text: String) {
        var values: [StableHLOValue] = []
        var results: [XLAProgram.Result] = []
        for (index, output) in graph.outputs.enumerated() {
            values.append(try logical(output.value))
            results.append(
                XLAProgram.Result(
                    target: .output(index), type: graph[output.value].type, isChannelsLast: false))
        }
        for update in graph.updates {
            let type = graph[update.value].type
            values.append(try stored(update.value))
            results.append(
                XLAProgram.Result(
                    target: .state(update.name), type: type,
                    isChannelsLast: type.isStoredChannelsLast))
        }
        return (results, try hlo.finish(values))
    }

    private func checkType(_ value: LoweredValue, _ node: Node) throws(ExecutionError) {
        let isRight =
            value.stored.map { $0.type == node.type.stored }
            ?? value.logical.map { $0.type == node.type }
            ?? value.rows.map { rows in
                let shape = Shape(Array(node.type.shape.dimensions.dropFirst()))
                return node.type.shape.rank >= 1 && node.type.shape[0] == rows.count
                    && rows.allSatisfy { $0.type == TensorType(node.type.elementType, shape) }
            } ?? false
        guard isRight else {
            throw ExecutionError(
                .libraryFailure,
                "graph \(graph.name), \(node.operation.name) \(node.label): expected a lowered value of "
                    + "\(node.type), found \(value)")
        }
    }

    // MARK: Operands

    /// A value as operations read it: of rank 4 with channels last.
    mutating func stored(_ value: Value) throws(ExecutionError) -> StableHLOValue {
        if let stored = values[value.index].stored { return stored }
        var made = try logical(value)
        if values[value.index].type.isStoredChannelsLast {
            made = try hlo.transpose(made, [0, 2, 3, 1])
        }
        values[value.index].stored = made
        return made
    }

    /// A value with the graph's order of axes.
    mutating func logical(_ value: Value) throws(ExecutionError) -> StableHLOValue {
        let lowered = values[value.index]
        if let logical = lowered.logical { return logical }
        var made: StableHLOValue
        if let rows = lowered.rows {
            let shape = Shape([1] + lowered.type.shape.dimensions.dropFirst())
            made = try hlo.concatenate(
                rows.map { (row) throws(ExecutionError) in try hlo.reshape(row, to: shape) })
        } else if let stored = lowered.stored {
            made = stored
            if lowered.type.isStoredChannelsLast { made = try hlo.transpose(stored, [0, 3, 1, 2]) }
        } else {
            throw ExecutionError(
                .libraryFailure, "graph \(graph.name): a node reads one that comes after it")
        }
        values[value.index].logical = made
        return made
    }

    /// A value in whichever order of axes there is, for operations that do not mind.
    mutating func anyOrder(_ value: Value) throws(ExecutionError) -> StableHLOValue {
        if let stored = values[value.index].stored { return stored }
        return try logical(value)
    }

    /// A row of a value along its first axis, without that axis, in the graph's order of axes.
    mutating func row(_ index: Int, of value: Value) throws(ExecutionError) -> StableHLOValue {
        if let rows = values[value.index].rows { return rows[index] }
        let whole = try logical(value)
        let rest = Array(whole.shape.dimensions.dropFirst())
        let part = try hlo.slice(
            whole, from: [index] + rest.map { _ in 0 }, to: [index + 1] + rest,
            by: whole.shape.dimensions.map { _ in 1 })
        return try hlo.reshape(part, to: Shape(rest))
    }

    private mutating func row(
        _ index: Int, _ node: Node
    ) throws(ExecutionError) -> LoweredValue {
        var value = LoweredValue(type: node.type)
        value.logical = try row(index, of: node.operands[0])
        return value
    }

    /// An operand, widened to the type of sums.
    mutating func wide(_ value: Value) throws(ExecutionError) -> StableHLOValue {
        let value = try stored(value)
        return hlo.convert(value, to: value.elementType.sumType)
    }

    // MARK: Numbers

    /// A number for each element of a value.
    mutating func number(
        _ number: Double, like value: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try hlo.broadcast(hlo.constant(number, value.elementType), to: value.shape)
    }

    /// A vector's number for each element of its channel, which is the last axis; in the type of the elements.
    mutating func alongChannels(
        _ vector: StableHLOValue, like value: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try hlo.broadcast(
            hlo.convert(vector, to: value.elementType), to: value.shape,
            along: [value.shape.rank - 1])
    }

    /// A vector's number for each element of its row, which is the first axis.
    mutating func alongRows(
        _ vector: StableHLOValue, like value: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try hlo.broadcast(
            hlo.convert(vector, to: value.elementType), to: value.shape, along: [0])
    }
}

/// What a node has become, in the forms that were made so far.
struct LoweredValue {
    /// Its type in the graph.
    let type: TensorType
    /// As operations read it; of rank 4 with channels last.
    var stored: StableHLOValue?
    /// With the graph's order of axes.
    var logical: StableHLOValue?
    /// The rows along the first axis, where they were made apart.
    var rows: [StableHLOValue]?

    init(type: TensorType) { self.type = type }
}

extension TensorType {
    /// Whether the order of axes on the device is another one than in the graph.
    var isStoredChannelsLast: Bool { shape.rank == 4 }

    /// The type on the device.
    var stored: TensorType {
        guard isStoredChannelsLast else { return self }
        return TensorType(elementType, [shape[0], shape[2], shape[3], shape[1]])
    }
}
