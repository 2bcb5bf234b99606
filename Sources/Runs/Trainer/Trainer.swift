import Datasets
import Images
import Native
import ResNetModel
import Tensors
import Training

/// Trains: data to batches, batches to steps, steps to metrics, weights and a folder that tells of them.
///
/// Everything that happens follows from the plan and the number of steps done; so a run that is stopped, or killed, and
/// gone on with gives in float32 the same bytes as one that was left alone.
public final class Trainer {
    let plan: RunPlan
    let folder: RunFolder
    let observer: (RunEvent) -> Void
    let requests: () -> RunRequest?
    let log: MetricsLog
    var state: TrainingState
    var progress: RunProgress
    var evaluation: EvaluationResult?
    private let lock: FileLock
    private let clock = ContinuousClock()
    private var sessionStart: ContinuousClock.Instant
    private var secondsBefore: Double
    private var lastSave: ContinuousClock.Instant
    private var pace: Pace
    /// The pictures of the last step.
    private var lastNames: [String] = []
    private var knownSkips: Set<String>
    /// The step before which the state is saved, since the last attempt at it failed.
    private var saveBeforeStep: Int?
    /// Whether `last` is damaged, so that the next state takes its place and leaves `previous` alone.
    private var isLastBad = false

    /// Opens the run's folder and brings the state to the device: a new one, or the newest that is in the folder.
    ///
    /// - Parameters:
    ///   - plan: what to do.
    ///   - folder: where to keep it.
    ///   - observer: is told what happens.
    ///   - requests: is asked between steps, and while pictures are evaluated, for what is wanted meanwhile; an answer
    ///     is given once.
    /// - Throws: `RunError` with code `.cannotWrite` or `.badCheckpoint`; `TrainingError`, `ExecutionError`.
    public init(
        _ plan: RunPlan, folder: RunFolder, observer: @escaping (RunEvent) -> Void,
        requests: @escaping () -> RunRequest?
    ) throws {
        self.plan = plan
        self.folder = folder
        self.observer = observer
        self.requests = requests
        lock = try folder.lock()
        try folder.prepare(plan)
        var found = RunProgress()
        var resumedFrom: String?
        if let (checkpoint, isLast) = try folder.newestCheckpoint() {
            let name = isLast ? "last.safetensors" : "previous.safetensors"
            isLastBad = !isLast
            do {
                state = try plan.step.restoredState(
                    checkpoint.tensors, stepCount: checkpoint.progress.updateCount)
            } catch let error as TrainingError {
                throw RunError(.badCheckpoint, "\(folder.path)/\(name): \(error.message)")
            }
            found = checkpoint.progress
            resumedFrom = name
        } else {
            state = try plan.step.initialState(parameters: plan.start.parameters)
        }
        progress = found
        log = try MetricsLog(folder, progress: found)
        knownSkips = Set(folder.skippedLines())
        pace = Pace(now: clock.now)
        sessionStart = clock.now
        lastSave = clock.now
        secondsBefore = found.seconds
        if let resumedFrom {
            let text = "resumed from \(resumedFrom) after step \(found.step)"
            try log.add(.event(step: found.step, seconds: found.seconds, text: text))
            observer(.note(text))
        } else {
            try save()
        }
    }

    /// Trains until everything is done, a limit is reached, or it is asked to stop.
    ///
    /// - Throws: `RunError` with code `.nonFiniteLoss` or `.cannotWrite`; `DatasetError`, with code `.tooManyBad` where
    ///   too many pictures cannot be read; `TrainingError`, `ExecutionError`. What was saved last stays.
    public func run() throws -> RunOutcome {
        while true {
            do {
                return try goOn()
            } catch let failure as NonFiniteLoss {
                try rollBack(failure)
            } catch let error as DatasetError {
                // Those that were too many are to be mended, so they are named; that they cannot be is the lesser evil.
                try? noteSkips()
                throw error
            } catch is StopRequest {
                do {
                    try save()
                } catch let failure as NonFiniteLoss {
                    // What was saved before is what will be gone on with.
                    try rollBack(failure)
                }
                return outcome(.stopped)
            }
        }
    }

    /// Seconds that training has taken, all processes together.
    var elapsed: Double {
        secondsBefore + (clock.now - sessionStart) / .seconds(1)
    }

    private func goOn() throws -> RunOutcome {
        if progress.isValidationPending { try validate() }
        while true {
            if let reason = plan.endReason(progress, seconds: elapsed) {
                if progress.validatedStep != progress.step { try validate() }
                try save()
                return outcome(.finished(reason))
            }
            if let reason = plan.settings.limits.stepLimitReason(progress) {
                // Nothing is measured here, so that what goes on from here is as if it had not ended.
                try save()
                return outcome(.finished(reason))
            }
            try trainEpoch()
        }
    }

