import Graph
import ResNetModel

extension TrainingRecipe {
    /// NVIDIA's for PyTorch: momentum 0.875, weight decay 2^-15 by name, label smoothing 0.1.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, PyTorch ConvNets, `configs.yml`; in float16 its
    /// "static" loss scale of 128 is the first one of a `GradScaler` that grows after 100 steps.
    public static func nvidiaPyTorch(precision: Precision = .bfloat16) -> TrainingRecipe {
        TrainingRecipe(
            optimizer: .sgd(momentum: 0.875), weightDecay: 0x1p-15,
            weightDecayGroup: .nvidiaByName, labelSmoothing: 0.1,
            lossScaling: precision == .float16
                ? .dynamic(initial: 128, rule: LossScaleRule(interval: 100)) : .none,
            precision: precision)
    }

    /// NVIDIA's for TensorFlow: as for PyTorch, but all batch norms are exempt from weight decay.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, `resnet.py` and its scripts.
    public static func nvidiaTensorFlow(precision: Precision = .bfloat16) -> TrainingRecipe {
        TrainingRecipe(
            optimizer: .sgd(momentum: 0.875), weightDecay: 0x1p-15, weightDecayGroup: .tensorFlow,
            labelSmoothing: 0.1, lossScaling: precision == .float16 ? .fixed(128) : .none,
            precision: precision, normalization: .nvidiaTensorFlow)
    }

    /// torchvision's first recipe: momentum 0.9, weight decay 0.0001 on everything.
    ///
    /// Source: torchvision 0.28, `references/classification/train.py`, its defaults.
    public static func torchvision(precision: Precision = .float32) -> TrainingRecipe {
        TrainingRecipe(
            optimizer: .sgd(momentum: 0.9), weightDecay: 1e-4, weightDecayGroup: .all,
            lossScaling: precision == .float16 ? .dynamic() : .none, precision: precision)
    }

    /// MLPerf's LARS: weight decay 0.00005 on filters and the classifier's weight, label smoothing 0.1.
    ///
    /// Source: MLPerf Training v1.1 to v4.0, NVIDIA's ResNet-50.
    public static func mlPerf(precision: Precision = .bfloat16) -> TrainingRecipe {
        TrainingRecipe(
            optimizer: .lars(momentum: 0.9, coefficient: 0.001, epsilon: 0), weightDecay: 5e-5,
            weightDecayGroup: .noneOnNormalizationAndBias, labelSmoothing: 0.1,
            lossScaling: precision == .float16 ? .dynamic() : .none, precision: precision)
    }
}
