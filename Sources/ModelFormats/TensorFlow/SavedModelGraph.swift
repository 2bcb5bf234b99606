package import Native
import SwiftProtobuf

/// What a SavedModel's graph says of its network that the weights do not: strides and padding of its convolutions.
///
/// Only the nodes of convolutions are taken out of the file; what else it holds is passed over where it lies.
///
/// Source: TensorFlow 2.21, `saved_model.proto`, `meta_graph.proto`, `graph.proto`, `function.proto`.
package struct SavedModelGraph: Sendable {
    /// What is known, in the words of a weight file's metadata: `variant` and `padding`, as far as they can be told.
    package let facts: [String: String]

    /// Bytes that the file may have, which is what Protocol Buffers allow; graphs may hold initial values of variables.
    package static let maximumByteCount = 2 << 30
    /// Nodes and functions that a graph may have; the largest of ResNets have some ten thousand.
    package static let maximumPartCount = 500_000
    /// Bytes of a convolution's node, whose message is decoded.
    static let maximumNodeByteCount = 1 << 16
    /// Convolutions that are looked at.
    package static let maximumConvolutionCount = 10_000

    /// Reads `saved_model.pb`: its graph, or of several the one that is for serving.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed`, `.unsupported` (another schema, no graph for serving) or
    ///   `.limitExceeded`.
    package init(_ memory: Memory, name file: String) throws(ModelFormatError) {
        guard memory.byteCount <= Self.maximumByteCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected at most \(Self.maximumByteCount) bytes, found "
                    + "\(memory.byteCount)")
        }
        guard Self.schema(memory) == 1 else {
            throw ModelFormatError(
                .unsupported, "\(file): expected a SavedModel of schema 1, found another")
        }
        var search = SavedModelSearch(memory: memory, file: file)
        try search.read()
        facts = Self.facts(search.convolutions)
    }

    /// The version of the whole file's message; `nil` where it says none.
    private static func schema(_ memory: Memory) -> Int64? {
        var reader = WireReader(0..<memory.byteCount)
        while let found = reader.next(memory.bytes) {
            guard found.number == 1, found.content == nil else { continue }
            let field = try? TensorFlowSavedModel(serializedBytes: memory.bytes.copy(found.range))
            return field?.savedModelSchemaVersion
        }
        return nil
    }

    private static func facts(_ convolutions: [SavedModelSearch.Convolution]) -> [String: String] {
        let striding = convolutions.filter { $0.stride == 2 }
        guard !striding.isEmpty else { return [:] }
        var facts: [String: String] = [:]
        // A 1x1 convolution needs no padding, so it may be called either way.
        let wide = striding.filter { !isFirstOfBlock($0.name) && !isShortcut($0.name) }
        let sameCount = wide.count { $0.padding == "SAME" }
        if !wide.isEmpty, sameCount == wide.count { facts["padding"] = "tensorflow" }
        if !wide.isEmpty, sameCount == 0 { facts["padding"] = "symmetric" }
        // Without bottlenecks both variants are the same network.
        guard convolutions.contains(where: { isThirdOfBlock($0.name) }) else { return facts }
        if striding.contains(where: { isFirstOfBlock($0.name) }) {
            facts["variant"] = "v1"
        } else if striding.contains(where: { isSecondOfBlock($0.name) }) {
            facts["variant"] = "v1.5"
        }
        return facts
    }

    private static func isFirstOfBlock(_ name: String) -> Bool {
        name.contains("/bottleneck_1/") || name.contains("_1_conv")
    }

    private static func isSecondOfBlock(_ name: String) -> Bool {
        name.contains("/bottleneck_2/") || name.contains("_2_conv")
    }

    private static func isThirdOfBlock(_ name: String) -> Bool {
        name.contains("/bottleneck_3/") || name.contains("_3_conv")
    }

    private static func isShortcut(_ name: String) -> Bool {
        name.contains("/shortcut/") || name.contains("_0_conv")
    }
}