    /// Trains to the end of the present epoch, or to where a limit ends it.
    private func trainEpoch() throws {
        let epoch = progress.step / plan.stepsPerEpoch
        let first = progress.step % plan.stepsPerEpoch
        plan.loader.start(epoch: epoch, step: first)
        for _ in first..<plan.stepsPerEpoch where progress.step < plan.totalSteps {
            try answerRequests()
            if let limit = plan.settings.limits.maximumSeconds, elapsed >= limit { return }
            if plan.settings.limits.stepLimitReason(progress) != nil { return }
            if saveBeforeStep == progress.step {
                try save()
                saveBeforeStep = nil
            }
            guard let batch = try plan.loader.next() else {
                throw DatasetError(
                    .tooManyBad,
                    "\(plan.settings.data): expected \(plan.stepsPerEpoch) batches an epoch, found "
                        + "\(progress.step % plan.stepsPerEpoch); too many pictures cannot be read")
            }
            try takeStep(batch)
            let isDue = plan.settings.checkpointSteps.map { progress.step % $0 == 0 } ?? false
            let seconds = (clock.now - lastSave) / .seconds(1)
            let isEpochEnd = progress.step % plan.stepsPerEpoch == 0
            if !isEpochEnd, isDue || seconds >= plan.settings.checkpointSeconds { try save() }
        }
        let done = epoch + 1
        let start = clock.now
        if done % plan.settings.validationInterval == 0 || progress.step >= plan.totalSteps {
            try validate()
        }
        try save()
        pace.pause(clock.now - start)
    }

    /// Learns from a batch, and writes metrics where an interval ends.
    private func takeStep(_ batch: LoadedBatch) throws {
        if progress.step == 0 { try folder.writeSheet(of: batch.images) }
        lastNames = names(batch)
        if !progress.skippedSteps.contains(progress.step) {
            let rate = plan.learningRate(step: progress.step)
            let targets: TrainingBatch.Targets =
                if plan.recipe.mixesPictures, let shares = batch.distributions {
                    .distributions(shares)
                } else {
                    .labels(batch.labels)
                }
            let metrics: StepMetrics
            do {
                metrics = try plan.step.run(
                    TrainingBatch(images: batch.images, targets: targets), learningRate: rate,
                    holdsAverage: plan.recipe.holdsAverage(
                        step: progress.step, stepsPerEpoch: plan.stepsPerEpoch),
                    state: &state)
            } catch let error as TrainingError where error.code == .nonFiniteLoss {
                throw NonFiniteLoss(step: progress.step, names: lastNames)
            }
            progress.updateCount = state.stepCount
            if metrics.loss.isFinite {
                progress.sums.add(metrics, learningRate: rate)
                pace.add(metrics, now: clock.now)
            } else if !metrics.wasSkipped {
                throw NonFiniteLoss(step: progress.step, names: lastNames)
            }
            // Else the loss scale was too large: weights are as they were, and the next step has a smaller one.
        }
        progress.step += 1
        let isEnd =
            progress.step % plan.stepsPerEpoch == 0 || progress.step >= plan.totalSteps
        if isEnd || progress.step % plan.logInterval == 0 { try writeInterval() }
        observer(.step(stepProgress()))
    }

    private func names(_ batch: LoadedBatch) -> [String] {
        batch.positions.map { plan.split.training.samples[$0].name }
    }

    private func writeInterval() throws(RunError) {
        let sums = progress.sums
        progress.sums = IntervalSums()
        guard sums.stepCount > 0, sums.imageCount > 0 else { return }
        let images = Double(sums.imageCount)
        try log.add(
            .train(
                TrainingRecord(
                    step: progress.step, epoch: (progress.step - 1) / plan.stepsPerEpoch,
                    loss: sums.loss / Double(sums.stepCount), top1: Double(sums.top1Count) / images,
                    top5: Double(sums.top5Count) / images, learningRate: sums.learningRate,
                    imagesPerSecond: pace.takeInterval(now: clock.now),
                    gradientNorm: sums.gradientNorm.map { $0 / Double(sums.stepCount) },
                    seconds: elapsed)))
    }

