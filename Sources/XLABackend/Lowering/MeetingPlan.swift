import Graph
import Tensors

/// When replicas of a graph meet.
///
/// A mean on which no other meeting waits may wait itself: for its neighbours, so that they travel together. All
/// gradients of a training step are such, its loss and its running statistics too. Each message costs what a small one
/// does, so there are few; and more than one, so that the first travel while later gradients are computed.
struct MeetingPlan {
    /// Nodes whose means are sent together, those first whose operands are there first.
    let buckets: [[Int]]
    /// For each node whether it is one of these or follows from one, and so is made after them.
    let isLate: [Bool]

    /// Bytes of a message beyond which another is begun: a quarter of ResNet-50's weights, and less than the 30 MiB up
    /// to which XLA would put messages together again.
    static let bucketByteCount = 26_000_000

    init(_ graph: Graph) {
        var isAwaited = [Bool](repeating: false, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated().reversed()
        where node.operation.meetsReplicas || isAwaited[index] {
            for operand in node.operands { isAwaited[operand.index] = true }
        }
        var isLate = [Bool](repeating: false, count: graph.nodes.count)
        var means: [Int] = []
        for (index, node) in graph.nodes.enumerated() {
            let isMean = node.operation == .replicaMean && !isAwaited[index]
            if isMean { means.append(index) }
            isLate[index] = isMean || node.operands.contains { isLate[$0.index] }
        }
        self.isLate = isLate
        buckets = Self.cut(means, graph)
    }

    /// Deals means out to messages of about one size, each of one type of sums.
    private static func cut(_ means: [Int], _ graph: Graph) -> [[Int]] {
        let ordered = means.sorted {
            (graph.nodes[$0].operands[0].index, $0) < (graph.nodes[$1].operands[0].index, $1)
        }
        var buckets: [[Int]] = []
        for isDouble in [false, true] {
            let alike = ordered.filter {
                (graph.nodes[$0].type.elementType == .float64) == isDouble
            }
            let total = alike.reduce(0) { $0 + byteCount(graph.nodes[$1]) }
            let share = total / max(1, (total + bucketByteCount - 1) / bucketByteCount)
            var bucket: [Int] = []
            var size = 0
            for index in alike {
                bucket.append(index)
                size += byteCount(graph.nodes[index])
                if size >= share {
                    buckets.append(bucket)
                    (bucket, size) = ([], 0)
                }
            }
            if !bucket.isEmpty { buckets.append(bucket) }
        }
        return buckets
    }

    private static func byteCount(_ node: Node) -> Int {
        node.type.shape.elementCount * node.type.elementType.sumType.byteCount
    }
}
