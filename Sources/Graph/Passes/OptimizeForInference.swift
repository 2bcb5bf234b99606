public import Tensors

/// Makes a graph ready to run fast: batch norms folded, ReLU and residual adds fused, precision chosen, what
/// nothing reads removed.
///
/// - Parameters:
///   - graph: a verified graph.
///   - parameters: a tensor for each of its parameters.
///   - precision: what to compute in; float32 by default.
/// - Returns: the new graph and the tensors of its parameters, in float32 whatever the precision: a back end
///   converts them when it compiles.
/// - Throws: `GraphError` of the pass that fails.
public func optimizeForInference(
    _ graph: Graph, _ parameters: [String: HostTensor], precision: ElementType = .float32
) throws(GraphError) -> (graph: Graph, parameters: [String: HostTensor]) {
    let folded = try foldBatchNormalization(graph, parameters)
    var result = try fuse(folded.graph)
    result = try convert(result, to: precision)
    result = try removeDeadCode(result)
    return (result, folded.parameters)
}
