public import Datasets
import Devices
import Execution
import Images
import Inference
public import Native
public import ResNetModel
public import Training

/// A training, decided in every number and ready to start.
public struct RunPlan: Sendable {
    /// What was asked for.
    public let settings: RunSettings
    /// The pictures.
    public let split: DatasetSplit
    /// The recipe, its batch and precision as they are used.
    public let recipe: Recipe
    /// One step.
    public let step: TrainingStep
    /// The learning rate over time.
    public let schedule: LearningRateSchedule
    /// Steps in an epoch.
    public let stepsPerEpoch: Int
    /// Steps in all.
    public let totalSteps: Int
    /// Sentences for people.
    public let notes: [String]
    let start: StartingWeights
    let loader: BatchLoader
    let record: RunRecord

    /// Decides.
    ///
    /// Where the folder holds a run, what that one decided for `auto` is kept.
    ///
    /// - Parameters:
    ///   - settings: what is asked for.
    ///   - folder: where the run is, or will be.
    ///   - cancellation: ends the reading of pictures by which a share is held back.
    /// - Throws: `RunError` with code `.settingsDiffer` where the run in the folder was started otherwise,
    ///   `.invalidRecipe` where numbers do not fit the data; `DatasetError`, with code `.invalidOption` where the run's
    ///   folder would lie in the data's; `TrainingError`, `ExecutionError`, `GraphError`.
    public init(
        _ settings: RunSettings, folder: RunFolder, cancellation: Cancellation = Cancellation()
    ) throws {
        try Dataset.checkOutput(folder.path, data: settings.data)
        let existing = settings.startsFresh ? nil : try folder.record()
        var recipe = settings.recipe
        if let model = settings.weights {
            recipe.depth = model.architecture.depth
            recipe.variant = model.architecture.variant
        }
        if recipe.computesFeaturesOnce { try Self.refuseIgnored(recipe) }
        let asked = recipe
        split = try DatasetSplit.open(
            settings.data, options: settings.dataOptions, cancellation: cancellation)
        let training = split.training
        guard !training.samples.isEmpty else {
            throw RunError(.invalidRecipe, "\(settings.data): there are no pictures to learn from")
        }
        let start = try StartingWeights(
            from: settings.weights, recipe: recipe, classNames: training.classNames)

        let precision = Self.precision(recipe.precision, existing, settings.device)
        recipe.precision = precision.setting
        let stepRecipe = recipe.trainingRecipe(
            precision: precision.type, classCounts: training.classCounts)
        let search = BatchSizeSearch(
            architecture: start.architecture, recipe: stepRecipe, imageSize: recipe.imageSize,
            device: settings.device, memoryLimit: settings.memoryLimit)
        if let existing, asked.batchSize == nil { recipe.batchSize = existing.batchSize }
        let step: TrainingStep
        if recipe.computesFeaturesOnce {
            // The classifier alone is trained; this step is never run.
            step = try search.step(batch: 2, microBatchCount: 1)
            recipe.batchSize = recipe.batchSize ?? 128
        } else if let batch = recipe.batchSize {
            guard batch <= training.samples.count else {
                throw RunError(
                    .invalidRecipe,
                    "batch_size: expected at most the \(training.samples.count) training "
                        + "pictures, found \(batch); choose a smaller --batch-size")
            }
            step = try search.step(batch: batch, microBatchCount: existing?.microBatchCount)
        } else {
            step = try search.largest(atMost: training.samples.count)
        }
        let batch = recipe.computesFeaturesOnce ? recipe.batchSize ?? 128 : step.batch
        recipe.batchSize = batch
        recipe.accumulation = step.recipe.microBatchCount

        var options = try Self.loaderOptions(recipe, settings)
        options.batch = recipe.computesFeaturesOnce ? min(batch, training.samples.count) : batch
        loader = try BatchLoader(training, options: options)
        stepsPerEpoch = max(1, loader.stepsPerEpoch)
        totalSteps = Int(recipe.epochs * Double(stepsPerEpoch))
        schedule = try recipe.learningRateSchedule(batch: batch)
        self.settings = settings
        self.recipe = recipe
        self.step = step
        self.start = start
        notes = split.notes + start.notes + settings.device.warnings

        let record = RunRecord(
            recipe: asked, data: settings.data,
            dataDigest: try training.digest() + "-" + split.validation.digest(),
            weights: start.name, weightsDigest: start.digest, batchSize: batch,
            microBatchCount: step.recipe.microBatchCount, precision: precision.setting.rawValue,
            facts: [
                ("command", settings.command), ("version", settings.programVersion),
                ("network", start.architecture.name),
                ("device", settings.device.backend.deviceDescription),
                ("classes", "\(training.classNames.count)"),
                ("training_images", "\(training.samples.count)"),
                ("validation_images", "\(split.validation.samples.count)"),
            ])
        self.record = record
        if let existing {
            let differences = record.differences(from: existing)
            guard differences.isEmpty else {
                throw RunError(
                    .settingsDiffer,
                    "\(folder.path): the run here was started otherwise: "
                        + differences.joined(separator: "; ")
                        + ". Choose another folder with -o, or start anew with --fresh")
            }
        }
    }

    /// The network.
    public var architecture: ResNetArchitecture { start.architecture }

    /// Pictures a step.
    public var batchSize: Int { record.batchSize }

    /// The rates of a step, by the number of steps before it.
    func learningRate(step: Int) -> Double {
        schedule.learningRate(at: TrainingTime(step: step, stepsPerEpoch: stepsPerEpoch))
    }

    /// Refuses what has no place where the classifier alone is trained, on features that are computed once.
    private static func refuseIgnored(_ recipe: Recipe) throws(RunError) {
        let ignored = [
            ("mixup", recipe.mixUp), ("cutmix", recipe.cutMix), ("ema", recipe.averagingDecay),
            ("clip_norm", recipe.clipNorm),
        ]
        for (key, value) in ignored where value > 0 {
            throw RunError(
                .invalidRecipe,
                "\(key): expected 0 with features_once, which trains the classifier alone on whole "
                    + "pictures, found \(shortText(value)); leave it out, or set features_once=false"
            )
        }
    }

    private static func precision(
        _ asked: TrainingPrecision, _ existing: RunRecord?, _ device: Device
    ) -> (setting: TrainingPrecision, type: TrainingRecipe.Precision) {
        var setting = asked
        if setting == .auto {
            setting =
                existing.flatMap { TrainingPrecision(rawValue: $0.precision) }
                ?? (device.prefersBFloat16 ? .bf16 : .fp32)
        }
        switch setting {
        case .bf16: return (.bf16, .bfloat16)
        case .fp16: return (.fp16, .float16)
        case .fp32, .auto: return (.fp32, .float32)
        }
    }

    private static func loaderOptions(
        _ recipe: Recipe, _ settings: RunSettings
    ) throws -> LoaderOptions {
        var options = LoaderOptions.training(
            batch: recipe.batchSize ?? 1, seed: UInt64(recipe.seed),
            transform: try recipe.trainingTransform())
        options.repeats = recipe.repeats
        options.mixing = recipe.batchMixing
        options.workers = settings.workers
        options.maximumBadShare = settings.maximumBadShare
        return options
    }
}
