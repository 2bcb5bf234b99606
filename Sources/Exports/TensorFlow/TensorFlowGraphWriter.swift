import FoundationEssentials
import ModelFormats
import SwiftProtobuf

/// Writes the nodes of a graph of TensorFlow.
struct TensorFlowGraphWriter {
    private(set) var graph = TensorFlowGraphDef()

    init() {
        // That of TensorFlow 1.15, which has all operations used here; later versions read it.
        graph.versions.producer = 134
        graph.versions.minConsumer = 12
    }

    /// Adds a node.
    ///
    /// - Parameters:
    ///   - name: its name, which no other has.
    ///   - operation: what it does.
    ///   - inputs: names of nodes, with `:1` and so on for another than their first output, and `^` in front for
    ///     those that only have to run before.
    ///   - attributes: what else the operation wants to know.
    /// - Returns: the name.
    @discardableResult
    mutating func node(
        _ name: String, _ operation: String, _ inputs: [String] = [],
        _ attributes: [String: TensorFlowAttrValue] = [:]
    ) -> String {
        var node = TensorFlowNodeDef()
        node.name = name
        node.op = operation
        node.input = inputs
        node.attr = attributes
        graph.node.append(node)
        return name
    }

    /// Adds a float32 constant.
    mutating func constant(_ name: String, _ values: [Float], shape: [Int]) -> String {
        var tensor = TensorFlowTensorProto()
        tensor.dtype = .dtFloat
        tensor.tensorShape = TensorFlowTensorShapeProto(shape)
        tensor.floatVal = values
        return node(name, "Const", [], ["dtype": .type(.dtFloat), "value": .tensor(tensor)])
    }

    /// Adds an int32 constant.
    mutating func constant(_ name: String, _ values: [Int32], shape: [Int]) -> String {
        var tensor = TensorFlowTensorProto()
        tensor.dtype = .dtInt32
        tensor.tensorShape = TensorFlowTensorShapeProto(shape)
        tensor.intVal = values
        return node(name, "Const", [], ["dtype": .type(.dtInt32), "value": .tensor(tensor)])
    }

    /// Adds a constant of texts.
    mutating func constant(_ name: String, _ values: [String], shape: [Int]) -> String {
        var tensor = TensorFlowTensorProto()
        tensor.dtype = .dtString
        tensor.tensorShape = TensorFlowTensorShapeProto(shape)
        tensor.stringVal = values.map { .init($0.utf8) }
        return node(name, "Const", [], ["dtype": .type(.dtString), "value": .tensor(tensor)])
    }
}

/// Values of attributes.
extension TensorFlowAttrValue {
    static func type(_ type: TensorFlowDataType) -> Self { with { $0.type = type } }
    static func shape(_ extents: [Int]) -> Self {
        with { $0.shape = TensorFlowTensorShapeProto(extents) }
    }
    static func tensor(_ tensor: TensorFlowTensorProto) -> Self { with { $0.tensor = tensor } }
    static func text(_ text: String) -> Self { with { $0.s = .init(text.utf8) } }
    static func number(_ number: Float) -> Self { with { $0.f = number } }
    static func flag(_ flag: Bool) -> Self { with { $0.b = flag } }
    static func integers(_ list: [Int]) -> Self {
        with { value in value.list = .with { $0.i = list.map(Int64.init) } }
    }
    static func types(_ list: [TensorFlowDataType]) -> Self {
        with { value in value.list = .with { $0.type = list } }
    }
}
