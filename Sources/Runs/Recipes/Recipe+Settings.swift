import ResNetModel
import Training

/// One key of a recipe file.
public struct RecipeSetting: Sendable {
    /// The key.
    public let key: String
    /// What it says, in a few words.
    public let help: String
    let read: @Sendable (Recipe) -> String
    let write: @Sendable (inout Recipe, RecipeValue) throws(RecipeValueError) -> Void
}

/// What stands behind a key: a plain word or a list of them.
enum RecipeValue: Sendable, Hashable {
    case word(String)
    case list([String])

    var text: String {
        switch self {
        case .word(let word): word
        case .list(let words): "[\(words.joined(separator: ", "))]"
        }
    }
}

/// What was expected instead of a value.
struct RecipeValueError: Error {
    let expected: String
}

extension Recipe {
    /// All keys, in the order in which plans show them.
    public static let settings: [RecipeSetting] = [
        choice("depth", "layers", \.depth, Depth.allCases.map { ("\($0.rawValue)", $0) }),
        choice("variant", "where strides sit", \.variant, named(Variant.self)),
        choice(
            "initialisation", "how new weights are drawn", \.initialisation.distribution,
            [("kaiming-normal", .kaimingNormal), ("truncated-normal", .truncatedNormal)]),
        choice("fan", "what scales them", \.initialisation.fan, named(Initialisation.Fan.self)),
        flag(
            "zero_init_last", "blocks start as identities",
            \.initialisation.startsBlocksAtZero),
        number("epochs", "passes over the data", \.epochs, 0...100_000),
        batchSize,
        integer("accumulation", "parts of a batch", \.accumulation, 1...4096),
        number("learning_rate", "highest rate", \.learningRate, 0...1e30),
        integer(
            "learning_rate_batch", "for so many pictures a step; 0 for any",
            \.learningRateBatch, 0...1 << 20),
        choice("schedule", "how the rate falls", \.schedule, named(ScheduleKind.self)),
        choice(
            "schedule_interval", "when the rate changes", \.scheduleInterval,
            named(LearningRateSchedule.Interval.self)),
        number("schedule_epochs", "until when; 0 for all", \.scheduleEpochs, 0...100_000),
        number("end_learning_rate", "last rate", \.endLearningRate, 0...1e30),
        number("power", "exponent of polynomial", \.power, 0...100),
        number("decay_factor", "factor of step", \.decayFactor, 0...1),
        list("milestones", "epochs of step", \.milestones, 0...100, 0...100_000),
        number("warmup_epochs", "how long the rate rises", \.warmupEpochs, 0...100_000),
        choice(
            "warmup_start", "first rate: 0, or the first part", \.warmupStart,
            [("zero", .zero), ("first-part", .firstPart)]),
        number("warmup_share", "first rate as a share", \.warmupShare, 0...1),
        flag("decay_from_start", "the fall starts with training", \.decayStartsWithTraining),
        choice("optimizer", "how weights follow", \.optimizer, named(OptimizerKind.self)),
        number("momentum", "momentum", \.momentum, 0...0.999_999),
        flag("nesterov", "Nesterov's momentum", \.nesterov),
        choice("momentum_form", "whose formula", \.momentumForm, named(MomentumForm.self)),
        number("lars_coefficient", "coefficient of LARS", \.larsCoefficient, 1e-9...1e3),
        number("lars_epsilon", "epsilon of LARS", \.larsEpsilon, 0...1),
        number("weight_decay", "weight decay", \.weightDecay, 0...1e3),
        choice(
            "weight_decay_on", "which parameters decay", \.weightDecayGroup,
            [
                ("all", .all), ("filters-and-weight", .noneOnNormalizationAndBias),
                ("nvidia-names", .nvidiaByName), ("all-but-norms", .tensorFlow),
            ]),
        number("clip_norm", "largest norm of gradients; 0 for any", \.clipNorm, 0...1e9),
        number(
            "ema", "decay of the weights' average; 0 for none", \.averagingDecay, 0...0.999_999_999),
        flag("ema_gradual", "a shorter average at first", \.isAveragingGradual),
        flag("ema_after_warmup", "no average until the warm-up ends", \.averagesAfterWarmup),
        choice("freeze", "what stays as it is", \.frozen, named(FrozenPart.self)),
        number("label_smoothing", "label smoothing", \.labelSmoothing, 0...1),
        choice(
            "class_weights", "what classes count", \.classWeighting, named(ClassWeighting.self)),
        choice("precision", "computed in", \.precision, named(TrainingPrecision.self)),
        number("loss_scale", "with fp16", \.lossScale, 1...1e9),
        integer(
            "loss_scale_interval", "steps until it doubles; 0 for never", \.lossScaleInterval,
            0...1 << 30),
        number("norm_epsilon", "epsilon of batch norms", \.normalizationEpsilon, 1e-12...1),
        number("norm_momentum", "share of a new batch", \.normalizationMomentum, 0...1),
        choice(
            "norm_variance", "running variance", \.runningVariance,
            named(BatchNormalizationOptions.RunningVariance.self)),
        integer("image_size", "pixels a side", \.imageSize, 32...4096),
        choice("crop_method", "whose random crop", \.cropMethod, named(CropMethod.self)),
        list("crop_area", "random crop: area", \.cropArea, 2...2, 1e-4...1),
        list("crop_aspect", "random crop: aspect", \.cropAspect, 2...2, 0.01...100),
        number("flip", "mirrored", \.flip, 0...1),
        number("color_jitter", "colours changed by", \.colorJitter, 0...1),
        choice("auto_augment", "policy", \.augmentation, named(AugmentationKind.self)),
        number("random_erase", "erased", \.randomErase, 0...1),
        integer("repeats", "of a picture in a row", \.repeats, 1...64),
        number("mixup", "alpha of mix-up", \.mixUp, 0...100),
        number("cutmix", "alpha of cut-mix", \.cutMix, 0...100),
        integer("eval_resize", "short side in evaluation", \.evaluationResize, 1...4096),
        integer("eval_crop", "pixels a side in evaluation", \.evaluationCrop, 32...4096),
        flag("features_once", "trains the classifier on features", \.computesFeaturesOnce),
        integer("seed", "of all random numbers", \.seed, 0...Int.max),
    ]

