import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Training

/// ResNet-18 with four classes on small images of the reference back end: the smallest network that has all there is.
enum TinyTraining {
    static let model = ResNetArchitecture(depth: .resNet18, classCount: 4)
    static let parameters = model.initialParameters(seed: 7)

    /// Images of noise around a brightness of their own, labelled in turn.
    static func batch(
        count: Int = 2, imageSize: Int = 16, seed: UInt64 = 1
    ) -> TrainingBatch {
        var random = RandomGenerator(seed: seed, stream: 0)
        var pixels: [UInt8] = []
        for image in 0..<count {
            for _ in 0..<imageSize * imageSize * 3 {
                let pixel = random.nextUniform(in: 0..<128) + Double(image % 4) * 40
                pixels.append(UInt8(min(pixel, 255)))
            }
        }
        return TrainingBatch(
            images: HostTensor(pixels, shape: [count, imageSize, imageSize, 3]),
            targets: .labels((0..<count).map { $0 % 4 }))
    }

    static func step(
        _ recipe: TrainingRecipe, batch: Int = 2, imageSize: Int = 16, memoryLimit: Int? = nil,
        on backend: any Backend = ReferenceBackend(), replicas: Int = 1
    ) throws -> TrainingStep {
        try TrainingStep.compile(
            model: model, recipe: recipe, batch: batch, imageSize: imageSize, backend: backend,
            replicas: replicas, memoryLimit: memoryLimit)
    }

    /// The gradients at some parameters: what a first step without weight decay leaves as velocities.
    static func gradients(
        at parameters: Parameters, _ batch: TrainingBatch,
        normalization: BatchNormalizationOptions = BatchNormalizationOptions()
    ) throws -> Parameters {
        let shape = batch.images.shape
        let step = try step(
            TrainingRecipe(weightDecay: 0, normalization: normalization), batch: shape[0],
            imageSize: shape[1])
        var state = try step.initialState(parameters: parameters)
        _ = try step.run(batch, learningRate: 0, state: &state)
        let tensors = try state.tensors()
        var gradients: Parameters = [:]
        for parameter in model.parameterList where parameter.isTrained {
            gradients[parameter.name] = tensors["velocity.\(parameter.name)"]
        }
        return gradients
    }

    /// A few parameters of each role, small ones among them, for checks number by number.
    static let samples = [
        "conv1.weight", "bn1.weight", "bn1.bias", "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.weight", "layer4.1.bn2.bias", "fc.weight", "fc.bias",
    ]
}

extension [String: HostTensor] {
    /// The numbers of a tensor, none where there is no such tensor.
    func numbers(_ name: String) -> [Double] { self[name]?.doubles() ?? [] }
}

/// The largest difference, as a share of the largest number; infinite where the lengths differ or nothing is there.
func relativeDifference(_ found: [Double], _ expected: [Double]) -> Double {
    guard found.count == expected.count, !found.isEmpty else { return .infinity }
    var largest = 0.0
    var difference = 0.0
    for (found, expected) in zip(found, expected) {
        guard found.isFinite, expected.isFinite else { return .infinity }
        largest = max(largest, abs(expected))
        difference = max(difference, abs(found - expected))
    }
    return difference == 0 ? 0 : difference / largest
}