    private func stepProgress() -> StepProgress {
        let left = Double(plan.totalSteps - progress.step) * Double(plan.batchSize)
        return StepProgress(
            step: progress.step, totalSteps: plan.totalSteps,
            epoch: (progress.step - 1) / plan.stepsPerEpoch, loss: pace.loss, top1: pace.top1,
            imagesPerSecond: pace.rate, secondsLeft: pace.rate > 0 ? left / pace.rate : .infinity)
    }

    /// Does what is wanted meanwhile.
    ///
    /// - Throws: `StopRequest`.
    func answerRequests() throws {
        switch requests() {
        case .stop: throw StopRequest()
        case .save:
            try save()
            observer(.note("saved \(folder.last) after step \(progress.step)"))
        case nil: break
        }
    }

    /// Saves the state, so that a process killed from now on loses nothing before this point.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`; the files are then as they were.
    func save() throws {
        progress.seconds = elapsed
        try noteSkips()
        try log.synchronize(&progress)
        let tensors = try state.tensors()
        try requireFinite(tensors)
        let checkpoint = Checkpoint(
            tensors: tensors, progress: progress,
            description: plan.description(step: progress.step))
        try checkpoint.write(to: folder.last, keepingOldAs: isLastBad ? nil : folder.previous)
        isLastBad = false
        lastSave = clock.now
    }

    /// Looks whether the last step has spoilt the weights: its loss was a number, but its gradients were not.
    ///
    /// - Throws: `NonFiniteLoss`.
    func requireFinite(_ tensors: [String: HostTensor]) throws {
        for parameter in plan.architecture.parameterList {
            guard let tensor = tensors[parameter.name], !tensor.isFinite else { continue }
            throw lastStepFailure
        }
    }

    /// That the last step has spoilt the weights.
    var lastStepFailure: NonFiniteLoss {
        NonFiniteLoss(step: max(0, progress.step - 1), names: lastNames)
    }

    /// Writes down which pictures could not be read, each once.
    ///
    /// - Parameter validation: those of them that are to measure by.
    /// - Throws: `RunError` with code `.cannotWrite`.
    func noteSkips(validation: [SkippedSample] = []) throws(RunError) {
        let samples = plan.split.training.leftOut + plan.loader.skipped + validation
        try folder.note(samples, known: &knownSkips)
    }

    private func outcome(_ ending: RunOutcome.Ending) -> RunOutcome {
        RunOutcome(
            ending: ending, progress: progress, evaluation: evaluation,
            skippedCount: knownSkips.count)
    }

    /// Goes back to the last saved state, to leave a step out whose loss was no number.
    private func rollBack(_ failure: NonFiniteLoss) throws {
        let recent = progress.skippedSteps.count { $0 >= failure.step - 20 }
        let shown = failure.names.prefix(8).joined(separator: ", ")
        let more = failure.names.count > 8 ? " and \(failure.names.count - 8) more" : ""
        guard recent < 3, let (checkpoint, isLast) = try folder.newestCheckpoint() else {
            throw RunError(
                .nonFiniteLoss,
                "step \(failure.step): the loss is no finite number, after \(recent) steps that were "
                    + "left out for that; its pictures: \(shown)\(more). \(folder.last) has the state "
                    + "before; try a lower --lr, or --clip-grad 1")
        }
        isLastBad = !isLast
        // The next step was taken for the guilty one until the state before it was seen to be spoilt already.
        let skipped = progress.skippedSteps.filter { $0 != failure.step + 1 } + [failure.step]
        state = try plan.step.restoredState(
            checkpoint.tensors, stepCount: checkpoint.progress.updateCount)
        progress = checkpoint.progress
        progress.skippedSteps = skipped
        saveBeforeStep = failure.step
        try log.cut(to: progress)
        let text =
            "step \(failure.step): the loss is no finite number; back to step \(progress.step), "
            + "leaving it out; its pictures: \(shown)\(more)"
        try log.add(.event(step: failure.step, seconds: elapsed, text: text))
        observer(.note(text))
        pace = Pace(now: clock.now)
    }
}

/// Ends the work at the next point where it can be gone on with.
struct StopRequest: Error {}

/// A step whose loss is no number.
struct NonFiniteLoss: Error {
    let step: Int
    let names: [String]
}

extension IntervalSums {
    /// Adds a step.
    fileprivate mutating func add(_ metrics: StepMetrics, learningRate: Double) {
        stepCount += 1
        imageCount += metrics.imageCount
        loss += metrics.loss
        top1Count += metrics.top1Count
        top5Count += metrics.top5Count
        if let norm = metrics.gradientNorm, norm.isFinite {
            gradientNorm = (gradientNorm ?? 0) + norm
        }
        self.learningRate = learningRate
    }
}
