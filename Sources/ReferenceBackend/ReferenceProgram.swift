import Execution
import Graph
import Tensors

/// A graph and its parameters, interpreted node by node.
struct ReferenceProgram<Scalar: ReferenceScalar>: Sendable {
    let graph: Graph
    /// The parameters' numbers, by node.
    private let parameters: [Int: [Scalar]]
    /// The place of the last node that reads each value.
    private let lastReaders: [Int]

    init(_ graph: Graph, _ parameters: Parameters) throws(ExecutionError) {
        self.graph = graph
        var numbers: [Int: [Scalar]] = [:]
        for parameter in graph.parameters {
            let type = parameter.type
            let tensor = try requireTensor(
                parameters[parameter.name], type, "parameter \(parameter.name)")
            numbers[parameter.value.index] = Self.rounded(
                Scalar.values(of: tensor), to: type.elementType)
        }
        self.parameters = numbers

        var lastReaders = [Int](repeating: -1, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for operand in node.operands { lastReaders[operand.index] = index }
        }
        for kept in graph.outputs + graph.updates {
            lastReaders[kept.value.index] = graph.nodes.count
        }
        self.lastReaders = lastReaders
    }

    /// Runs all nodes, each on all replicas before the next one.
    ///
    /// - Parameters:
    ///   - inputs: one tensor an input, of the graph's whole type.
    ///   - states: for each of the graph's states a tensor of its type, or one a replica.
    /// - Returns: the outputs of all replicas together, and the new value of each state that is updated.
    func run(
        _ inputs: [HostTensor], states: ReplicatedParameters
    ) throws(ExecutionError) -> (outputs: [HostTensor], updates: ReplicatedParameters) {
        let given = try givenTensors(inputs, states)
        var values = [Replicated<[Scalar]>](repeating: .shared([]), count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            switch node.operation {
            case .input, .state:
                if let tensors = given[index] {
                    values[index] = tensors.map { Scalar.values(of: $0) }
                }
            case .parameter: values[index] = .shared(parameters[index] ?? [])
            default: values[index] = results(of: node, values)
            }
            for operand in node.operands where lastReaders[operand.index] == index {
                values[operand.index] = .shared([])
            }
        }

        func tensors(
            _ kept: GraphOutput, _ kind: String
        ) throws(ExecutionError) -> Replicated<HostTensor> {
            if let tensors = given[kept.value.index] { return tensors }
            let type = graph[kept.value].type
            do {
                return try values[kept.value.index].map { numbers throws(TensorError) in
                    try Scalar.tensor(numbers, type)
                }
            } catch {
                throw ExecutionError(.unsupported, "\(kind) \(kept.name): \(error.message)")
            }
        }
        var outputs: [HostTensor] = []
        for output in graph.outputs { outputs.append(whole(try tensors(output, "output"))) }
        var updates: ReplicatedParameters = [:]
        for update in graph.updates { updates[update.name] = try tensors(update, "update") }
        return (outputs, updates)
    }

    /// What a node gives on each replica, rounded to its element type.
    private func results(
        of node: Node, _ values: [Replicated<[Scalar]>]
    ) -> Replicated<[Scalar]> {
        if node.operation.meetsReplicas {
            let operand = values[node.operands[0].index]
            let all = (0..<graph.replicaCount).map { operand[$0] }
            let together =
                node.operation == .replicaMean ? replicaMean(all) : replicaMoments(all)
            return .shared(Self.rounded(together, to: node.type.elementType))
        }
        guard node.operands.allSatisfy({ values[$0.index].isShared }) else {
            return .each((0..<graph.replicaCount).map { result(of: node, values, replica: $0) })
        }
        return .shared(result(of: node, values, replica: 0))
    }

    private func result(
        of node: Node, _ values: [Replicated<[Scalar]>], replica: Int
    ) -> [Scalar] {
        let operands = node.operands.map { operand in
            Operand(values: values[operand.index][replica], shape: graph[operand].type.shape)
        }
        return Self.rounded(evaluate(node, operands), to: node.type.elementType)
    }

    /// What the caller gets of an output: see `Graph.replicaCount`.
    private func whole(_ tensors: Replicated<HostTensor>) -> HostTensor {
        if graph.replicaCount == 1 || tensors[0].shape.rank == 0 { return tensors[0] }
        return HostTensor(concatenating: (0..<graph.replicaCount).map { tensors[$0] })
    }

    /// What the caller gives, by node.
    private func givenTensors(
        _ inputs: [HostTensor], _ states: ReplicatedParameters
    ) throws(ExecutionError) -> [Int: Replicated<HostTensor>] {
        try graph.requireInputs(inputs)
        var given: [Int: Replicated<HostTensor>] = [:]
        for (input, tensor) in zip(graph.inputs, inputs) {
            given[input.value.index] = dealt(tensor)
        }
        for state in graph.states {
            let tensors = states[state.name]
            guard tensors?.fits(replicaCount: graph.replicaCount) != false else {
                throw ExecutionError(
                    .typeMismatch,
                    "state \(state.name): expected tensors of \(graph.replicaCount) replicas, found "
                        + "those of another number; run it on the graphs it was made with")
            }
            let found = tensors?.map { Optional($0) } ?? .shared(nil)
            given[state.value.index] = try found.map { tensor throws(ExecutionError) in
                try requireTensor(
                    tensor, state.type, "state \(state.name)", isConvertible: false)
            }
        }
        return given
    }

    /// An input's rows, dealt out to the replicas in order.
    private func dealt(_ tensor: HostTensor) -> Replicated<HostTensor> {
        guard graph.replicaCount > 1, tensor.shape.rank > 0 else { return .shared(tensor) }
        return .each(
            (0..<graph.replicaCount).map { tensor.share($0, of: graph.replicaCount) })
    }

    private static func rounded(_ values: [Scalar], to elementType: ElementType) -> [Scalar] {
        let isExact =
            !elementType.isFloatingPoint || elementType == .float64
            || (elementType == .float32 && Scalar.self == Float.self)
        return isExact ? values : values.map { $0.rounded(to: elementType) }
    }
}

/// Tensors by state name, each the same on all replicas or one a replica.
typealias ReplicatedParameters = [String: Replicated<HostTensor>]

/// What an operation reads.
struct Operand<Scalar: ReferenceScalar> {
    /// The numbers in row-major order.
    let values: [Scalar]
    let shape: Shape
}
