public import Graph
public import ResNetModel
import Tensors

/// The graphs of a step.
///
/// Where a batch is one micro-batch, one graph does it all: forward and backward pass, running statistics, updates.
/// Otherwise one graph, run for each micro-batch, adds gradients to those of the micro-batches before it, and
/// another one updates the weights with them. All share their state.
///
/// For several replicas the graphs are what each does with its share of a micro-batch. They meet where gradients are
/// about to be used, and in batch norms: see `Graph.replicaCount` and docs/training.md.
public struct TrainingGraphs: Sendable, Hashable {
    /// What is run for each micro-batch.
    public let microBatch: Graph
    /// What is run after the last one; `nil` where there is only one.
    public let update: Graph?

    /// Builds the graphs.
    ///
    /// - Parameters:
    ///   - model: the network.
    ///   - recipe: what a step does.
    ///   - batch: images a step, of all replicas together.
    ///   - imageSize: height and width.
    ///   - replicas: how many replicas share each micro-batch evenly.
    /// - Throws: `TrainingError` with code `.invalidRecipe`, `.invalidReplicaCount` or `.classWeightCount`;
    ///   `GraphError` as `ResNetArchitecture.trainingGraph(batch:imageSize:normalization:frozen:replicas:)`.
    public init(
        model: ResNetArchitecture, recipe: TrainingRecipe, batch: Int, imageSize: Int = 224,
        replicas: Int = 1
    ) throws {
        try recipe.check(classCount: model.classCount)
        guard batch >= 1, batch % recipe.microBatchCount == 0 else {
            throw TrainingError(
                .invalidRecipe,
                "batch: expected a multiple of \(recipe.microBatchCount) micro-batches, "
                    + "found \(batch)")
        }
        let microBatchSize = batch / recipe.microBatchCount
        guard (1...Graph.maximumReplicaCount).contains(replicas), microBatchSize % replicas == 0
        else {
            throw TrainingError(
                .invalidReplicaCount,
                "replicas: expected a number of 1 to \(Graph.maximumReplicaCount) that divides the "
                    + "\(microBatchSize) images of a micro-batch, found \(replicas); "
                    + "choose a batch that is a multiple of micro-batches times replicas")
        }
        let share = microBatchSize / replicas
        var forward = try model.trainingGraph(
            batch: share, imageSize: imageSize, normalization: recipe.normalization,
            frozen: recipe.frozen, replicas: replicas)
        if recipe.precision != .float32 {
            forward = try convert(
                forward, to: recipe.precision.elementType, keepingParameters: true)
        }
        var builder = try StepGraphBuilder(model: model, recipe: recipe, forward: forward)
        let gradients = try builder.addLossAndGradients(forward, images: share)
        if recipe.microBatchCount == 1 {
            try builder.addUpdates(gradients)
            microBatch = try builder.graph.finish()
            update = nil
        } else {
            try builder.addAccumulation(gradients)
            microBatch = try builder.graph.finish()
            var updater = StepGraphBuilder(model: model, recipe: recipe, replicaCount: replicas)
            let sums = try updater.accumulatedGradients()
            try updater.addUpdates(sums)
            update = try updater.graph.finish()
        }
    }
}

/// Adds to a network's forward pass what makes it a step.
struct StepGraphBuilder {
    let model: ResNetArchitecture
    let recipe: TrainingRecipe
    /// What gradients change, in the order of all graphs.
    let trained: [ResNetParameter]
    var graph: GraphBuilder
    /// States made so far.
    private var states: [String: Value] = [:]
    /// What states will be after the run, for those that read on.
    private var newStatistics: [String: Value] = [:]
    /// Numbers in the graph, each once.
    private var constants: [Double: Value] = [:]

    /// Continues a forward pass.
    init(
        model: ResNetArchitecture, recipe: TrainingRecipe, forward: Graph
    ) throws(GraphError) {
        // Logits are no output of a step.
        let body = Graph(
            name: forward.name, replicaCount: forward.replicaCount, nodes: forward.nodes,
            outputs: [], updates: forward.updates)
        self.init(
            model: model, recipe: recipe, graph: try GraphBuilder(continuing: body))
        for state in forward.states { states[state.name] = state.value }
        for update in forward.updates { newStatistics[update.name] = update.value }
    }

    /// Starts without one.
    init(model: ResNetArchitecture, recipe: TrainingRecipe, replicaCount: Int) {
        self.init(
            model: model, recipe: recipe,
            graph: GraphBuilder(name: "\(model.name) update", replicaCount: replicaCount))
    }

    private init(model: ResNetArchitecture, recipe: TrainingRecipe, graph: GraphBuilder) {
        self.model = model
        self.recipe = recipe
        self.graph = graph
        trained = model.parameterList.filter { $0.isTrained && !recipe.frozen.contains($0) }
    }

