import Graph
import Tensors

extension Graph {
    /// The states whose new values may differ among replicas, by following what inputs with axes lead to.
    var unequalUpdates: [String] {
        var mayDiffer: [Bool] = []
        for node in nodes {
            switch node.operation {
            case .input: mayDiffer.append(node.type.shape.rank > 0)
            case .replicaMean, .replicaMoments: mayDiffer.append(false)
            default: mayDiffer.append(node.operands.contains { mayDiffer[$0.index] })
            }
        }
        return updates.filter { mayDiffer[$0.value.index] }.map(\.name)
    }

    /// The labels of the nodes in which replicas meet.
    var meetings: [String] {
        nodes.filter { $0.operation == .replicaMean || $0.operation == .replicaMoments }
            .map(\.label)
    }

    /// The graph without a mean over replicas: what reads it reads each replica's own value.
    func dropping(meeting label: String) -> Graph {
        func source(_ value: Value) -> Value {
            let node = self[value]
            return node.operation == .replicaMean && node.label == label ? node.operands[0] : value
        }
        func source(_ result: GraphOutput) -> GraphOutput {
            GraphOutput(name: result.name, value: source(result.value))
        }
        let nodes = nodes.map { node in
            var changed = node
            changed.operands = node.operands.map { source($0) }
            return changed
        }
        return Graph(
            name: name, replicaCount: replicaCount, nodes: nodes,
            outputs: outputs.map { source($0) }, updates: updates.map { source($0) })
    }
}
