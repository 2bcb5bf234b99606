import Execution
import Foundation
import ModelFormats
import ResNetModel
import Tensors
import Training

/// What PyTorch computed on real photos; `Scripts/training-parity` makes it, and tests are skipped without it.
enum ParityFixtures {
    /// Two or ten steps, as PyTorch took them.
    struct Steps: Decodable, Sendable {
        var rule: String
        var momentum: Double
        var weightDecay: Double
        var rates: [Double]
        var coefficient: Double?
        var epsilon: Double?

        /// Our recipe for them.
        var recipe: TrainingRecipe {
            var recipe = ParityFixtures.recipe(.float32)
            recipe.weightDecay = weightDecay
            if rule == "lars" {
                recipe.optimizer = .lars(
                    momentum: momentum, coefficient: coefficient ?? .nan, epsilon: epsilon ?? .nan)
                recipe.weightDecayGroup = .noneOnNormalizationAndBias
            } else {
                recipe.optimizer = .sgd(momentum: momentum, nesterov: rule == "nesterov")
            }
            return recipe
        }
    }

    /// How the files were made.
    struct Facts: Decodable, Sendable {
        var torch: String
        var labelSmoothing: Double
        var steps: Steps
        var optimizers: [String: Steps]
        /// How far PyTorch is from itself.
        var pytorchOwnNoise: Noise
    }

    /// Distances between two runs of PyTorch.
    struct Noise: Decodable, Sendable {
        /// float32 with channels innermost, the faster way, from float64.
        var channelsLast: Distance
        /// How many numbers, by type and layout, lie on another side of a ReLU than in float64.
        var sidesMoved: [String: Int]

        private enum CodingKeys: String, CodingKey {
            case channelsLast = "float32 to float64, channels last"
            case sidesMoved = "sides moved"
        }
    }

    /// How far gradients are, as a share of their norm.
    struct Distance: Decodable, Sendable {
        var gradientErrorMedian: Double
        var gradientErrorWorst: Double
    }

    /// Their folder: `RESNET_PARITY`, else `.build/parity`.
    static let folder: String = {
        let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return ProcessInfo.processInfo.environment["RESNET_PARITY"] ?? root + "/.build/parity"
    }()

    /// Whether PyTorch's part is complete.
    static var isAvailable: Bool { exists("facts.json") }

    static func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(name)")
    }

    static func facts() throws -> Facts {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = try Data(contentsOf: URL(filePath: folder + "/facts.json"))
        return try decoder.decode(Facts.self, from: data)
    }

    /// The tensors of a file.
    static func tensors(_ name: String) throws -> Parameters {
        let file = try WeightFile(contentsOf: "\(folder)/\(name).safetensors")
        return Dictionary(
            file.tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    }

    /// The photos and their classes.
    static func batch() throws -> TrainingBatch {
        let tensors = try tensors("batch")
        guard let images = tensors["images"], let labels = tensors["labels"] else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return TrainingBatch(
            images: images, targets: .labels(labels.elements(Int64.self).map { Int($0) }))
    }

    /// A step that leaves gradients as velocities, if its learning rate is 0.
    static func recipe(_ precision: TrainingRecipe.Precision) -> TrainingRecipe {
        TrainingRecipe(weightDecay: 0, labelSmoothing: 0.1, precision: precision)
    }

    /// The network of all files.
    static let model = ResNetArchitecture(depth: .resNet50, variant: .v1_5)
}
