import Datasets
import Devices
import Execution
import Graph
import Images
import Inference
import Native
import ResNetModel
import Tensors
import Training

/// Trains the classifier alone: the features of every picture are computed once, then the classifier learns from them.
///
/// Pictures are prepared as in evaluation, without augmentation. It takes about as long as looking at every picture once,
/// so a probe that was stopped starts over. One that a limit ended is measured, and done while the limit is the same.
public struct LinearProbe {
    private let plan: RunPlan
    private let folder: RunFolder
    private let observer: (RunEvent) -> Void
    private let requests: () -> RunRequest?
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant

    /// Takes a plan whose recipe computes features once.
    public init(
        _ plan: RunPlan, folder: RunFolder, observer: @escaping (RunEvent) -> Void,
        requests: @escaping () -> RunRequest?
    ) {
        self.plan = plan
        self.folder = folder
        self.observer = observer
        self.requests = requests
        start = clock.now
    }

    /// Features with the labels and positions they belong to.
    private struct Features {
        var rows: [Float] = []
        var labels: [Int] = []
        var skipped: [SkippedSample] = []
    }

    /// Trains to the end, unless that was done.
    ///
    /// - Throws: as `Trainer.run()`.
    public func run() throws -> RunOutcome {
        let lock = try folder.lock()
        let outcome = Result { try runAlone() }
        _ = consume lock
        return try outcome.get()
    }

    /// Trains while nobody else does in the folder.
    private func runAlone() throws -> RunOutcome {
        try folder.prepare(plan)
        // There is a state once a probe has ended, and not before.
        if let (checkpoint, _) = try? folder.newestCheckpoint(),
            let reason = endReason(checkpoint.progress, seconds: checkpoint.progress.seconds)
        {
            return RunOutcome(
                ending: .finished(reason), progress: checkpoint.progress, evaluation: nil,
                skippedCount: folder.skippedLines().count)
        }
        do {
            return try train()
        } catch is StopRequest {
            return RunOutcome(
                ending: .stopped, progress: RunProgress(), evaluation: nil, skippedCount: 0)
        }
    }

    private func train() throws -> RunOutcome {
        var progress = RunProgress()
        let log = try MetricsLog(folder, progress: progress)
        let total = plan.split.training.samples.count + plan.split.validation.samples.count
        let training = try features(of: plan.split.training, after: 0, of: total)
        let validation = try features(
            of: plan.split.validation, after: plan.split.training.samples.count, of: total)
        var parameters = plan.start.parameters
        let head = try fit(training, validation, log: log, progress: &progress)
        for (name, tensor) in head { parameters[name] = tensor }
        let reason = endReason(progress, seconds: seconds) ?? "nothing is left to learn from"

        let result = try plan.evaluate(parameters) { done, total in
            observer(.evaluating(done: done, total: total))
            try answerRequests()
        }
        progress.seconds = seconds
        if let result {
            let record = ValidationRecord(
                step: progress.step, epoch: progress.step / plan.stepsPerEpoch,
                loss: result.crossEntropy, top1: result.top1, top5: result.top5,
                macroF1: result.macroF1, ece: result.expectedCalibrationError, seconds: seconds)
            try log.add(.validation(record))
            // What was noted so far was computed of features, whose last digits may be others.
            progress.bestTop1 = result.top1
            progress.bestLoss = result.crossEntropy
            try folder.write(try result.json(), to: folder.evaluation)
            observer(.validation(record, isBest: true))
        }
        try folder.writeBest(parameters, plan: plan, progress: &progress)
        var known = Set(folder.skippedLines())
        let skipped = plan.split.training.leftOut + training.skipped + validation.skipped
        try folder.note(skipped, known: &known)
        progress.validatedStep = progress.step
        try log.synchronize(&progress)
        let checkpoint = Checkpoint(
            tensors: parameters, progress: progress,
            description: plan.description(step: progress.step))
        try checkpoint.write(to: folder.last, keepingOldAs: nil)
        return RunOutcome(
            ending: .finished(reason), progress: progress, evaluation: result,
            skippedCount: known.count)
    }

