import Datasets
import Images

extension Recipe {
    /// What training pictures go through.
    ///
    /// - Throws: `ImageError` with code `.invalidArgument`.
    func trainingTransform() throws(ImageError) -> TrainingTransform {
        let policy: AugmentationPolicy =
            switch augmentation {
            case .none: .none
            case .trivial: .trivialAugmentWide
            case .autoaugment: .autoAugment
            }
        return try TrainingTransform(
            size: imageSize,
            crop: RandomCrop(
                method: cropMethod == .tensorflow ? .tensorflow : .torchvision,
                area: cropArea[0]...cropArea[1], aspect: cropAspect[0]...cropAspect[1],
                tries: cropMethod == .torchvision ? 10 : 100),
            flipProbability: flip,
            jitter: colorJitter > 0
                ? ColorJitter(
                    brightness: colorJitter, contrast: colorJitter, saturation: colorJitter) : nil,
            policy: policy,
            erasing: randomErase > 0 ? RandomErasing(probability: randomErase) : nil)
    }

    /// How pictures of a batch are mixed, if they are.
    var batchMixing: BatchMixing? {
        mixesPictures ? BatchMixing(mixUpAlpha: mixUp, cutMixAlpha: cutMix) : nil
    }
}