    /// Adds loss, counts and gradients of a replica's share of a micro-batch.
    ///
    /// - Parameters:
    ///   - forward: the forward pass.
    ///   - images: how many the share has.
    /// - Returns: a gradient for each trained parameter, of this replica's loss over the number of micro-batches and
    ///   times the loss scale.
    mutating func addLossAndGradients(
        _ forward: Graph, images: Int
    ) throws(GraphError) -> [Value] {
        guard let logits = forward.outputs.first?.value else {
            preconditionFailure("a forward pass gives logits")
        }
        let labels = try graph.input(StepNames.labels, type: TensorType(.int32, [images]))
        var targets = labels
        if recipe.targets == .distributions {
            targets = try graph.input(
                StepNames.targets, type: TensorType(.float32, [images, model.classCount]))
        }
        var weights: Value?
        if recipe.classWeights != nil {
            weights = try graph.parameter(
                StepNames.classWeights, type: TensorType(.float32, [model.classCount]))
        }
        let loss = try graph.crossEntropy(
            logits, targets: targets, weights: weights, smoothing: recipe.labelSmoothing,
            label: StepNames.loss)
        let top1 = try graph.correctCount(logits, labels: labels, top: 1)
        let top5 = try graph.correctCount(logits, labels: labels, top: min(5, model.classCount))
        try graph.output(StepNames.loss, replicaMean(loss, label: StepNames.loss))
        try graph.output(StepNames.top1Count, replicaSum(top1, label: StepNames.top1Count))
        try graph.output(StepNames.top5Count, replicaSum(top5, label: StepNames.top5Count))

        var scale = try lossScale()
        if recipe.microBatchCount > 1 {
            let share = try constant(1 / Double(recipe.microBatchCount))
            scale =
                try scale.map { value throws(GraphError) in
                    try graph.multiply(value, by: share)
                } ?? share
        }
        return try graph.gradients(
            of: loss, withRespectTo: trained.map { states[$0.name] ?? Value(index: -1) },
            scale: scale)
    }

    /// Adds a micro-batch's gradients to those of the ones before it.
    mutating func addAccumulation(_ gradients: [Value]) throws(GraphError) {
        let isContinuing = try graph.input(
            StepNames.isContinuing, type: TensorType(.float32, []))
        for (parameter, gradient) in zip(trained, gradients) {
            let name = StateNames.gradient(parameter.name)
            let sum = try graph.add(
                state(name, parameter.shape), gradient, label: parameter.name)
            // What an earlier step left, finite or not, is never read.
            let new = try graph.select(isContinuing, sum, gradient, label: parameter.name)
            try graph.update(name, new)
        }
    }

    /// The gradients that micro-batches left.
    mutating func accumulatedGradients() throws(GraphError) -> [Value] {
        var gradients: [Value] = []
        for parameter in trained {
            gradients.append(try state(StateNames.gradient(parameter.name), parameter.shape))
        }
        return gradients
    }

    /// The mean over all replicas; nothing is added where there is one.
    mutating func replicaMean(_ x: Value, label: String) throws(GraphError) -> Value {
        graph.replicaCount == 1 ? x : try graph.replicaMean(x, label: label)
    }

    /// The sum over all replicas of a number that is float32.
    private mutating func replicaSum(_ x: Value, label: String) throws(GraphError) -> Value {
        if graph.replicaCount == 1 { return x }
        return try graph.multiply(
            replicaMean(x, label: label), by: constant(Double(graph.replicaCount)), label: label)
    }

    /// A state of float32, made once.
    mutating func state(_ name: String, _ shape: Shape) throws(GraphError) -> Value {
        if let value = states[name] { return value }
        let value = try graph.state(name, type: TensorType(.float32, shape))
        states[name] = value
        return value
    }

    /// What a running statistic is after the step.
    mutating func newStatistic(_ parameter: ResNetParameter) throws(GraphError) -> Value {
        if let value = newStatistics[parameter.name] { return value }
        return try state(parameter.name, parameter.shape)
    }

    /// What the loss is multiplied with, if it is.
    mutating func lossScale() throws(GraphError) -> Value? {
        switch recipe.lossScaling {
        case .none: return nil
        case .fixed(let scale): return try constant(scale)
        case .dynamic:
            return try graph.row(
                state(StateNames.lossScale, [2]), index: 0, label: StateNames.lossScale)
        }
    }

    mutating func constant(_ number: Double) throws(GraphError) -> Value {
        if let value = constants[number] { return value }
        let value = try graph.constant(number)
        constants[number] = value
        return value
    }
}
