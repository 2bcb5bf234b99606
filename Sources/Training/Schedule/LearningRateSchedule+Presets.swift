extension LearningRateSchedule {
    /// NVIDIA's for PyTorch: 0.256 for each 256 images a step, 8 epochs of warm-up, a cosine to 0, changed once an
    /// epoch.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, PyTorch ConvNets, `optimizers.py` and `configs.yml`.
    public static func nvidiaPyTorch(
        batch: Int, epochs: Int = 90, warmupEpochs: Int = 8
    ) -> LearningRateSchedule {
        LearningRateSchedule(
            trustedPeak: 0.256 * Double(batch) / 256, length: .epochs(Double(epochs)),
            interval: .epoch,
            warmup: Warmup(length: .epochs(Double(warmupEpochs)), start: .firstPart),
            decay: .cosine())
    }

    /// NVIDIA's for TensorFlow: 0.256 for each 256 images a step, linear from 0 over 8 epochs, and a cosine to 0
    /// that runs from the first step, so that the rate drops a little where the warm-up ends.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, `learning_rate.py`.
    public static func nvidiaTensorFlow(
        batch: Int, epochs: Int = 90, warmupEpochs: Int = 8
    ) -> LearningRateSchedule {
        LearningRateSchedule(
            trustedPeak: 0.256 * Double(batch) / 256, length: .epochs(Double(epochs)),
            interval: .step,
            warmup: Warmup(length: .epochs(Double(warmupEpochs)), decayStartsWithTraining: true),
            decay: .cosine())
    }

    /// torchvision's: 0.1 for each 256 images a step, a tenth after each 30 epochs.
    ///
    /// Source: torchvision 0.28, `references/classification/train.py`, its defaults of 8 processes with 32 images.
    public static func torchvision(batch: Int, epochs: Int = 90) -> LearningRateSchedule {
        LearningRateSchedule(
            trustedPeak: 0.1 * Double(batch) / 256, length: .epochs(Double(epochs)),
            interval: .epoch, warmup: Warmup(),
            decay: .step(
                factor: 0.1,
                milestones: stride(from: 30, to: epochs, by: 30).map { .epochs(Double($0)) }))
    }

    /// MLPerf's for LARS: linear from 0 over 2 epochs, then a square down to 0.0001.
    ///
    /// Source: MLPerf Training v1.1 to v4.0, NVIDIA's ResNet-50, which decays over 37 epochs and stops earlier. The
    /// reference implementation's decay is one step longer.
    ///
    /// - Parameter peak: 10.5 for 3264 images a step, 11 for 3200.
    public static func mlPerf(
        peak: Double, epochs: Int = 37, warmupEpochs: Int = 2
    ) throws(TrainingError) -> LearningRateSchedule {
        try LearningRateSchedule(
            peak: peak, length: .epochs(Double(epochs)), interval: .step,
            warmup: Warmup(length: .epochs(Double(warmupEpochs))),
            decay: .polynomial(power: 2, end: 0.0001))
    }
}
