import Graph
import ResNetModel
public import Training

extension Recipe {
    /// What a step does by this recipe.
    ///
    /// - Parameters:
    ///   - precision: what is computed in, once that is decided.
    ///   - classCounts: training pictures of each class.
    package func trainingRecipe(
        precision: TrainingRecipe.Precision, classCounts: [Int]
    ) -> TrainingRecipe {
        let rule: Optimizer =
            switch optimizer {
            case .sgd:
                .sgd(
                    momentum: momentum, nesterov: nesterov,
                    convention: momentumForm == .keras ? .keras : .pyTorch)
            case .lars:
                .lars(momentum: momentum, coefficient: larsCoefficient, epsilon: larsEpsilon)
            }
        var scaling = LossScaling.none
        if precision == .float16 {
            scaling =
                lossScaleInterval == 0
                ? .fixed(lossScale)
                : .dynamic(
                    initial: lossScale, rule: LossScaleRule(interval: lossScaleInterval))
        }
        return TrainingRecipe(
            optimizer: rule, weightDecay: weightDecay, weightDecayGroup: weightDecayGroup,
            labelSmoothing: labelSmoothing,
            classWeights: classWeighting.weights(counts: classCounts),
            targets: mixesPictures ? .distributions : .labels,
            gradientClipNorm: clipNorm > 0 ? clipNorm : nil, microBatchCount: accumulation,
            averaging: averagingDecay > 0
                ? WeightAveraging(decay: averagingDecay, isGradual: isAveragingGradual) : nil,
            lossScaling: scaling, precision: precision,
            normalization: BatchNormalizationOptions(
                epsilon: normalizationEpsilon, momentum: normalizationMomentum,
                runningVariance: runningVariance),
            frozen: frozen)
    }

    /// Whether a step makes the weights' average the weights themselves.
    ///
    /// Source: torchvision 0.28, references/classification, `train_one_epoch`: after each update within the warm-up's
    /// epochs it forgets that there were any, and the first of an average is a copy.
    ///
    /// - Parameter step: steps done before it.
    package func holdsAverage(step: Int, stepsPerEpoch: Int) -> Bool {
        guard averagesAfterWarmup else { return false }
        return step == 0 || Double((step - 1) / stepsPerEpoch) < warmupEpochs
    }

    /// Whether batches mix pictures, so that targets are shares of classes.
    var mixesPictures: Bool { mixUp > 0 || cutMix > 0 }

    /// The highest rate for so many pictures a step.
    public func peakLearningRate(batch: Int) -> Double {
        learningRateBatch == 0
            ? learningRate : learningRate * Double(batch) / Double(learningRateBatch)
    }

    /// The learning rate over time.
    ///
    /// - Throws: `TrainingError` with code `.invalidRecipe`.
    public func learningRateSchedule(batch: Int) throws(TrainingError) -> LearningRateSchedule {
        let decay: LearningRateSchedule.Decay =
            switch schedule {
            case .constant: .constant
            case .step:
                .step(factor: decayFactor, milestones: milestones.map { .epochs($0) })
            case .linear: .linear(end: endLearningRate)
            case .cosine: .cosine(end: endLearningRate)
            case .polynomial: .polynomial(power: power, end: endLearningRate)
            }
        return try LearningRateSchedule(
            peak: peakLearningRate(batch: batch),
            length: .epochs(scheduleEpochs > 0 ? scheduleEpochs : epochs),
            interval: scheduleInterval,
            warmup: LearningRateSchedule.Warmup(
                length: warmupEpochs > 0 ? .epochs(warmupEpochs) : .steps(0), start: warmupStart,
                firstShare: warmupShare,
                decayStartsWithTraining: decayStartsWithTraining),
            decay: decay)
    }
}
