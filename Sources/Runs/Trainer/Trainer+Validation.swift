import Datasets
import Images
import Inference
import ModelFormats
import ResNetModel
import Tensors
import Training

extension Trainer {
    /// Looks at the validation pictures, and keeps the weights where they are the best so far.
    ///
    /// Where there are averages of weights, they are what is looked at and kept. A request to stop ends it at once; the
    /// state says then that it is still to be done.
    func validate() throws {
        progress.isValidationPending = true
        let parameters =
            plan.step.recipe.averaging == nil
            ? try state.parameters() : try state.averagedParameters()
        try requireFinite(parameters)
        let result: EvaluationResult?
        do {
            result = try plan.evaluate(parameters) { [self] done, total in
                observer(.evaluating(done: done, total: total))
                try answerRequests()
            }
        } catch let error as InferenceError where error.code == .nonFinite {
            // Weights that are too large for logits came of the last steps.
            throw lastStepFailure
        }
        try judge(result, parameters)
        progress.isValidationPending = false
        progress.validatedStep = progress.step
    }

    private func judge(
        _ result: EvaluationResult?, _ parameters: [String: HostTensor]
    ) throws {
        guard let result else {
            // Without validation pictures the newest weights are the best.
            try folder.writeBest(parameters, plan: plan, progress: &progress)
            return
        }
        try noteSkips(validation: result.skipped)
        try plan.requireFewSkipped(result)
        let record = ValidationRecord(
            step: progress.step, epoch: progress.step / plan.stepsPerEpoch,
            loss: result.crossEntropy, top1: result.top1, top5: result.top5,
            macroF1: result.macroF1, ece: result.expectedCalibrationError, seconds: elapsed)
        try log.add(.validation(record))
        let isBest = progress.note(top1: result.top1, loss: result.crossEntropy)
        if isBest {
            evaluation = result
            try folder.writeBest(parameters, plan: plan, progress: &progress)
            try folder.write(try result.json(), to: folder.evaluation)
        }
        observer(.validation(record, isBest: isBest))
    }
}

extension RunProgress {
    /// Takes a validation's numbers.
    ///
    /// Patience is for accuracy: a lower loss at the same makes better weights, and waits no longer.
    ///
    /// - Returns: whether they are the best so far: the higher accuracy, else the lower loss.
    package mutating func note(top1: Double, loss: Double) -> Bool {
        let isMoreAccurate = bestTop1.map { top1 > $0 } ?? true
        let isBest =
            bestTop1.map { best in
                top1 > best || (top1 == best && loss < bestLoss ?? .greatestFiniteMagnitude)
            } ?? true
        if isBest {
            bestTop1 = top1
            bestLoss = loss.isFinite ? loss : nil
            bestStep = step
        }
        validationsSinceBest = isMoreAccurate ? 0 : validationsSinceBest + 1
        return isBest
    }
}

extension RunPlan {
    /// Measures a network by the validation pictures; `nil` where there are none.
    func evaluate(
        _ parameters: [String: HostTensor], progress: (Int, Int) throws -> Void
    ) throws -> EvaluationResult? {
        guard !split.validation.samples.isEmpty else { return nil }
        return try evaluator(parameters).evaluate(split.validation, progress: progress)
    }

    /// Refuses a measurement for which too many pictures could not be read.
    ///
    /// - Throws: `DatasetError` with code `.tooManyBad`.
    func requireFewSkipped(_ result: EvaluationResult) throws(DatasetError) {
        let (share, validation) = (settings.maximumBadShare, split.validation)
        guard Double(result.skipped.count) > share * Double(validation.samples.count) else {
            return
        }
        throw DatasetError(tooMany: result.skipped, in: validation, maximumShare: share)
    }

    /// What measures a network of these weights.
    func evaluator(_ parameters: [String: HostTensor]) throws -> Evaluator {
        try Evaluator(
            architecture: architecture, parameters: parameters, device: settings.device,
            precision: recipe.precision == .bf16 ? .bfloat16 : .float32,
            transform: try evaluationTransform(), batch: 32, workers: settings.workers)
    }

    /// How pictures are prepared outside training.
    func evaluationTransform() throws(ImageError) -> EvaluationTransform {
        try EvaluationTransform(resize: recipe.evaluationResize, crop: recipe.evaluationCrop)
    }

    /// After how many steps a line of metrics is written.
    var logInterval: Int {
        settings.logInterval ?? max(1, min(50, stepsPerEpoch / 10))
    }

    /// What weight files of the run say of themselves.
    func description(step: Int) -> [String: String] {
        var description = ModelDescription(
            classNames: split.training.classNames, transform: try? evaluationTransform()
        ).metadata
        description["architecture"] = "resnet\(architecture.depth.rawValue)"
        description.merge(architecture.metadata) { $1 }
        description["recipe"] = record.recipe.yaml
        description["data_digest"] = record.dataDigest
        description["step"] = String(step)
        description["epoch"] = String(step / stepsPerEpoch)
        return description
    }
}
