import Devices
import Images
import Inference
import ResNetModel
import Tensors

/// A ResNet-18 of random weights with ten classes, for pictures of 32 pixels: the smallest there is.
enum TinyModel {
    static let architecture = ResNetArchitecture(depth: .resNet18, classCount: 10)
    static let parameters = architecture.initialParameters(seed: 11)

    static var options: Classifier.Options {
        get throws {
            var options = Classifier.Options()
            options.precision = .fp32
            options.transform = try EvaluationTransform(resize: 32, crop: 32)
            options.batchSize = 3
            options.topCount = 3
            options.threads = 2
            return options
        }
    }

    static func classifier(
        _ change: (inout Classifier.Options) -> Void = { _ in }
    ) async throws -> Classifier {
        var options = try options
        change(&options)
        return try await Classifier(
            model: LoadedModel(architecture: architecture, parameters: parameters),
            options: options)
    }

    /// A picture whose pixels the seed determines.
    static func picture(_ seed: UInt64, side: Int = 32) throws -> Image {
        var random = RandomGenerator(seed: seed, stream: 5)
        return try Image(
            width: side, height: side,
            pixels: (0..<side * side * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
}