    private var seconds: Double { (clock.now - start) / .seconds(1) }

    /// Why a probe ends after so many steps, if it does.
    private func endReason(_ progress: RunProgress, seconds: Double) -> String? {
        plan.endReason(progress, seconds: seconds)
            ?? plan.settings.limits.stepLimitReason(progress)
    }

    /// - Throws: `StopRequest` where the probe is asked to stop.
    private func answerRequests() throws {
        if requests() == .stop { throw StopRequest() }
    }

    /// Computes what the classifier reads of every picture that can be read.
    private func features(
        of dataset: Dataset, after before: Int, of total: Int
    ) throws -> Features {
        var features = Features()
        guard !dataset.samples.isEmpty else { return features }
        let model = try LoadedModel(
            architecture: plan.architecture, parameters: plan.start.parameters)
        let transform = try plan.evaluationTransform()
        let runner = ModelRunner(
            model: model, device: plan.settings.device,
            precision: plan.recipe.precision == .bf16 ? .bfloat16 : .float32,
            imageSize: transform.crop)
        let batch = 32
        var options = LoaderOptions.evaluation(batch: batch, transform: transform)
        options.workers = plan.settings.workers
        options.maximumBadShare = plan.settings.maximumBadShare
        let loader = try BatchLoader(dataset, options: options)
        loader.start(epoch: 0, step: 0)
        let width = plan.architecture.featureCount
        while let loaded = try nextBatch(of: loader) {
            try answerRequests()
            let count = loaded.labels.count
            var images = loaded.images
            if count < batch {
                let blank = HostTensor(
                    [UInt8](
                        repeating: 0, count: (batch - count) * transform.crop * transform.crop * 3),
                    shape: [batch - count, transform.crop, transform.crop, 3])
                images = HostTensor(concatenating: [images, blank])
            }
            let rows = try runner.run(images, batch: batch, outputs: [.features])[.features] ?? []
            features.rows += rows.prefix(count * width)
            features.labels += loaded.labels
            observer(
                .features(done: before + features.labels.count + loader.skipped.count, total: total)
            )
        }
        features.skipped = loader.skipped
        return features
    }

    /// The next batch; pictures that are too many to go on are named before.
    private func nextBatch(of loader: BatchLoader) throws(DatasetError) -> LoadedBatch? {
        do {
            return try loader.next()
        } catch {
            var known = Set(folder.skippedLines())
            try? folder.note(loader.dataset.leftOut + loader.skipped, known: &known)
            throw error
        }
    }

    /// Trains the classifier.
    ///
    /// - Returns: the weights of the epoch that did best on the validation features; of the last where there are none.
    private func fit(
        _ training: Features, _ validation: Features, log: MetricsLog, progress: inout RunProgress
    ) throws -> [String: HostTensor] {
        let count = training.labels.count
        let batch = min(plan.batchSize, count)
        guard batch > 0 else {
            throw RunError(.nothingToEvaluate, "\(plan.settings.data): no picture can be read")
        }
        let step = try HeadStep(
            model: plan.architecture, recipe: plan.step.recipe, batch: batch,
            backend: plan.settings.device.backend)
        var state = try step.initialState(parameters: plan.start.parameters)
        var best: [String: HostTensor] = [:]
        while endReason(progress, seconds: seconds) == nil {
            let epoch = progress.step / plan.stepsPerEpoch
            let order = shuffled(count, epoch: epoch)
            var sums = IntervalSums()
            let began = clock.now
            for index in 0..<plan.stepsPerEpoch {
                if endReason(progress, seconds: seconds) != nil { break }
                try answerRequests()
                let rows = (0..<batch).map { order[(index * batch + $0) % count] }
                let rate = plan.learningRate(step: progress.step)
                let metrics = try step.run(
                    features: gather(training, rows), labels: rows.map { training.labels[$0] },
                    learningRate: rate, state: &state)
                sums.stepCount += 1
                sums.imageCount += batch
                sums.loss += metrics.loss
                sums.top1Count += metrics.top1Count
                sums.top5Count += metrics.top5Count
                sums.learningRate = rate
                progress.step += 1
            }
            guard sums.stepCount > 0 else { break }
            let images = Double(sums.imageCount)
            let took = (clock.now - began) / .seconds(1)
            try log.add(
                .train(
                    TrainingRecord(
                        step: progress.step, epoch: epoch, loss: sums.loss / Double(sums.stepCount),
                        top1: Double(sums.top1Count) / images,
                        top5: Double(sums.top5Count) / images, learningRate: sums.learningRate,
                        imagesPerSecond: took > 0 ? images / took : 0, seconds: seconds)))
            let isDue =
                (epoch + 1) % plan.settings.validationInterval == 0
                || endReason(progress, seconds: seconds) != nil
            guard isDue else { continue }
            let tensors = try state.tensors(named: ["fc.weight", "fc.bias"])
            if validation.labels.isEmpty {
                if tensors.values.allSatisfy({ $0.isFinite }) { best = tensors }
            } else if let score = try score(validation, tensors),
                progress.note(top1: score.top1, loss: score.loss)
            {
                best = tensors
            }
        }
        progress.updateCount = progress.step
        guard progress.step == 0 || !best.isEmpty else {
            throw RunError(
                .nonFiniteLoss,
                "step \(progress.step): the classifier's weights are no finite numbers; try a lower "
                    + "--lr")
        }
        return best
    }

