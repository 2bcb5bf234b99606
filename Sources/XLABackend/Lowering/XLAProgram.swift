package import Execution
package import Graph

/// A graph as a StableHLO program, and what its arguments and results are.
///
/// On the device a tensor of rank 4 has its channels last: activations are `[N, H, W, C]`, filters `[O, h, w, I]`, so
/// that no activation is transposed between operations. Parameters and states are given and returned so;
/// `isChannelsLast` says which. Inputs and outputs arrive and leave in the graph's order of axes.
package struct XLAProgram: Sendable {
    /// What the program is given.
    package struct Argument: Sendable, Hashable {
        /// Where it comes from.
        package enum Source: Sendable, Hashable {
            /// The graph's input of this place.
            case input(Int)
            /// The parameter of this name.
            case parameter(String)
            /// The state of this name. Where it has an update, the update's result takes over its memory.
            case state(String)
        }

        /// Where it comes from.
        package let source: Source
        /// Its type in the graph.
        package let type: TensorType
        /// Whether its bytes are in the order `N, H, W, C`, or `O, h, w, I`, where the graph says `N, C, H, W`.
        package let isChannelsLast: Bool
    }

    /// What the program gives.
    package struct Result: Sendable, Hashable {
        /// What becomes of it.
        package enum Target: Sendable, Hashable {
            /// The graph's output of this place.
            case output(Int)
            /// The new value of the state of this name.
            case state(String)
        }

        /// What becomes of it.
        package let target: Target
        /// Its type in the graph.
        package let type: TensorType
        /// Whether its bytes are in the order `N, H, W, C`, or `O, h, w, I`, where the graph says `N, C, H, W`.
        package let isChannelsLast: Bool
    }

    /// The program, for a compiler of StableHLO.
    package let text: String
    /// Inputs, then parameters, then states, each in the graph's order.
    package let arguments: [Argument]
    /// Outputs, then updates, each in the graph's order.
    package let results: [Result]

    /// Lowers a graph.
    ///
    /// Precision: sums and what is computed between a node's operands and its result are float32, or float64 where the
    /// data is. A convolution on narrower data is the exception: its sums are float32, but its result is rounded
    /// before bias, residual and activation, and so is a filter's gradient, since XLA has no convolution that widens
    /// without widening its operands first.
    ///
    /// - Parameters:
    ///   - graph: a verified graph.
    ///   - replicas: how many devices run the program at once, at least 1.
    ///   - allowsTensorFloat32: whether convolutions and matrix products of float32 numbers may round their operands
    ///     to TensorFloat-32's 11 bits, which GPUs multiply several times as fast.
    /// - Throws: `ExecutionError` with code `.libraryFailure` where the graph is not a verified one.
    package init(
        _ graph: Graph, replicas: Int = 1, allowsTensorFloat32: Bool = false
    ) throws(ExecutionError) {
        let builder = StableHLOBuilder(
            name: graph.name, replicaCount: replicas, allowsTensorFloat32: allowsTensorFloat32)
        var lowering = ProgramLowering(graph, builder)
        arguments = lowering.addArguments()
        try lowering.addNodes()
        (results, text) = try lowering.finish()
    }
}
