public import Execution
public import Graph
public import ResNetModel
import Tensors

/// One optimizer update, made ready to run: forward and backward pass, loss, statistics and weights.
///
/// It knows neither files nor data sets: batch and learning rate come in, metrics go out, and the state is changed.
///
/// ```swift
/// let step = try TrainingStep.compile(
///     model: ResNetArchitecture(), recipe: .torchvision(), batch: 32, backend: backend)
/// var state = try step.initialState(parameters: parameters)
/// let metrics = try step.run(batch, learningRate: 0.1, state: &state)
/// ```
public struct TrainingStep: Sendable {
    /// The network.
    public let model: ResNetArchitecture
    /// What a step does, with the number of micro-batches that memory allows.
    public let recipe: TrainingRecipe
    /// Images a step, of all replicas together.
    public let batch: Int
    /// How many replicas share each micro-batch evenly.
    public let replicaCount: Int
    /// Height and width of the images.
    public let imageSize: Int
    /// What runs.
    public let graphs: TrainingGraphs
    let microBatch: CompiledGraph
    private let update: CompiledGraph?

    /// The type of each state, by name.
    public var stateTypes: [String: TensorType] {
        microBatch.update.stateTypes.merging(update?.update.stateTypes ?? [:]) { first, _ in first }
    }

    /// Bytes of the state, of each replica.
    public var stateByteCount: Int {
        stateTypes.values.reduce(0) { sum, type in
            sum + type.shape.elementCount * type.elementType.byteCount
        }
    }

    /// Bytes that a step needs on each device beside the state.
    public var workspaceByteCount: Int {
        microBatch.update.workspaceByteCount + (update?.update.workspaceByteCount ?? 0)
    }

    /// Makes a step ready.
    ///
    /// - Parameters:
    ///   - model: the network.
    ///   - recipe: what a step does.
    ///   - batch: images a step, of all replicas together.
    ///   - imageSize: height and width; 224 in the published recipes.
    ///   - backend: what runs it.
    ///   - replicas: how many replicas share each micro-batch evenly; the back end has to have as many devices, or to
    ///     be the reference. With synchronised or frozen batch norms and no class weights they do what one does.
    ///   - memoryLimit: bytes that state and workspace may take together on each device. Where they would take more,
    ///     the batch is cut into more micro-batches than the recipe says: the fewest, of equal size, that fit. Batch
    ///     norms then see smaller batches.
    /// - Throws: `TrainingError` with code `.invalidRecipe`, `.invalidReplicaCount`, `.classWeightCount` or
    ///   `.memoryLimit`; `GraphError` as
    ///   `ResNetArchitecture.trainingGraph(batch:imageSize:normalization:frozen:replicas:)`; `ExecutionError` of the back end.
    public static func compile(
        model: ResNetArchitecture, recipe: TrainingRecipe, batch: Int, imageSize: Int = 224,
        backend: any Backend, replicas: Int = 1, memoryLimit: Int? = nil
    ) throws -> TrainingStep {
        let first = try TrainingStep(model, recipe, batch, imageSize, backend, replicas)
        guard let memoryLimit, first.byteCount > memoryLimit else { return first }
        var smallest = first
        let share = batch / replicas
        for count in 1...share where count > recipe.microBatchCount && share % count == 0 {
            var recipe = recipe
            recipe.microBatchCount = count
            let step: TrainingStep
            do {
                step = try TrainingStep(model, recipe, batch, imageSize, backend, replicas)
            } catch is GraphError {
                // Batch statistics of too few values: nothing smaller works either.
                break
            }
            if step.byteCount <= memoryLimit { return step }
            if step.byteCount < smallest.byteCount { smallest = step }
        }
        throw TrainingError(
            .memoryLimit,
            "memory limit: expected at least \(smallest.byteCount) bytes for micro-batches of "
                + "\(batch / smallest.recipe.microBatchCount) images, "
                + "\(smallest.stateByteCount) of them state, found \(memoryLimit)")
    }

    private init(
        _ model: ResNetArchitecture, _ recipe: TrainingRecipe, _ batch: Int, _ imageSize: Int,
        _ backend: any Backend, _ replicas: Int
    ) throws {
        self.model = model
        self.recipe = recipe
        self.batch = batch
        self.imageSize = imageSize
        replicaCount = replicas
        graphs = try TrainingGraphs(
            model: model, recipe: recipe, batch: batch, imageSize: imageSize, replicas: replicas)
        var parameters: Parameters = [:]
        if let weights = recipe.classWeights {
            parameters[StepNames.classWeights] = HostTensor(
                weights.map { Float($0) }, shape: [weights.count])
        }
        microBatch = try CompiledGraph(
            graphs.microBatch, backend: backend, parameters: parameters)
        if let graph = graphs.update {
            update = try CompiledGraph(graph, backend: backend, parameters: [:])
        } else {
            update = nil
        }
    }

    private var byteCount: Int { stateByteCount + workspaceByteCount }

