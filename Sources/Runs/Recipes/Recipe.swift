public import ResNetModel
public import Training

/// All that decides how a network is trained, beside the data and where weights come from.
///
/// A recipe is a YAML file with one key for each of `Recipe.settings`; the program holds those of `Recipe.names`.
public struct Recipe: Sendable, Hashable {
    /// What it is called: the name of a shipped one, or the path of a file.
    public var name = "custom"
    /// One line for people.
    public var description = ""
    /// Where its numbers come from.
    public var source = ""

    // Network
    /// The number of layers.
    public var depth = Depth.resNet50
    /// Where strides sit.
    public var variant = Variant.v1_5
    /// How the numbers of a new network are drawn.
    public var initialisation = Initialisation()

    // Length and rate
    /// Passes over the training pictures.
    public var epochs = 90.0
    /// Pictures a step; `nil` for as many as memory allows.
    public var batchSize: Int? = 256
    /// Into how many parts, computed one after the other, a batch is cut.
    public var accumulation = 1
    /// The highest learning rate.
    public var learningRate = 0.1
    /// For how many pictures a step `learningRate` is, others taking it in proportion; 0 where it is for any number.
    public var learningRateBatch = 256
    /// How the rate falls.
    public var schedule = ScheduleKind.cosine
    /// How often the rate changes.
    public var scheduleInterval = LearningRateSchedule.Interval.step
    /// Over how many epochs the rate falls, warm-up included; 0 for all.
    public var scheduleEpochs = 0.0
    /// The last rate of `linear`, `cosine` and `polynomial`.
    public var endLearningRate = 0.0
    /// The exponent of `polynomial`.
    public var power = 2.0
    /// What the rate is multiplied with at each milestone of `step`.
    public var decayFactor = 0.1
    /// The milestones of `step`, in epochs.
    public var milestones: [Double] = [30, 60]
    /// How long the rate rises, in epochs.
    public var warmupEpochs = 0.0
    /// How the rate starts.
    public var warmupStart = LearningRateSchedule.Warmup.Start.zero
    /// The first rate as a share of the highest.
    public var warmupShare = 0.0
    /// Whether the fall starts with training, hidden by the warm-up at first.
    public var decayStartsWithTraining = false

    // Optimizer
    /// How weights follow their gradients.
    public var optimizer = OptimizerKind.sgd
    /// The momentum.
    public var momentum = 0.9
    /// Whether the gradient is taken where the momentum leads.
    public var nesterov = false
    /// Whose formula of momentum.
    public var momentumForm = MomentumForm.pyTorch
    /// The coefficient of LARS.
    public var larsCoefficient = 0.001
    /// The epsilon of LARS.
    public var larsEpsilon = 0.0
    /// What is added to a gradient for each unit of its weight.
    public var weightDecay = 1e-4
    /// Which parameters decay.
    public var weightDecayGroup = WeightDecayGroup.all
    /// The norm of all gradients above which they are scaled down; 0 for none.
    public var clipNorm = 0.0
    /// What stays of the weights' slow average at a step; 0 for no average.
    public var averagingDecay = 0.0
    /// Whether that is less at first.
    public var isAveragingGradual = true
    /// Whether the average is the weights themselves until the warm-up is over.
    public var averagesAfterWarmup = false
    /// The part that stays as it is.
    public var frozen = FrozenPart.none

    // Loss and numbers
    /// The share of each target that is spread over all classes.
    public var labelSmoothing = 0.0
    /// What classes count in the loss.
    public var classWeighting = ClassWeighting.none
    /// What is computed in.
    public var precision = TrainingPrecision.auto
    /// The loss scale of float16; none with other types.
    public var lossScale = 65536.0
    /// After how many finite steps the loss scale doubles; 0 for never.
    public var lossScaleInterval = 2000
    /// The epsilon of batch norms.
    public var normalizationEpsilon = 1e-5
    /// The share of a new batch in running statistics.
    public var normalizationMomentum = 0.1
    /// Which variance goes into the running one.
    public var runningVariance = BatchNormalizationOptions.RunningVariance.unbiased

    // Pictures
    /// Pixels a side in training.
    public var imageSize = 224
    /// Whose random crop.
    public var cropMethod = CropMethod.torchvision
    /// The least and the largest share of a picture's area that a random crop takes.
    public var cropArea = [0.08, 1]
    /// The least and the largest aspect of a random crop.
    public var cropAspect = [0.75, 4.0 / 3]
    /// How often pictures are mirrored.
    public var flip = 0.5
    /// How much brightness, contrast and saturation change.
    public var colorJitter = 0.0
    /// A policy of stronger changes.
    public var augmentation = AugmentationKind.none
    /// How often a part is erased.
    public var randomErase = 0.0
    /// How often a picture comes in a row, an epoch being as long as ever: repeated augmentation.
    public var repeats = 1
    /// Alpha of mix-up; 0 for none.
    public var mixUp = 0.0
    /// Alpha of cut-mix; 0 for none.
    public var cutMix = 0.0
    /// The short side that pictures get for evaluation.
    public var evaluationResize = 256
    /// Pixels a side in evaluation.
    public var evaluationCrop = 224
    /// Whether only the classifier is trained, on features that are computed once.
    public var computesFeaturesOnce = false
    /// What all random numbers come from.
    public var seed = 42

    /// Makes one with torchvision's usual numbers.
    public init() {}
}

/// How a learning rate falls.
public enum ScheduleKind: String, Sendable, Hashable, CaseIterable {
    /// Not at all.
    case constant
    /// By a factor at milestones.
    case step
    /// In a line.
    case linear
    /// As half a cosine.
    case cosine
    /// As a power of what is left.
    case polynomial
}

/// How weights follow their gradients; see `Optimizer`.
public enum OptimizerKind: String, Sendable, Hashable, CaseIterable {
    /// Stochastic gradient descent with momentum.
    case sgd
    /// Layer-wise adaptive rates.
    case lars
}

/// Whose formula of momentum; see `MomentumRule.Convention`.
public enum MomentumForm: String, Sendable, Hashable, CaseIterable {
    /// The velocity is multiplied with the present rate.
    case pyTorch = "pytorch"
    /// The velocity remembers the rates of its time.
    case keras
}

/// What training computes in.
public enum TrainingPrecision: String, Sendable, Hashable, CaseIterable {
    /// bfloat16 where the device is faster with it, else float32.
    case auto
    /// float32.
    case fp32
    /// bfloat16, sums in float32.
    case bf16
    /// float16 with loss scaling, sums in float32.
    case fp16
}

/// Whose random crop.
public enum CropMethod: String, Sendable, Hashable, CaseIterable {
    /// torchvision's, with 10 tries.
    case torchvision
    /// NVIDIA DALI's: torchvision's with 100 tries.
    case dali
    /// TensorFlow's, with 100 tries.
    case tensorflow
}

/// A policy of changes to training pictures.
public enum AugmentationKind: String, Sendable, Hashable, CaseIterable {
    /// None.
    case none
    /// TrivialAugment, wide.
    case trivial
    /// AutoAugment's policy for ImageNet.
    case autoaugment
}
