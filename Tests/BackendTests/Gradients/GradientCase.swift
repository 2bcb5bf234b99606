import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

/// A loss in float64, to be differentiated with respect to all its states.
struct GradientCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// How many replicas there are; the loss that is differentiated is the mean of theirs.
    let replicaCount: Int
    /// Makes the graph; gives the loss.
    let build: @Sendable (inout CaseBuilder) throws(GraphError) -> Value

    var testDescription: String { name }

    init(
        _ name: String, replicas: Int = 1,
        _ build: @escaping @Sendable (inout CaseBuilder) throws(GraphError) -> Value
    ) {
        self.name = name
        replicaCount = replicas
        self.build = build
    }

    /// The loss alone.
    func lossGraph() throws(GraphError) -> BuiltCase {
        var builder = CaseBuilder(
            name: name, elementType: .float64, replicaCount: replicaCount)
        let loss = try build(&builder)
        try builder.graph.output("loss", builder.graph.replicaMean(loss))
        return BuiltCase(graph: try builder.graph.finish(), numbers: builder.numbers)
    }

    /// The gradients that autodiff makes, named as the states are.
    func gradientGraph() throws(GraphError) -> Graph {
        var builder = CaseBuilder(
            name: name, elementType: .float64, replicaCount: replicaCount)
        let loss = try build(&builder)
        let states = builder.states
        let gradients = try builder.graph.gradients(
            of: loss, withRespectTo: states.map(\.value))
        for (state, gradient) in zip(states, gradients) {
            try builder.graph.output(state.name, builder.graph.replicaMean(gradient))
        }
        return try builder.graph.finish()
    }
}

extension CaseBuilder {
    /// A loss to which every element of a tensor `[N, C, H, W]` or `[N, C]` contributes in its own way.
    ///
    /// Elements are multiplied with random numbers, planes averaged, and what that gives taken for logits.
    mutating func loss(of y: Value) throws(GraphError) -> Value {
        let shape = graph.type(of: y)?.shape ?? []
        let factors = try input("factors", shape, nil, .uniform(-4..<4))
        var logits = try graph.multiply(y, by: factors)
        if shape.rank == 4 { logits = try graph.globalAveragePool(logits) }
        if shape[1] == 1 {
            // One class alone has no loss.
            logits = try graph.dense(
                logits, weight: parameter("class weights", [3, 1]), bias: parameter("bias", [3]))
        }
        return try graph.crossEntropy(
            logits, targets: labels(shape[0], of: max(shape[1], 2)))
    }
}

/// Central differences of a loss against its gradients.
///
/// A step of `h = 2^-20` makes two errors: of truncation, `h^2 / 6` times the third derivative, about `1e-13` here;
/// and of rounding, a few times `2^-53` of a loss of about 2, over `2h`, about `1e-9`. Hence the absolute part of
/// the tolerance. The relative part, `1e-6`, leaves room for third derivatives of up to a million, as small
/// variances make them. Gradients of the cases are 0.001 to 1.
///
/// The data are random numbers, so that no element is within a step of a kink of ReLU or a tie of a maximum; seeds
/// are fixed.
struct GradientCheck {
    static let step = 0x1p-20
    static let relativeTolerance = 1e-6
    static let absoluteTolerance = 1e-8

    let name: String
    let loss: any CompiledUpdate
    let gradients: Parameters
    let states: Parameters
    let inputs: [HostTensor]

    /// Computes the gradients.
    ///
    /// - Parameter change: makes another graph of the gradients', to plant a mistake.
    init(
        _ gradientCase: GradientCase, changing change: (Graph) -> Graph = { $0 }
    ) throws {
        let built = try gradientCase.lossGraph()
        try self.init(
            gradientCase.name, loss: built.graph, gradients: change(gradientCase.gradientGraph()),
            parameters: randomParameters(built.graph, built.numbers, seed: 1),
            states: randomStates(built.graph, built.numbers, exactIn: .float32, seed: 1),
            inputs: randomInputs(built.graph, built.numbers, seed: 2))
    }