    /// A new order of rows for each epoch.
    private func shuffled(_ count: Int, epoch: Int) -> [Int] {
        var random = RandomGenerator(seed: UInt64(plan.recipe.seed), stream: UInt64(epoch))
        return (0..<count).shuffled(using: &random)
    }

    private func gather(_ features: Features, _ rows: [Int]) -> HostTensor {
        let width = plan.architecture.featureCount
        var values: [Float] = []
        values.reserveCapacity(rows.count * width)
        for row in rows { values += features.rows[row * width..<(row + 1) * width] }
        return HostTensor(values, shape: [rows.count, width])
    }

    /// Accuracy and cross-entropy of a classifier on features, counted as `Evaluator` counts.
    ///
    /// - Returns: `nil` where logits are not finite.
    /// - Throws: `StopRequest`.
    private func score(
        _ features: Features, _ tensors: [String: HostTensor]
    ) throws -> (top1: Double, loss: Double)? {
        guard let weight = tensors["fc.weight"]?.floats(), let bias = tensors["fc.bias"]?.floats()
        else { return nil }
        let (width, classCount) = (plan.architecture.featureCount, plan.architecture.classCount)
        // Classes innermost, so that several of them take a feature at once.
        var columns = [Float](repeating: 0, count: width * classCount)
        for label in 0..<classCount {
            for index in 0..<width {
                columns[index * classCount + label] = weight[label * width + index]
            }
        }
        let count = features.labels.count
        var correctCount = 0
        var loss = CompensatedSum()
        for row in 0..<count {
            if row.isMultiple(of: 64) { try answerRequests() }
            var logits = [Float](repeating: 0, count: classCount)
            Self.addProducts(
                features.rows[row * width..<(row + 1) * width], columns, to: &logits)
            for label in 0..<classCount { logits[label] += bias[label] }
            guard logits.allSatisfy({ $0.isFinite }) else { return nil }
            let outcome = ClassScores(views: [logits[...]], temperature: 1)
                .outcome(label: features.labels[row])
            if outcome.rank == 0 { correctCount += 1 }
            loss.add(outcome.loss)
        }
        return (Double(correctCount) / Double(count), loss.value / Double(count))
    }

    /// Adds features times weights to logits.
    ///
    /// - Parameter columns: for each feature one weight a class.
    private static func addProducts(
        _ features: ArraySlice<Float>, _ columns: [Float], to logits: inout [Float]
    ) {
        let classCount = logits.count
        let weights = columns.span
        var sums = logits.mutableSpan
        var start = 0
        for feature in features {
            for label in 0..<classCount { sums[label] += feature * weights[start + label] }
            start += classCount
        }
    }
}
