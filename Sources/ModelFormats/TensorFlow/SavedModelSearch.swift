import Native
import SwiftProtobuf

/// Looks for the convolutions of a SavedModel, in the file where it lies.
struct SavedModelSearch {
    /// One convolution.
    struct Convolution {
        var name: String
        var stride: Int64
        var padding: String
    }

    let memory: Memory
    let file: String
    private(set) var convolutions: [Convolution] = []
    private var partCount = 0

    init(memory: Memory, file: String) {
        self.memory = memory
        self.file = file
    }

    mutating func read() throws(ModelFormatError) {
        var metaGraphs: [Range<Int>] = []
        var whole = WireReader(0..<memory.byteCount)
        while let metaGraph = try part(2, &whole) { metaGraphs.append(metaGraph) }
        if metaGraphs.count > 1 {
            var serving: [Range<Int>] = []
            for metaGraph in metaGraphs {
                if try isForServing(metaGraph) { serving.append(metaGraph) }
            }
            metaGraphs = serving
        }
        guard let metaGraph = metaGraphs.first, metaGraphs.count == 1 else {
            throw ModelFormatError(
                .unsupported,
                "\(file): expected a SavedModel of one graph, or one graph tagged serve, found "
                    + "\(metaGraphs.isEmpty ? "none" : "\(metaGraphs.count)")")
        }
        var graphs = WireReader(metaGraph)
        while let graph = try part(2, &graphs) {
            try readNodes(1, of: graph)
            var libraries = WireReader(graph)
            while let library = try part(2, &libraries) {
                var functions = WireReader(library)
                while let function = try part(1, &functions) { try readNodes(3, of: function) }
            }
        }
    }

    /// Where the next value of a field lies that is a text or a message; `nil` at the message's end.
    private mutating func part(
        _ field: Int, _ reader: inout WireReader
    ) throws(ModelFormatError) -> Range<Int>? {
        while let found = reader.next(memory.bytes) {
            guard found.number == field, let content = found.content else { continue }
            partCount += 1
            guard partCount <= SavedModelGraph.maximumPartCount else {
                throw ModelFormatError(
                    .limitExceeded,
                    "\(file): expected at most \(SavedModelGraph.maximumPartCount) nodes")
            }
            return content
        }
        guard !reader.isBroken else {
            throw ModelFormatError(
                .malformed, "\(file): expected a SavedModel; the file is damaged")
        }
        return nil
    }

    /// Whether a graph has the tag `serve`.
    private mutating func isForServing(_ metaGraph: Range<Int>) throws(ModelFormatError) -> Bool {
        var reader = WireReader(metaGraph)
        while let information = try part(1, &reader) {
            var tags = WireReader(information)
            while let tag = try part(4, &tags) {
                if holds("serve", tag) { return true }
            }
        }
        return false
    }

    private func holds(_ text: StaticString, _ range: Range<Int>) -> Bool {
        range.count == text.utf8CodeUnitCount && memory.bytes.holds(text, at: range.lowerBound)
    }

    private mutating func readNodes(
        _ field: Int, of message: Range<Int>
    ) throws(ModelFormatError) {
        var nodes = WireReader(message)
        while let node = try part(field, &nodes) {
            guard try isConvolution(node) else { continue }
            convolutions.append(try convolution(node))
            guard convolutions.count <= SavedModelGraph.maximumConvolutionCount else {
                throw ModelFormatError(
                    .limitExceeded,
                    "\(file): expected at most \(SavedModelGraph.maximumConvolutionCount) "
                        + "convolutions")
            }
        }
    }

    /// Whether a node's operation, of several the last, is a convolution.
    private func isConvolution(_ node: Range<Int>) throws(ModelFormatError) -> Bool {
        var reader = WireReader(node)
        var isFound = false
        while let field = reader.next(memory.bytes) {
            guard field.number == 2, let operation = field.content else { continue }
            isFound = holds("Conv2D", operation)
        }
        guard !reader.isBroken else {
            throw ModelFormatError(
                .malformed, "\(file): expected a SavedModel; the file is damaged")
        }
        return isFound
    }

    private func convolution(_ place: Range<Int>) throws(ModelFormatError) -> Convolution {
        guard place.count <= SavedModelGraph.maximumNodeByteCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected convolutions of at most \(SavedModelGraph.maximumNodeByteCount) "
                    + "bytes, found \(place.count)")
        }
        guard let node = try? TensorFlowNodeDef(serializedBytes: memory.bytes.copy(place)) else {
            throw ModelFormatError(.malformed, "\(file): a node of the graph is damaged")
        }
        // Batch and channels, wherever they stand, have a stride of 1.
        let strides = node.attr["strides"]?.list.i ?? []
        let padding = node.attr["padding"].map { String(decoding: $0.s, as: UTF8.self) }
        return Convolution(name: node.name, stride: strides.max() ?? 1, padding: padding ?? "")
    }
}