    /// Computes the gradients at these numbers.
    init(
        _ name: String, loss: Graph, gradients: Graph, parameters: Parameters, states: Parameters,
        inputs: [HostTensor]
    ) throws {
        self.name = name
        self.states = states
        let step = try ReferenceBackend().compileUpdate(gradients, parameters: parameters)
        self.inputs = try zip(inputs, step.inputTypes).map { input, type in
            type.elementType == .float64 ? try input.converted(to: .float64) : input
        }
        var state = try step.makeState(states)
        let tensors = try step.run(self.inputs, state: &state)
        // Those of replica 0, which are the first rows; all have the same.
        self.gradients = Dictionary(
            uniqueKeysWithValues: zip(gradients.outputs, tensors).map { output, tensor in
                (output.name, tensor.prefix(shapedAs: gradients[output.value].type.shape))
            })
        self.loss = try ReferenceBackend().compileUpdate(loss, parameters: parameters)
    }

    /// Checks every element of small states, and of others some elements and some directions.
    func run(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for (name, tensor) in states.sorted(by: { $0.key < $1.key }) {
            let gradient = try #require(gradients[name], sourceLocation: sourceLocation)
            let numbers = gradient.doubles()
            let largest = numbers.reduce(0) { max($0, abs($1)) }
            #expect(largest > 0, "\(self.name): \(name)", sourceLocation: sourceLocation)
            let count = tensor.shape.elementCount
            let places =
                count <= 64
                ? Array(0..<count) : stride(from: 0, to: count, by: count / 16).map { $0 }
            for place in places {
                var direction = [Double](repeating: 0, count: count)
                direction[place] = 1
                let found = try derivative(of: name, along: direction)
                expectClose(
                    numbers[place], found, largest, "\(self.name): \(name)[\(place)]",
                    sourceLocation)
            }
            if count > 64 {
                try runDirections(name, numbers, largest, sourceLocation)
            }
        }
    }

    private func runDirections(
        _ name: String, _ gradient: [Double], _ largest: Double, _ sourceLocation: SourceLocation
    ) throws {
        for seed in 0..<3 as Range<UInt64> {
            let direction = randomDirection(gradient.count, seed: seed)
            let found = try derivative(of: name, along: direction)
            let wanted = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
            // A sum of that many terms of either sign.
            let size = largest * Double(gradient.count).squareRoot()
            expectClose(
                wanted, found, size, "\(self.name): \(name), direction \(seed)", sourceLocation)
        }
    }

    /// The difference quotient of the loss as a state moves.
    func derivative(
        of name: String, along direction: [Double], step: Double = GradientCheck.step
    ) throws -> Double {
        func loss(_ distance: Double) throws -> Double {
            guard let tensor = states[name] else { return .nan }
            var moved = tensor.doubles()
            for index in moved.indices { moved[index] += distance * direction[index] }
            var tensors = states
            tensors[name] = HostTensor(moved, shape: tensor.shape)
            var state = try self.loss.makeState(tensors)
            return try self.loss.run(inputs, state: &state)[0].doubles()[0]
        }
        return try (loss(step) - loss(-step)) / (2 * step)
    }

    private func expectClose(
        _ gradient: Double, _ difference: Double, _ largest: Double, _ place: String,
        _ sourceLocation: SourceLocation
    ) {
        let allowed = Self.relativeTolerance * largest + Self.absoluteTolerance
        #expect(
            abs(gradient - difference) <= allowed,
            "\(place): the gradient is \(gradient), the difference quotient \(difference)",
            sourceLocation: sourceLocation)
    }
}

/// Numbers of -1 to 1.
func randomDirection(_ count: Int, seed: UInt64) -> [Double] {
    var random = RandomGenerator(seed: seed, stream: 5000)
    return (0..<count).map { _ in random.nextUniform(in: -1..<1) }
}
