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
    /// How many replicas run the graph, each on its share of the batch; 1 where nothing else is said.
    ///
    /// - **Types** in the graph are those of one replica. `wholeInputTypes` and `wholeOutputTypes` are what a caller
    ///   gives and gets, for all replicas.
    /// - **Inputs** with axes are given with the first extent times `replicaCount`, and are dealt out in order along
    ///   it: replica 0 gets the first rows. Inputs without axes are the same for all, as parameters are.
    /// - **State** is given once, and each replica starts with a copy of its own. What is read back is replica 0's.
    ///   So a graph is to be written such that the states of all replicas stay equal: what goes into an update and
    ///   depends on an input with axes passes through `replicaMean` or `replicaMoments` first. Only what nobody reads
    ///   back may differ, as gradients do that are collected over several runs.
    /// - **Outputs** with axes are put together in order along the first one. Of an output without axes replica 0's is
    ///   given; a number about the whole batch passes through `replicaMean`.
    ///
    /// Replicas meet in `replicaMean` and `replicaMoments` alone, and all run the same nodes, so they meet in the same
    /// order.
    public let replicaCount: Int
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
        name: String, replicaCount: Int = 1, nodes: [Node], outputs: [GraphOutput],
        updates: [GraphOutput] = []
    ) {
        self.name = name
        self.replicaCount = replicaCount
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
