public import Execution
import Graph
public import ResNetModel
public import Tensors

/// One update of the classifier alone, on features that were computed before.
public struct HeadStep: Sendable {
    /// The network whose classifier it is.
    public let model: ResNetArchitecture
    /// What a step does; averages, clipping and loss scaling are left out.
    public let recipe: TrainingRecipe
    /// Rows of features a step.
    public let batch: Int
    private let graph: CompiledGraph

    /// Makes a step ready.
    ///
    /// - Throws: `TrainingError` with code `.invalidRecipe` or `.classWeightCount`; `GraphError`, `ExecutionError`.
    public init(
        model: ResNetArchitecture, recipe: TrainingRecipe, batch: Int, backend: any Backend
    ) throws {
        var recipe = recipe
        recipe.frozen = .allButHead
        recipe.targets = .labels
        recipe.averaging = nil
        recipe.gradientClipNorm = nil
        recipe.lossScaling = .none
        recipe.microBatchCount = 1
        recipe.precision = .float32
        try recipe.check(classCount: model.classCount)
        guard batch >= 1 else {
            throw TrainingError(.invalidRecipe, "batch: expected at least 1, found \(batch)")
        }
        self.model = model
        self.recipe = recipe
        self.batch = batch

        var forward = GraphBuilder(name: "\(model.name) classifier")
        let features = try forward.input(
            Self.features, type: TensorType(.float32, [batch, model.featureCount]))
        let weight = try forward.state(
            Self.weight, type: TensorType(.float32, [model.classCount, model.featureCount]))
        let bias = try forward.state(Self.bias, type: TensorType(.float32, [model.classCount]))
        let logits = try forward.dense(features, weight: weight, bias: bias, label: "fc")
        try forward.output(ResNetOutput.logits.rawValue, logits)
        let finished = try forward.finish()
        var builder = try StepGraphBuilder(model: model, recipe: recipe, forward: finished)
        let gradients = try builder.addLossAndGradients(finished, images: batch)
        try builder.addUpdates(gradients)
        var parameters: Parameters = [:]
        if let weights = recipe.classWeights {
            parameters[StepNames.classWeights] = HostTensor(
                weights.map { Float($0) }, shape: [weights.count])
        }
        graph = try CompiledGraph(
            try builder.graph.finish(), backend: backend, parameters: parameters)
    }

    /// A state to start from, with velocities 0.
    ///
    /// - Parameter parameters: at least `fc.weight` and `fc.bias`.
    /// - Throws: `ExecutionError` where they are missing or of another shape.
    public func initialState(parameters: Parameters) throws(ExecutionError) -> DeviceState {
        var tensors: Parameters = [:]
        for (name, type) in graph.update.stateTypes {
            tensors[name] = parameters[name] ?? HostTensor(repeating: 0, shape: type.shape)
        }
        return try graph.update.makeState(tensors)
    }

    /// Does a step.
    ///
    /// - Parameters:
    ///   - features: float32 `[batch, features]`.
    ///   - labels: one a row.
    ///   - learningRate: what a schedule says for this step.
    ///   - state: of `initialState(parameters:)`.
    /// - Throws: `TrainingError` with code `.labelOutOfRange`, `.batchMismatch` or `.nonFiniteLoss`; `ExecutionError`.
    public func run(
        features: HostTensor, labels: [Int], learningRate: Double, state: inout DeviceState
    ) throws -> StepMetrics {
        guard labels.count == batch else {
            throw TrainingError(
                .batchMismatch, "labels: expected \(batch), one a row, found \(labels.count)")
        }
        for label in labels where !(0..<model.classCount).contains(label) {
            throw TrainingError(
                .labelOutOfRange,
                "label: expected 0 to \(model.classCount - 1), found \(label)")
        }
        let inputs = [
            Self.features: features,
            StepNames.labels: HostTensor(labels.map { Int32($0) }, shape: [batch]),
            StepNames.learningRate: HostTensor([Float(learningRate)], shape: []),
        ]
        let numbers = try graph.start(inputs, state: &state).numbers()
        let loss = numbers[StepNames.loss] ?? .nan
        guard loss.isFinite else {
            throw TrainingError(
                .nonFiniteLoss, "loss: expected a finite number, found \(loss); lower the rate")
        }
        return StepMetrics(
            loss: loss, top1Count: Int((numbers[StepNames.top1Count] ?? 0).rounded()),
            top5Count: Int((numbers[StepNames.top5Count] ?? 0).rounded()), imageCount: batch)
    }

    private static let features = "features"
    private static let weight = "fc.weight"
    private static let bias = "fc.bias"
}
