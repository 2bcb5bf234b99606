import Graph
import Tensors
import Testing

/// A small graph that says what an operation does, in any floating-point type.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    /// What it is about.
    let name: String
    /// Makes the graph with data of an element type.
    let build: @Sendable (ElementType) throws(GraphError) -> Graph

    var testDescription: String { name }

    /// Builds a graph of one input `x` and one output.
    init(
        _ name: String, x: Shape,
        _ body: @escaping @Sendable (inout CaseBuilder, Value) throws(GraphError) -> Value
    ) {
        self.name = name
        build = { (elementType) throws(GraphError) in
            var builder = CaseBuilder(name: name, elementType: elementType)
            let input = try builder.graph.input("x", type: TensorType(elementType, x))
            let result = try body(&builder, input)
            try builder.graph.output("y", result)
            return try builder.graph.finish()
        }
    }

    /// Builds a graph of uint8 pixels.
    init(
        _ name: String, pixels: Shape,
        _ body: @escaping @Sendable (inout CaseBuilder, Value) throws(GraphError) -> Value
    ) {
        self.name = name
        build = { (elementType) throws(GraphError) in
            var builder = CaseBuilder(name: name, elementType: elementType)
            let input = try builder.graph.input("x", type: TensorType(.uint8, pixels))
            let result = try body(&builder, input)
            try builder.graph.output("y", result)
            return try builder.graph.finish()
        }
    }
}

/// A graph builder that also knows the case's element type and numbers its parameters.
struct CaseBuilder {
    var graph: GraphBuilder
    let elementType: ElementType
    private var parameterCount = 0

    init(name: String, elementType: ElementType) {
        graph = GraphBuilder(name: name)
        self.elementType = elementType
    }

    /// The type of vectors beside the data: float32 where that is narrower.
    var vectorType: ElementType {
        elementType == .bfloat16 || elementType == .float16 ? .float32 : elementType
    }

    /// A parameter of random numbers; a name of `variance` makes them positive.
    mutating func parameter(
        _ role: String, _ shape: Shape, _ elementType: ElementType? = nil
    ) throws(GraphError) -> Value {
        parameterCount += 1
        return try graph.parameter(
            "\(role).\(parameterCount)", type: TensorType(elementType ?? self.elementType, shape))
    }

    /// A convolution with fresh parameters.
    mutating func convolution(
        _ x: Value, channels: Int, size: Spatial, stride: Spatial = Spatial(1),
        padding: Padding = Padding(0), bias: Bool = true, residual: Value? = nil,
        activation: Activation = .none
    ) throws(GraphError) -> Value {
        let inputChannels = graph.type(of: x)?.shape[1] ?? 0
        let filter = try parameter(
            "filter", [channels, inputChannels, size.height, size.width])
        let biasValue = bias ? try parameter("bias", [channels], vectorType) : nil
        return try graph.convolution(
            x, filter: filter, bias: biasValue, residual: residual, stride: stride,
            padding: padding, activation: activation)
    }
}
