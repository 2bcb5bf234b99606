import Tensors

/// Builds a graph, one node a call, checking each as it is added.
///
/// ```swift
/// var builder = GraphBuilder(name: "example")
/// let x = try builder.input("x", type: TensorType(.float32, [1, 3, 8, 8]))
/// let filter = try builder.parameter("filter", type: TensorType(.float32, [4, 3, 3, 3]))
/// let y = try builder.convolution(x, filter: filter, padding: Padding(1), label: "conv")
/// try builder.output("y", y)
/// let graph = try builder.finish()
/// ```
public struct GraphBuilder: Sendable {
    /// What the graph will be called.
    public let name: String
    /// How many replicas the graph will be for; see `Graph.replicaCount`.
    public let replicaCount: Int
    /// What was made so far.
    private(set) var nodes: [Node] = []
    private var outputs: [GraphOutput] = []
    private var updates: [GraphOutput] = []
    /// The names of inputs, parameters and states, each by its kind.
    private var leafNames: [String: Set<String>] = [:]
    private var states: [String: Value] = [:]

    /// Starts an empty graph.
    ///
    /// - Parameters:
    ///   - name: what it will be called.
    ///   - replicaCount: how many replicas it is for; `finish()` checks it. See `Graph.replicaCount`.
    public init(name: String, replicaCount: Int = 1) {
        self.name = name
        self.replicaCount = replicaCount
    }

    /// Starts an empty graph that takes the name and the replicas of another, as passes do.
    init(like graph: Graph) { self.init(name: graph.name, replicaCount: graph.replicaCount) }

    /// The type of a value made so far; `nil` where there is no such value.
    public func type(of value: Value) -> TensorType? {
        nodes.indices.contains(value.index) ? nodes[value.index].type : nil
    }

    /// Adds what the caller gives for each run.
    ///
    /// - Throws: `GraphError` with code `.duplicateName`, or `.invalidAttribute` where the name is empty or an
    ///   extent is 0.
    public mutating func input(
        _ name: String, type: TensorType, label: String = ""
    ) throws(GraphError) -> Value {
        try addLeaf(.input(name: name), type: type, label: label)
    }

    /// Adds what is given once, when the graph is compiled.
    ///
    /// - Throws: as `input(_:type:label:)`.
    public mutating func parameter(
        _ name: String, type: TensorType, label: String = ""
    ) throws(GraphError) -> Value {
        try addLeaf(.parameter(name: name), type: type, label: label)
    }

    /// Adds what is given once and changed by the runs.
    ///
    /// - Throws: as `input(_:type:label:)`.
    public mutating func state(
        _ name: String, type: TensorType, label: String = ""
    ) throws(GraphError) -> Value {
        try addLeaf(.state(name: name), type: type, label: label)
    }

    /// Names a result.
    ///
    /// - Throws: `GraphError` with code `.duplicateName`, `.unknownValue`, or `.invalidAttribute` where the
    ///   name is empty.
    public mutating func output(_ name: String, _ value: Value) throws(GraphError) {
        try Self.requireName(name, kind: "output")
        guard !outputs.contains(where: { $0.name == name }) else {
            throw GraphError(.duplicateName, "output \(name): there already is one of this name")
        }
        guard nodes.indices.contains(value.index) else {
            throw Self.unknown(value, reader: "output \(name)", count: nodes.count)
        }
        outputs.append(GraphOutput(name: name, value: value))
    }

    /// Sets what a state is after a run; every node reads what it was before.
    ///
    /// - Throws: `GraphError` with code `.unknownState` where no state made so far has the name, `.duplicateName`
    ///   where it has an update, `.unknownValue`, or `.elementTypeMismatch` or `.shapeMismatch` where the value
    ///   is not of the state's type.
    public mutating func update(_ state: String, _ value: Value) throws(GraphError) {
        guard let old = states[state], let expected = type(of: old) else {
            throw GraphError(
                .unknownState,
                "update \(state): expected the name of a state made earlier, "
                    + "found \(states.isEmpty ? "none" : states.keys.sorted().joined(separator: ", "))"
            )
        }
        guard !updates.contains(where: { $0.name == state }) else {
            throw GraphError(.duplicateName, "update \(state): there already is one of this state")
        }
        guard let found = type(of: value) else {
            throw Self.unknown(value, reader: "update \(state)", count: nodes.count)
        }
        guard found == expected else {
            throw GraphError(
                found.shape == expected.shape ? .elementTypeMismatch : .shapeMismatch,
                "update \(state): expected the state's \(expected), found \(found)")
        }
        updates.append(GraphOutput(name: state, value: value))
    }

