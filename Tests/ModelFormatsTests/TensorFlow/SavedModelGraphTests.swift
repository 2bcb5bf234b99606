import Foundation
import ModelFormats
import Native
import SwiftProtobuf
import Testing

@Suite("Graphs of SavedModels")
struct SavedModelGraphTests {
    /// A graph of one convolution that halves the image.
    private static func metaGraph(tags: [String], padding: String) -> TensorFlowMetaGraphDef {
        var node = TensorFlowNodeDef()
        node.name = "network/bottleneck_2/Conv2D"
        node.op = "Conv2D"
        var strides = TensorFlowAttrValue()
        strides.list.i = [1, 2, 2, 1]
        var rule = TensorFlowAttrValue()
        rule.s = Data(padding.utf8)
        node.attr = ["strides": strides, "padding": rule]
        var graph = TensorFlowGraphDef()
        graph.node = [node]
        var information = TensorFlowMetaGraphDef.MetaInfoDef()
        information.tags = tags
        var metaGraph = TensorFlowMetaGraphDef()
        metaGraph.metaInfoDef = [information]
        metaGraph.graphDef = [graph]
        return metaGraph
    }

    private static func read(
        _ metaGraphs: [TensorFlowMetaGraphDef]
    ) throws -> Result<[String: String], ModelFormatError> {
        var model = TensorFlowSavedModel()
        model.savedModelSchemaVersion = 1
        model.metaGraphs = metaGraphs
        let bytes: [UInt8] = try model.serializedBytes()
        return Result { () throws(ModelFormatError) in
            try SavedModelGraph(Memory(copying: bytes), name: "graph").facts
        }
    }

    private static func code(_ metaGraphs: [TensorFlowMetaGraphDef]) throws -> ModelFormatError
        .Code?
    {
        if case .failure(let error) = try read(metaGraphs) { error.code } else { nil }
    }

    @Test("of several take the one for serving, and refuse to choose where none or two are")
    func several() throws {
        let training = Self.metaGraph(tags: ["train"], padding: "VALID")
        let serving = Self.metaGraph(tags: ["gpu", "serve"], padding: "SAME")
        for graphs in [[training, serving], [serving, training], [serving]] {
            let found = try Self.read(graphs).get()
            #expect(found["padding"] == "tensorflow")
        }
        let alone = try Self.read([training]).get()
        #expect(alone["padding"] == "symmetric")
        #expect(try Self.code([serving, serving]) == .unsupported)
        #expect(try Self.code([training, training]) == .unsupported)
        #expect(try Self.code([]) == .unsupported)
    }

    @Test("of too many nodes are refused, however they are spread over functions")
    func nodes() throws {
        var function = TensorFlowFunctionDef()
        function.nodeDef = [TensorFlowNodeDef](repeating: TensorFlowNodeDef(), count: 1000)
        var metaGraph = Self.metaGraph(tags: ["serve"], padding: "SAME")
        metaGraph.graphDef[0].library.function = [TensorFlowFunctionDef](
            repeating: function, count: SavedModelGraph.maximumPartCount / 1000)
        #expect(try Self.code([metaGraph]) == .limitExceeded)
    }

    @Test("of a convolution too long to be one are refused before it is decoded")
    func longNode() throws {
        var metaGraph = Self.metaGraph(tags: ["serve"], padding: "SAME")
        metaGraph.graphDef[0].node[0].input = [String](repeating: "", count: 40_000)
        #expect(try Self.code([metaGraph]) == .limitExceeded)
    }
}
