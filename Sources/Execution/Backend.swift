public import Graph
public import Tensors

/// Tensors by parameter name.
public typealias Parameters = [String: HostTensor]

/// A way to run graphs.
///
/// `compile` does all the work that can be done once: it lowers, plans memory, packs filters. What it gives
/// back runs any number of times.
public protocol Backend: Sendable {
    /// How messages and results call it, as in `onednn`.
    var name: String { get }

    /// What it runs on, as in `cpu (AVX-512 bf16, 2 threads)`.
    var deviceDescription: String { get }

    /// Makes a graph runnable.
    ///
    /// - Parameters:
    ///   - graph: a verified graph.
    ///   - parameters: a tensor for each of the graph's parameters, of the shape the graph states; float32
    ///     where the graph states another floating-point type is converted.
    /// - Throws: `ExecutionError` where a parameter is missing or of another shape, an operation or the graph's
    ///   number of replicas is not supported, or a library fails.
    func compile(_ graph: Graph, parameters: Parameters) throws(ExecutionError)
        -> any CompiledStep

    /// Makes a graph with state runnable.
    ///
    /// - Parameters:
    ///   - graph: a verified graph, with states and updates.
    ///   - parameters: as for `compile`, for the graph's parameters if it has any.
    /// - Throws: as `compile`.
    func compileUpdate(_ graph: Graph, parameters: Parameters) throws(ExecutionError)
        -> any CompiledUpdate
}

/// A graph made ready to run.
///
/// One run at a time: a second concurrent call waits for the first.
public protocol CompiledStep: Sendable {
    /// The types of the inputs of all replicas together, in the graph's order: `Graph.wholeInputTypes`.
    var inputTypes: [TensorType] { get }
    /// The types of the outputs of all replicas together, in the graph's order: `Graph.wholeOutputTypes`.
    var outputTypes: [TensorType] { get }

    /// Runs once, on all replicas.
    ///
    /// - Parameter inputs: one tensor an input, of the types and in the order of `inputTypes`.
    /// - Returns: one tensor an output, of the types and in the order of `outputTypes`.
    /// - Throws: `ExecutionError` where an input does not fit or a library fails.
    func run(_ inputs: [HostTensor]) throws(ExecutionError) -> [HostTensor]
}
