public import Graph
public import Tensors

/// A network's layers, as a person would list them.
public struct LayerTable: Sendable, Hashable {
    /// What a layer does.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A convolution of the main branch with its batch norm.
        case convolution
        /// A 1x1 convolution of a block's other branch with its batch norm.
        case projection
        /// A maximum under a window.
        case maxPool = "max pool"
        /// A mean over the image.
        case averagePool = "average pool"
        /// The classifier.
        case dense
    }

    /// One layer.
    public struct Row: Sendable, Hashable {
        /// The name of its module, as in `layer1.0.conv2`.
        public var name: String
        /// What it does.
        public var kind: Kind
        /// The window, where there is one.
        public var kernel: Spatial?
        /// The window's steps, where there is one.
        public var stride: Spatial?
        /// What it gives for one image: `[C, H, W]`, or `[C]`.
        public var outputShape: Shape
        /// The numbers that training changes; a convolution's include scale and shift of its batch norm.
        public var parameterCount: Int
        /// Multiplications with addition for one image, of convolutions and the classifier.
        public var multiplyAddCount: Int

        /// Whether it is one of the layers in the network's name: a main-branch convolution or the classifier.
        public var isCounted: Bool { kind == .convolution || kind == .dense }
    }

    /// The layers in the order of computation, a block's projection after its main branch.
    public let rows: [Row]

    /// The sum of the rows' parameters.
    public var parameterCount: Int { rows.reduce(0) { $0 + $1.parameterCount } }

    /// The sum of the rows' multiply-adds, for one image.
    public var multiplyAddCount: Int { rows.reduce(0) { $0 + $1.multiplyAddCount } }

    /// The layers in the network's name: 50 for ResNet-50.
    public var countedLayerCount: Int { rows.count(where: \.isCounted) }
}

extension ResNetArchitecture {
    /// The layers for images of a size, read off the inference graph.
    ///
    /// - Throws: `GraphError` as `inferenceGraph(batch:imageSize:outputs:)`.
    public func layerTable(imageSize: Int = 224) throws(GraphError) -> LayerTable {
        let graph = try inferenceGraph(batch: 1, imageSize: imageSize)
        let projections = Set(blocks.compactMap { $0.projection?.name })
        var rows: [LayerTable.Row] = []
        // Where each node's row is, so that a batch norm finds its convolution's.
        var rowOfNode: [Int: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            if case .batchNormalization = node.operation {
                if let row = rowOfNode[node.operands[0].index] {
                    rows[row].parameterCount += 2 * node.type.shape[1]
                }
            } else if let row = row(of: node, in: graph, projections) {
                rowOfNode[index] = rows.count
                rows.append(row)
            }
        }
        return LayerTable(rows: inReadingOrder(rows))
    }

    private func row(
        of node: Node, in graph: Graph, _ projections: Set<String>
    ) -> LayerTable.Row? {
        let shape = node.type.shape
        var row = LayerTable.Row(
            name: node.label, kind: .convolution,
            outputShape: Shape([Int](shape.dimensions.dropFirst())),
            parameterCount: 0, multiplyAddCount: 0)
        switch node.operation {
        case .convolution(let attributes):
            let filter = graph[node.operands[1]].type.shape
            row.kind = projections.contains(node.label) ? .projection : .convolution
            row.kernel = Spatial(height: filter[2], width: filter[3])
            row.stride = attributes.stride
            row.parameterCount = filter.elementCount
            row.multiplyAddCount = row.outputShape.elementCount * (filter.elementCount / filter[0])
        case .maxPool(let window):
            row.kind = .maxPool
            row.kernel = window.size
            row.stride = window.stride
        case .globalAveragePool: row.kind = .averagePool
        case .dense:
            let weight = graph[node.operands[1]].type.shape
            row.kind = .dense
            row.parameterCount = weight.elementCount + weight[0]
            row.multiplyAddCount = weight.elementCount
        default: return nil
        }
        return row
    }

    /// Moves each projection behind its block's main branch, as torchvision lists modules.
    private func inReadingOrder(_ rows: [LayerTable.Row]) -> [LayerTable.Row] {
        var ordered: [LayerTable.Row] = []
        var waiting: LayerTable.Row?
        let lastOfBlock = Set(blocks.compactMap { $0.convolutions.last?.name })
        for row in rows {
            if row.kind == .projection {
                waiting = row
                continue
            }
            ordered.append(row)
            if lastOfBlock.contains(row.name), let projection = waiting {
                ordered.append(projection)
                waiting = nil
            }
        }
        return ordered
    }
}