    /// Does a step.
    ///
    /// A batch that does not fit throws before anything is computed. A loss that is not a finite number throws too,
    /// unless the recipe scales the loss, which skips such a step: with one micro-batch the weights are spoilt by
    /// then, and with several only the running statistics. Either way go on from an earlier state, with a lower
    /// learning rate.
    ///
    /// - Parameters:
    ///   - batch: images and targets.
    ///   - learningRate: what a schedule says for this step.
    ///   - holdsAverage: whether the weights' average, where there is one, becomes the new weights themselves.
    ///   - state: of `initialState(parameters:)` or `restoredState(_:stepCount:)` of this step, or of one with the
    ///     same model and recipe.
    /// - Returns: what the step found.
    /// - Throws: `TrainingError` with code `.batchMismatch`, `.labelOutOfRange`, `.invalidDistribution`,
    ///   `.invalidLearningRate` or `.nonFiniteLoss`; `ExecutionError` of the back end.
    public func run(
        _ batch: TrainingBatch, learningRate: Double, holdsAverage: Bool = false,
        state: inout TrainingState
    ) throws -> StepMetrics {
        try begin(
            batch, learningRate, holdsAverage: holdsAverage, &state, isWatched: true
        ).metrics()
    }

    /// Starts a step and returns before it has ended, where the back end has devices of their own.
    ///
    /// The next step may be started before this one's metrics are read, so that its batch is brought to the device
    /// meanwhile and the device never waits; one step ahead is enough. What the steps do is the same. A loss that is
    /// not finite is thrown by `PendingStep.metrics()`, and with several micro-batches, too, has spoilt the weights.
    ///
    /// ```swift
    /// var last: PendingStep?
    /// for batch in batches {
    ///     let step = try step.start(batch, learningRate: 0.1, state: &state)
    ///     if let last { report(try last.metrics()) }
    ///     last = step
    /// }
    /// ```
    ///
    /// - Parameters: as for `run`.
    /// - Returns: what the step will have found.
    /// - Throws: as `run`, for what can be said of batch and learning rate.
    public func start(
        _ batch: TrainingBatch, learningRate: Double, holdsAverage: Bool = false,
        state: inout TrainingState
    ) throws -> PendingStep {
        try begin(batch, learningRate, holdsAverage: holdsAverage, &state, isWatched: false)
    }

    /// - Parameter isWatched: whether weights are to be kept from a loss that is not finite, where they can be.
    private func begin(
        _ batch: TrainingBatch, _ learningRate: Double, holdsAverage: Bool,
        _ state: inout TrainingState, isWatched: Bool
    ) throws -> PendingStep {
        let checked = try CheckedBatch(
            batch, count: self.batch, imageSize: imageSize, classCount: model.classCount,
            targets: recipe.targets)
        guard learningRate >= 0, Float(learningRate).isFinite else {
            throw TrainingError(
                .invalidLearningRate,
                "learning rate: expected a finite number of at least 0, found \(learningRate)")
        }
        defer { state.stepCount += 1 }

        var pending = PendingStep(index: state.stepCount, imageCount: self.batch)
        for index in 0..<recipe.microBatchCount {
            let inputs = inputs(
                of: checked, microBatch: index, learningRate: learningRate, state.stepCount,
                holdsAverage: holdsAverage)
            pending.microBatches.append(try microBatch.start(inputs, state: &state.device))
        }
        if let update {
            if isWatched, recipe.lossScaling == .none { try pending.requireFiniteLoss() }
            pending.update = try update.start(
                Self.tensors(
                    scalars(learningRate, state.stepCount, holdsAverage: holdsAverage)),
                state: &state.device)
        }
        return pending
    }

    /// What the graph of a micro-batch takes, by name.
    func inputs(
        of batch: CheckedBatch, microBatch index: Int, learningRate: Double, _ stepCount: Int,
        holdsAverage: Bool = false
    ) -> [String: HostTensor] {
        let count = self.batch / recipe.microBatchCount
        let rows = index * count..<(index + 1) * count
        var numbers = scalars(learningRate, stepCount, holdsAverage: holdsAverage)
        numbers[StepNames.isContinuing] = index == 0 ? 0 : 1
        var inputs = Self.tensors(numbers)
        inputs[StepNames.image] = batch.images.rows(rows)
        inputs[StepNames.labels] = batch.labels.rows(rows)
        inputs[StepNames.targets] = batch.targets.rows(rows)
        return inputs
    }

    private func scalars(
        _ learningRate: Double, _ stepCount: Int, holdsAverage: Bool
    ) -> [String: Double] {
        var scalars = [StepNames.learningRate: learningRate]
        if let averaging = recipe.averaging {
            scalars[StepNames.averageShare] =
                holdsAverage ? 1 : averaging.share(step: stepCount)
        }
        return scalars
    }

    private static func tensors(_ scalars: [String: Double]) -> [String: HostTensor] {
        scalars.mapValues { HostTensor([Float($0)], shape: []) }
    }

    /// Makes a state for the compiled graphs.
    func makeState(_ tensors: Parameters, stepCount: Int) throws(ExecutionError) -> TrainingState {
        let device = try (update ?? microBatch).update.makeState(tensors)
        let names = model.parameterList.map(\.name)
        let accumulators = Set(names.map(StateNames.gradient))
        return TrainingState(
            device: device, stepCount: stepCount, parameterNames: names,
            stateNames: tensors.keys.filter { !accumulators.contains($0) }.sorted())
    }
}
