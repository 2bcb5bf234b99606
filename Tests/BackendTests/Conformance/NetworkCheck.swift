import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Testing

/// Runs a whole network, optimised for inference, on a back end and compares its logits with those of the float64
/// reference on the network as written.
///
/// Tolerance, for the root of the mean square over the logits relative to that of the expected ones: each node
/// rounds to its element type (`2^-9` for bfloat16, `2^-24` for float32) and accumulates sums of `K` terms in
/// float32 (`sqrt(K) * 2^-24`); over `n` nodes such errors wander like a random walk of `n` steps. Four times
/// that allows for the ways networks amplify.
func checkNetwork(
    _ architecture: ResNetArchitecture, batch: Int, imageSize: Int, of backend: any Backend,
    in elementType: ElementType, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let graph = try architecture.inferenceGraph(batch: batch, imageSize: imageSize)
    let parameters = FormulaNetwork.parameters(architecture)
    let images = FormulaNetwork.images(batch: batch, imageSize: imageSize)

    let oracle = try ReferenceBackend().compile(
        convert(graph, to: .float64), parameters: parameters)
    let expected = try oracle.run([images])[0].doubles()

    let optimized = try optimizeForInference(graph, parameters, precision: elementType)
    let step = try backend.compile(optimized.graph, parameters: optimized.parameters)
    let found = try step.run([images])[0].doubles()

    let difference = rootMeanSquare(zip(found, expected).map { $0 - $1 })
    let unit = elementType == .bfloat16 ? 0x1p-9 : 0x1p-24
    let nodeCount = Double(optimized.graph.nodes.count { !$0.operation.isLeaf })
    let accumulation = Double(longestSum(graph)).squareRoot() * 0x1p-24
    let allowed =
        4 * nodeCount.squareRoot() * (unit + accumulation) * rootMeanSquare(expected)
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    #expect(
        difference <= allowed,
        "\(backend.name), \(elementType.rawValue): \(architecture.name) at \(imageSize)",
        sourceLocation: sourceLocation)
}
