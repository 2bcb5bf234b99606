public import Tensors

/// The element type and shape of a value.
public struct TensorType: Sendable, Hashable, CustomStringConvertible {
    /// What an element is.
    public var elementType: ElementType
    /// The extents.
    public var shape: Shape

    /// Makes a type.
    public init(_ elementType: ElementType, _ shape: Shape) {
        self.elementType = elementType
        self.shape = shape
    }

    /// As in `float32[8, 64, 56, 56]`.
    public var description: String { elementType.rawValue + shape.description }
}

/// What a node makes: the node's place in its graph.
public struct Value: Sendable, Hashable {
    /// The index of the node in `Graph.nodes`.
    public let index: Int

    /// The value of a node.
    public init(index: Int) { self.index = index }
}

/// One operation on earlier values.
public struct Node: Sendable, Hashable {
    /// What it does.
    public var operation: Operation
    /// The values it reads, each of an earlier node.
    public var operands: [Value]
    /// What it makes.
    public var type: TensorType
    /// Where it comes from, as in `layer1.0.conv2`; may be empty.
    public var label: String

    /// Makes a node.
    public init(operation: Operation, operands: [Value], type: TensorType, label: String) {
        self.operation = operation
        self.operands = operands
        self.type = type
        self.label = label
    }
}

/// A named result: what a run gives back, or what it leaves in a state.
public struct GraphOutput: Sendable, Hashable {
    /// How callers ask for it; for an update, the state's name.
    public var name: String
    /// What it is.
    public var value: Value

    /// Makes an output.
    public init(name: String, value: Value) {
        self.name = name
        self.value = value
    }
}

/// A program: nodes in an order in which each reads only earlier ones, the named results, and what becomes of
/// the state.
///
/// Immutable once built; `GraphBuilder` makes one, passes make one of another, `verify()` checks one.
public struct Graph: Sendable, Hashable {
    /// What it is called.
    public let name: String
    /// The nodes, each after those it reads.
    public let nodes: [Node]
    /// The results, in order.
    public let outputs: [GraphOutput]
    /// The new values of states, by their names.
    ///
    /// All take effect when a run ends: every node reads the old ones. A state without an update stays as it is.
    public let updates: [GraphOutput]

    /// Makes a graph of its parts, unchecked; `verify()` checks.
    public init(
        name: String, nodes: [Node], outputs: [GraphOutput], updates: [GraphOutput] = []
    ) {
        self.name = name
        self.nodes = nodes
        self.outputs = outputs
        self.updates = updates
    }

    /// The node that makes a value.
    public subscript(value: Value) -> Node { nodes[value.index] }

    /// What the caller gives for each run, in order.
    public var inputs: [(name: String, value: Value, type: TensorType)] {
        nodes.indices.compactMap { index in
            guard case .input(let name) = nodes[index].operation else { return nil }
            return (name, Value(index: index), nodes[index].type)
        }
    }

    /// What is given when the graph is compiled, in order.
    public var parameters: [(name: String, value: Value, type: TensorType)] {
        nodes.indices.compactMap { index in
            guard case .parameter(let name) = nodes[index].operation else { return nil }
            return (name, Value(index: index), nodes[index].type)
        }
    }

    /// What is given once and changed by the runs, in order.
    public var states: [(name: String, value: Value, type: TensorType)] {
        nodes.indices.compactMap { index in
            guard case .state(let name) = nodes[index].operation else { return nil }
            return (name, Value(index: index), nodes[index].type)
        }
    }
}
