import Tensors

extension Graph {
    /// The most replicas that a graph may have.
    public static let maximumReplicaCount = 1 << 16

    /// The types of what the caller gives for all replicas together, in the order of `inputs`.
    ///
    /// - Precondition: the graph is verified.
    public var wholeInputTypes: [TensorType] { inputs.map { wholeType($0.type) } }

    /// The types of what a run gives back of all replicas together, in the order of `outputs`.
    ///
    /// - Precondition: the graph is verified.
    public var wholeOutputTypes: [TensorType] { outputs.map { wholeType(self[$0.value].type) } }

    private func wholeType(_ type: TensorType) -> TensorType {
        guard let first = type.shape.dimensions.first else { return type }
        let rest = type.shape.dimensions.dropFirst()
        return TensorType(type.elementType, Shape([first * replicaCount] + rest))
    }

    /// Checks that there may be so many replicas.
    ///
    /// - Throws: `GraphError` with code `.invalidAttribute`.
    static func checkReplicaCount(_ count: Int) throws(GraphError) {
        guard (1...maximumReplicaCount).contains(count) else {
            throw GraphError(
                .invalidAttribute,
                "replicas: expected 1 to \(maximumReplicaCount), found \(count)")
        }
    }

    /// Checks the number of replicas, and that what they take and give together is not too large.
    ///
    /// - Throws: `GraphError` with code `.invalidAttribute` or `.shapeMismatch`.
    func checkReplicas() throws(GraphError) {
        try Self.checkReplicaCount(replicaCount)
        for input in inputs { try requireWhole(input.type, "input \(input.name)") }
        for output in outputs { try requireWhole(self[output.value].type, "output \(output.name)") }
    }

    private func requireWhole(_ type: TensorType, _ what: String) throws(GraphError) {
        guard type.shape.rank > 0 else { return }
        let (_, overflow) = type.shape.elementCount.multipliedReportingOverflow(by: replicaCount)
        guard !overflow else {
            throw GraphError(
                .shapeMismatch,
                "\(what): \(type.shape) for each of \(replicaCount) replicas is too large")
        }
    }
}
