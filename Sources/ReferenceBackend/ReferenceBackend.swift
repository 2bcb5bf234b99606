public import Execution
public import Graph
import Tensors

/// Runs graphs in plain Swift on one thread: every operation as its definition reads, the oracle for the others.
///
/// Precision: a graph that has a float64 value anywhere is computed in float64, any other in float32, sums
/// included. What a node gives is then rounded to the element type that the graph states for it, once. So a
/// bfloat16 node computes on bfloat16 numbers, accumulates in float32, and rounds its result.
///
/// Replicas take turns: each node is computed for all of them before the next one. What differs among them is kept
/// apart from run to run, as on several devices.
public struct ReferenceBackend: Backend {
    /// Makes the back end; it has nothing to choose.
    public init() {}

    /// How messages and results call it.
    public var name: String { "reference" }

    /// What it runs on.
    public var deviceDescription: String { "cpu (plain Swift, 1 thread)" }

    /// Makes a graph runnable.
    ///
    /// All operations and floating-point types are supported.
    public func compile(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledStep {
        try graph.requireVerified()
        try graph.requireNoState()
        return ReferenceStep(try TypedProgram(graph, parameters))
    }

    /// Makes a graph with state runnable.
    ///
    /// All operations and floating-point types are supported.
    public func compileUpdate(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledUpdate {
        try graph.requireVerified()
        return ReferenceUpdate(try TypedProgram(graph, parameters))
    }
}
