import ArgumentParser
import Runs

/// The flags of `resnet train` that change a recipe, by timm's names where it has them.
struct RecipeOptions: ParsableArguments {
    @Option(
        name: [.customShort("b"), .long],
        help: ArgumentHelp(
            "Pictures a step, or auto for as many as memory allows.", valueName: "n|auto"))
    var batchSize: String?

    @Option(help: "Passes over the training pictures.")
    var epochs: String?

    @Option(
        help: ArgumentHelp("The highest learning rate, for this batch size.", valueName: "rate"))
    var lr: String?

    @Option(help: ArgumentHelp("The optimizer.", valueName: "sgd|lars"))
    var opt: String?

    @Option(help: "The momentum.")
    var momentum: String?

    @Option(
        help: ArgumentHelp(
            "How the rate falls.", valueName: "cosine|step|linear|polynomial|constant"))
    var sched: String?

    @Option(help: "Epochs in which the rate rises.")
    var warmupEpochs: String?

    @Option(help: "Weight decay.")
    var weightDecay: String?

    @Option(help: ArgumentHelp("Label smoothing.", valueName: "share"))
    var smoothing: String?

    @Option(help: ArgumentHelp("Mix-up; 0 for none.", valueName: "alpha"))
    var mixup: String?

    @Option(help: ArgumentHelp("Cut-mix; 0 for none.", valueName: "alpha"))
    var cutmix: String?

    @Option(
        help: ArgumentHelp(
            "A policy of changes to pictures.", valueName: "none|trivial|autoaugment"))
    var aa: String?

    @Option(help: ArgumentHelp("How often a part of a picture is erased.", valueName: "share"))
    var reprob: String?

    @Option(help: ArgumentHelp("A slow average of the weights; 0 for none.", valueName: "decay"))
    var modelEma: String?

    @Option(help: ArgumentHelp("The largest norm of all gradients; 0 for any.", valueName: "norm"))
    var clipGrad: String?

    @Option(help: "Parts of a batch, computed one after the other.")
    var gradAccumSteps: String?

    @Option(help: ArgumentHelp("Pixels a side, in training and evaluation.", valueName: "pixels"))
    var imgSize: Int?

    @Option(
        help: ArgumentHelp(
            "The share of the short side that evaluation looks at.", valueName: "share"))
    var cropPct: Double?

    @Option(help: ArgumentHelp("What stays as it is.", valueName: "none|stem|all-but-head|bn"))
    var freeze: String?

    @Option(
        help: ArgumentHelp(
            "What classes count in the loss.", valueName: "none|auto|inverse|effective"))
    var classWeights: String?

    @Option(help: "What all random numbers come from.")
    var seed: String?

    @Option(
        help: ArgumentHelp(
            "Any other key of a recipe, as in --set norm_momentum=0.05; may be repeated.",
            valueName: "key=value"))
    var set: [String] = []

    /// Changes a recipe by what was given.
    func apply(to recipe: inout Recipe) throws {
        let flags: [(flag: String, key: String, value: String?)] = [
            ("--batch-size", "batch_size", batchSize), ("--epochs", "epochs", epochs),
            ("--opt", "optimizer", opt), ("--momentum", "momentum", momentum),
            ("--sched", "schedule", sched), ("--warmup-epochs", "warmup_epochs", warmupEpochs),
            ("--weight-decay", "weight_decay", weightDecay),
            ("--smoothing", "label_smoothing", smoothing), ("--mixup", "mixup", mixup),
            ("--cutmix", "cutmix", cutmix), ("--aa", "auto_augment", aa),
            ("--reprob", "random_erase", reprob), ("--model-ema", "ema", modelEma),
            ("--clip-grad", "clip_norm", clipGrad),
            ("--grad-accum-steps", "accumulation", gradAccumSteps), ("--freeze", "freeze", freeze),
            ("--class-weights", "class_weights", classWeights), ("--seed", "seed", seed),
        ]
        for (flag, key, value) in flags {
            if let value { try recipe.set(key, value, place: flag) }
        }
        if let lr {
            try recipe.set("learning_rate", lr, place: "--lr")
            recipe.learningRateBatch = 0
        }
        if let imgSize {
            try recipe.set("image_size", "\(imgSize)", place: "--img-size")
            let share = Double(recipe.evaluationCrop) / Double(recipe.evaluationResize)
            try recipe.set("eval_crop", "\(imgSize)", place: "--img-size")
            let resize = (Double(imgSize) / share).rounded()
            try recipe.set("eval_resize", "\(Int(resize))", place: "--img-size")
        }
        if let cropPct {
            guard cropPct > 0.05, cropPct <= 1 else {
                throw ValidationError("--crop-pct: expected a share of 0.05 to 1, found \(cropPct)")
            }
            let resize = (Double(recipe.evaluationCrop) / cropPct).rounded()
            try recipe.set("eval_resize", "\(Int(resize))", place: "--crop-pct")
        }
        for text in set {
            guard let mark = text.firstIndex(of: "=") else {
                throw ValidationError("--set: expected key=value, found \(text)")
            }
            try recipe.set(
                String(text[..<mark]), String(text[text.index(after: mark)...]), place: "--set")
        }
    }
}

/// A time span as users write it: `90`, `90s`, `15m`, `2h`.
struct TimeSpan: ExpressibleByArgument, Sendable, Hashable {
    /// Seconds, above 0.
    let seconds: Double

    /// Reads a span; `nil` where it is none.
    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument : String(argument.dropLast())
        guard let number = Double(digits), number > 0, number * (unit ?? 1) < 1e9 else {
            return nil
        }
        seconds = number * (unit ?? 1)
    }
}