    /// The value of each key, as recipe files write it.
    public var values: [(key: String, text: String)] {
        Self.settings.map { ($0.key, $0.read(self)) }
    }

    private static let batchSize = RecipeSetting(
        key: "batch_size", help: "pictures a step",
        read: { $0.batchSize.map(String.init) ?? "auto" },
        write: { recipe, value throws(RecipeValueError) in
            if value == .word("auto") {
                recipe.batchSize = nil
            } else {
                recipe.batchSize = try wholeNumber(value, 1...65_536, " or auto")
            }
        })

    private static func number(
        _ key: String, _ help: String, _ path: any WritableKeyPath<Recipe, Double> & Sendable,
        _ range: ClosedRange<Double>
    ) -> RecipeSetting {
        RecipeSetting(
            key: key, help: help, read: { shortText($0[keyPath: path]) },
            write: { recipe, value throws(RecipeValueError) in
                recipe[keyPath: path] = try realNumber(value, range)
            })
    }

    private static func integer(
        _ key: String, _ help: String, _ path: any WritableKeyPath<Recipe, Int> & Sendable,
        _ range: ClosedRange<Int>
    ) -> RecipeSetting {
        RecipeSetting(
            key: key, help: help, read: { String($0[keyPath: path]) },
            write: { recipe, value throws(RecipeValueError) in
                recipe[keyPath: path] = try wholeNumber(value, range)
            })
    }

    private static func flag(
        _ key: String, _ help: String, _ path: any WritableKeyPath<Recipe, Bool> & Sendable
    ) -> RecipeSetting {
        choice(key, help, path, [("true", true), ("false", false)])
    }

    private static func list(
        _ key: String, _ help: String, _ path: any WritableKeyPath<Recipe, [Double]> & Sendable,
        _ counts: ClosedRange<Int>, _ range: ClosedRange<Double>
    ) -> RecipeSetting {
        let size =
            counts.lowerBound == counts.upperBound
            ? "\(counts.lowerBound)" : "up to \(counts.upperBound)"
        let expected =
            "\(size) numbers of \(shortText(range.lowerBound)) to \(shortText(range.upperBound)), "
            + "none less than the one before"
        return RecipeSetting(
            key: key, help: help,
            read: { "[\($0[keyPath: path].map(shortText).joined(separator: ", "))]" },
            write: { recipe, value throws(RecipeValueError) in
                guard case .list(let words) = value, counts.contains(words.count) else {
                    throw RecipeValueError(expected: expected)
                }
                var numbers: [Double] = []
                for word in words {
                    guard let number = Double(word), range.contains(number),
                        number >= numbers.last ?? number
                    else { throw RecipeValueError(expected: expected) }
                    numbers.append(number)
                }
                recipe[keyPath: path] = numbers
            })
    }

    private static func choice<Value: Sendable & Equatable>(
        _ key: String, _ help: String, _ path: any WritableKeyPath<Recipe, Value> & Sendable,
        _ choices: [(name: String, value: Value)]
    ) -> RecipeSetting {
        RecipeSetting(
            key: key, help: help,
            read: { recipe in
                choices.first { $0.value == recipe[keyPath: path] }?.name ?? ""
            },
            write: { recipe, value throws(RecipeValueError) in
                guard let choice = choices.first(where: { .word($0.name) == value }) else {
                    throw RecipeValueError(
                        expected: choices.map(\.name).joined(separator: ", "))
                }
                recipe[keyPath: path] = choice.value
            })
    }

    private static func named<Value: RawRepresentable<String> & CaseIterable>(
        _ type: Value.Type
    ) -> [(name: String, value: Value)] {
        type.allCases.map { ($0.rawValue, $0) }
    }

    private static func realNumber(
        _ value: RecipeValue, _ range: ClosedRange<Double>
    ) throws(RecipeValueError) -> Double {
        guard case .word(let word) = value, let number = Double(word), range.contains(number) else {
            throw RecipeValueError(
                expected:
                    "a number of \(shortText(range.lowerBound)) to \(shortText(range.upperBound))")
        }
        return number
    }

    private static func wholeNumber(
        _ value: RecipeValue, _ range: ClosedRange<Int>, _ alternative: String = ""
    ) throws(RecipeValueError) -> Int {
        guard case .word(let word) = value, let number = Int(word), range.contains(number) else {
            throw RecipeValueError(
                expected:
                    "a whole number of \(range.lowerBound) to \(range.upperBound)\(alternative)")
        }
        return number
    }
}

/// A number without a needless `.0`.
func shortText(_ number: Double) -> String {
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
