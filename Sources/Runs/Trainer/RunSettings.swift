public import Datasets
public import Devices
public import Inference

/// What a user asks for.
public struct RunSettings: Sendable {
    /// The path or name of the data.
    public var data: String
    /// How the data is read.
    public var dataOptions = DatasetOptions()
    /// The weights to start from; drawn anew where `nil`.
    public var weights: LoadedModel?
    /// How to train.
    public var recipe: Recipe
    /// What computes.
    public var device: Device
    /// How many threads decode pictures.
    public var workers = 2
    /// Bytes that training may take; for `batch_size: auto`, and for cutting batches into parts.
    public var memoryLimit: Int?
    /// The share of pictures that may be unreadable.
    public var maximumBadShare = 0.01
    /// When to stop.
    public var limits = RunLimits()
    /// After how many epochs the validation pictures are looked at.
    public var validationInterval = 1
    /// After how many steps a line of metrics is written; about ten lines an epoch where `nil`.
    public var logInterval: Int?
    /// After how many seconds the state is saved, beside every validation.
    public var checkpointSeconds = 300.0
    /// After how many steps the state is saved, too.
    public var checkpointSteps: Int?
    /// Whether a run that is in the folder is removed rather than gone on with.
    public var startsFresh = false
    /// The command line, for the record.
    public var command = ""
    /// The version of the program, for the record.
    public var programVersion = ""

    /// Asks for a training.
    public init(data: String, recipe: Recipe, device: Device) {
        self.data = data
        self.recipe = recipe
        self.device = device
    }
}

/// When a run ends before its recipe does; none of it by default.
///
/// Limits may differ when a run is gone on with.
public struct RunLimits: Sendable, Hashable {
    /// After so many validations without a better accuracy.
    public var patience: Int?
    /// Once the validation accuracy is this, 0 to 1.
    public var stopAtTop1: Double?
    /// Once training has taken so long, all processes together.
    public var maximumSeconds: Double?
    /// Once so many steps are done; the state is saved and nothing measured, so that a process with a higher limit goes
    /// on to the bytes of one that had it from the start.
    public var maximumSteps: Int?

    /// No limits.
    public init() {}
}

extension RunLimits {
    /// Why a run ends here before its recipe does, its last weights measured; `nil` where it does not.
    ///
    /// - Parameter seconds: how long it has trained.
    func endReason(_ progress: RunProgress, seconds: Double) -> String? {
        if let best = progress.bestTop1, let wanted = stopAtTop1, best >= wanted {
            return "the wanted accuracy is reached"
        }
        if let patience, progress.validationsSinceBest >= patience {
            return "no better accuracy in \(patience) validations"
        }
        if let maximumSeconds, seconds >= maximumSeconds { return "the time is up" }
        return nil
    }

    /// That so many steps are done as were asked for, where they are.
    func stepLimitReason(_ progress: RunProgress) -> String? {
        guard let maximumSteps, progress.step >= maximumSteps else { return nil }
        return "the limit of \(maximumSteps) steps is reached"
    }
}

extension RunPlan {
    /// Why the run ends here, its last weights measured; `nil` where it does not.
    func endReason(_ progress: RunProgress, seconds: Double) -> String? {
        if progress.step >= totalSteps { return "all \(totalSteps) steps are done" }
        return settings.limits.endReason(progress, seconds: seconds)
    }
}

/// What a process that trains can be asked for meanwhile.
public enum RunRequest: Sendable, Hashable {
    /// To save and to stop.
    case stop
    /// To save and to go on.
    case save
}

/// What a training tells while it works.
public enum RunEvent: Sendable {
    /// A sentence for people.
    case note(String)
    /// A step was done.
    case step(StepProgress)
    /// So many of so many validation pictures were looked at.
    case evaluating(done: Int, total: Int)
    /// The validation pictures were looked at.
    case validation(ValidationRecord, isBest: Bool)
    /// So many of so many features were computed.
    case features(done: Int, total: Int)
}

/// How far training is.
public struct StepProgress: Sendable, Hashable {
    /// Steps done.
    public var step: Int
    /// Steps in all.
    public var totalSteps: Int
    /// The present epoch, from 0.
    public var epoch: Int
    /// The mean loss of the last steps.
    public var loss: Double
    /// The accuracy of the last steps.
    public var top1: Double
    /// Pictures a second, waiting for data included.
    public var imagesPerSecond: Double
    /// Seconds that the remaining steps take at this speed.
    public var secondsLeft: Double
}

/// How a run ended.
public struct RunOutcome: Sendable {
    /// Why it ended.
    public enum Ending: Sendable, Hashable {
        /// Everything is done, or a limit says so, named by the text.
        case finished(String)
        /// It was asked to stop; the same command goes on.
        case stopped
    }

    /// Why it ended.
    public var ending: Ending
    /// How far it came.
    public var progress: RunProgress
    /// How well the best weights do, where that was measured by this process.
    public var evaluation: EvaluationResult?
    /// Pictures that could not be read.
    public var skippedCount: Int
}
