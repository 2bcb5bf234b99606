import Graph
import Tensors
import Testing

/// A small graph that says what an operation does, in any floating-point type.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    /// What it is about.
    let name: String
    /// How results are compared.
    let comparison: Comparison
    /// Makes the graph with data of an element type.
    let build: @Sendable (ElementType) throws(GraphError) -> BuiltCase

    var testDescription: String { name }

    /// Builds a graph of one input `x` and one output.
    init(
        _ name: String, x: Shape,
        _ body: @escaping @Sendable (inout CaseBuilder, Value) throws(GraphError) -> Value
    ) {
        self.init(name) { (builder) throws(GraphError) in
            let input = try builder.graph.input("x", type: TensorType(builder.elementType, x))
            let result = try body(&builder, input)
            try builder.graph.output("y", result)
        }
    }

    /// Builds a graph of uint8 pixels.
    init(
        _ name: String, pixels: Shape,
        _ body: @escaping @Sendable (inout CaseBuilder, Value) throws(GraphError) -> Value
    ) {
        self.init(name) { (builder) throws(GraphError) in
            let input = try builder.graph.input("x", type: TensorType(.uint8, pixels))
            let result = try body(&builder, input)
            try builder.graph.output("y", result)
        }
    }

    /// Builds a graph of any inputs, states, outputs and updates, for so many replicas.
    init(
        _ name: String, comparison: Comparison = .byElement(), replicas: Int = 1,
        _ body: @escaping @Sendable (inout CaseBuilder) throws(GraphError) -> Void
    ) {
        self.name = name
        self.comparison = comparison
        build = { (elementType) throws(GraphError) in
            var builder = CaseBuilder(
                name: name, elementType: elementType, replicaCount: replicas)
            try body(&builder)
            return BuiltCase(graph: try builder.graph.finish(), numbers: builder.numbers)
        }
    }
}

/// How far results may be from the expected ones.
enum Comparison: Sendable {
    /// Each element within `Tolerance`. Where a back end may compute by a formula that cancels, `amplification`
    /// says how many times larger its errors may be.
    case byElement(amplification: Double = 1)
    /// The root of the mean square of the differences, relative to that of the expected ones, within what is
    /// stated for the element type. For chains through ReLU or a maximum, where the rounding of one element may
    /// send its gradient elsewhere.
    case byRootMeanSquare(float32: Double, bfloat16: Double)
}

/// A case's graph, and what its numbers are like.
struct BuiltCase {
    let graph: Graph
    /// Of inputs, parameters and states, by name; `Numbers.uniform` over -1 to 1 for others.
    let numbers: [String: Numbers]
}

/// A graph builder that also knows the case's element type and numbers its parameters.
struct CaseBuilder {
    var graph: GraphBuilder
    let elementType: ElementType
    /// Whether batch norms take the moments of all replicas together.
    var isSynchronized = false
    private(set) var numbers: [String: Numbers] = [:]
    private var count = 0
    private var outputCount = 0
    /// The states so far, in order.
    private(set) var states: [(name: String, value: Value)] = []

    init(name: String, elementType: ElementType, replicaCount: Int = 1) {
        graph = GraphBuilder(name: name, replicaCount: replicaCount)
        self.elementType = elementType
    }

    /// The type of vectors beside the data: float32 where that is narrower.
    var vectorType: ElementType {
        elementType == .bfloat16 || elementType == .float16 ? .float32 : elementType
    }

    private mutating func name(_ role: String, _ numbers: Numbers?) -> String {
        count += 1
        let name = "\(role).\(count)"
        self.numbers[name] = numbers
        return name
    }

    /// A parameter of random numbers; a name of `variance` makes them positive.
    mutating func parameter(
        _ role: String, _ shape: Shape, _ elementType: ElementType? = nil,
        _ numbers: Numbers? = nil
    ) throws(GraphError) -> Value {
        try graph.parameter(
            name(role, numbers), type: TensorType(elementType ?? self.elementType, shape))
    }

    /// An input; of the case's element type unless another is stated.
    mutating func input(
        _ role: String, _ shape: Shape, _ elementType: ElementType? = nil,
        _ numbers: Numbers? = nil
    ) throws(GraphError) -> Value {
        try graph.input(
            name(role, numbers), type: TensorType(elementType ?? self.elementType, shape))
    }

    /// An input without axes.
    mutating func scalar(
        _ role: String, _ range: Range<Double> = -1..<1
    ) throws(GraphError) -> Value {
        try input(role, [], vectorType, .uniform(range))
    }

    /// Labels, an input.
    mutating func labels(_ images: Int, of classes: Int) throws(GraphError) -> Value {
        try input("labels", [images], .int32, .labels(classes: classes))
    }

    /// A state of random numbers, of the type of vectors; scaled by its role as parameters are.
    mutating func state(
        _ role: String, _ shape: Shape, _ numbers: Numbers? = nil
    ) throws(GraphError) -> Value {
        let name = name(role, numbers)
        let value = try graph.state(name, type: TensorType(vectorType, shape))
        states.append((name, value))
        return value
    }

    /// A filter or a weight in the case's element type: as it is given, or a wider state, cast where it is read.
    mutating func weights(
        _ kind: WeightKind, _ role: String, _ shape: Shape
    ) throws(GraphError) -> Value {
        switch kind {
        case .parameter: return try parameter(role, shape)
        case .state: return try narrowed(state(role, shape))
        }
    }

    /// A value in the case's element type.
    mutating func narrowed(_ value: Value) throws(GraphError) -> Value {
        graph.type(of: value)?.elementType == elementType
            ? value : try graph.cast(value, to: elementType)
    }

    /// A value in the type of vectors.
    mutating func widened(_ value: Value) throws(GraphError) -> Value {
        graph.type(of: value)?.elementType == vectorType
            ? value : try graph.cast(value, to: vectorType)
    }

    /// Names a result by its number.
    mutating func output(_ value: Value) throws(GraphError) {
        outputCount += 1
        try graph.output("y\(outputCount)", value)
    }

    /// Sets what a state of this builder is after the run.
    mutating func update(_ state: Value, _ value: Value) throws(GraphError) {
        try graph.update(states.first { $0.value == state }?.name ?? "none", value)
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

/// Where a case's weights come from: from a graph's caller once, or from its state.
enum WeightKind: String, CaseIterable {
    case parameter
    case state
}