    /// Adds any operation that has operands.
    ///
    /// - Throws: `GraphError` that names the label, what was expected and what was found.
    public mutating func append(
        _ operation: Operation, _ operands: [Value], label: String = ""
    ) throws(GraphError) -> Value {
        let reader = label.isEmpty ? "%\(nodes.count)" : label
        var types: [TensorType] = []
        for operand in operands {
            guard nodes.indices.contains(operand.index) else {
                throw Self.unknown(operand, reader: reader, count: nodes.count)
            }
            types.append(nodes[operand.index].type)
        }
        let type: TensorType
        do {
            type = try operation.inferType(operands: types)
        } catch {
            throw GraphError(error.code, "\(reader): \(error.message)")
        }
        nodes.append(Node(operation: operation, operands: operands, type: type, label: label))
        return Value(index: nodes.count - 1)
    }

    /// Ends building.
    ///
    /// - Throws: `GraphError` with code `.missingOutput` where no value is an output or an update,
    ///   `.invalidAttribute` where the number of replicas is none, `.shapeMismatch` where what all replicas take or
    ///   give together is too large.
    public consuming func finish() throws(GraphError) -> Graph {
        guard !outputs.isEmpty || !updates.isEmpty else {
            throw GraphError(
                .missingOutput, "graph \(name): expected at least one output or update, found none")
        }
        let graph = Graph(
            name: name, replicaCount: replicaCount, nodes: nodes, outputs: outputs,
            updates: updates)
        try graph.checkReplicas()
        return graph
    }

    /// Adds a node like another, reading other values; leaves keep their types.
    mutating func copy(_ node: Node, operands: [Value]) throws(GraphError) -> Value {
        if node.operation.isLeaf {
            return try addLeaf(node.operation, type: node.type, label: node.label)
        }
        return try append(node.operation, operands, label: node.label)
    }

    /// Names the outputs and updates of another graph, whose values have become these.
    mutating func copyResults(of graph: Graph, _ values: [Value]) throws(GraphError) {
        for result in graph.outputs { try output(result.name, values[result.value.index]) }
        for result in graph.updates { try update(result.name, values[result.value.index]) }
    }

    /// Adds an input, a parameter, a state or a constant.
    mutating func addLeaf(
        _ operation: Operation, type: TensorType, label: String
    ) throws(GraphError) -> Value {
        let name: String
        switch operation {
        case .input(let given), .parameter(let given), .state(let given): name = given
        default: return try append(operation, [], label: label)
        }
        let kind = operation.name
        try Self.requireName(name, kind: kind)
        guard leafNames[kind, default: []].insert(name).inserted else {
            throw GraphError(.duplicateName, "\(kind) \(name): there already is one of this name")
        }
        try Self.requireExtents(type, "\(kind) \(name)")
        if case .state = operation { states[name] = Value(index: nodes.count) }
        nodes.append(Node(operation: operation, operands: [], type: type, label: label))
        return Value(index: nodes.count - 1)
    }

    private static func requireName(_ name: String, kind: String) throws(GraphError) {
        guard !name.isEmpty else {
            throw GraphError(.invalidAttribute, "\(kind): expected a name, found an empty one")
        }
    }

    private static func requireExtents(_ type: TensorType, _ what: String) throws(GraphError) {
        guard type.shape.dimensions.allSatisfy({ $0 >= 1 }) else {
            throw GraphError(
                .invalidAttribute, "\(what): expected extents of at least 1, found \(type.shape)")
        }
    }

    private static func unknown(_ value: Value, reader: String, count: Int) -> GraphError {
        GraphError(
            .unknownValue,
            "\(reader): expected a value made earlier (%0 to %\(count - 1)), found %\(value.index)")
    }
}
