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
    private var nodes: [Node] = []
    private var outputs: [GraphOutput] = []
    private var inputNames: Set<String> = []
    private var parameterNames: Set<String> = []

    /// Starts an empty graph.
    public init(name: String) { self.name = name }

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
    /// - Throws: `GraphError` with code `.missingOutput` where no value was named.
    public consuming func finish() throws(GraphError) -> Graph {
        guard !outputs.isEmpty else {
            throw GraphError(
                .missingOutput, "graph \(name): expected at least one output, found none")
        }
        return Graph(name: name, nodes: nodes, outputs: outputs)
    }

    /// Adds a node like another, reading other values; inputs and parameters keep their types.
    mutating func copy(_ node: Node, operands: [Value]) throws(GraphError) -> Value {
        switch node.operation {
        case .input, .parameter:
            try addLeaf(node.operation, type: node.type, label: node.label)
        default: try append(node.operation, operands, label: node.label)
        }
    }

    /// Adds an input or a parameter.
    mutating func addLeaf(
        _ operation: Operation, type: TensorType, label: String
    ) throws(GraphError) -> Value {
        switch operation {
        case .input(let name):
            try Self.requireName(name, kind: "input")
            guard inputNames.insert(name).inserted else {
                throw GraphError(.duplicateName, "input \(name): there already is one of this name")
            }
            try Self.requireExtents(type, "input \(name)")
        case .parameter(let name):
            try Self.requireName(name, kind: "parameter")
            guard parameterNames.insert(name).inserted else {
                throw GraphError(
                    .duplicateName, "parameter \(name): there already is one of this name")
            }
            try Self.requireExtents(type, "parameter \(name)")
        default: return try append(operation, [], label: label)
        }
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
