/// How the state beside a network's parameters is called.
enum StateNames {
    static func velocity(_ parameter: String) -> String { "velocity.\(parameter)" }
    static func average(_ parameter: String) -> String { "ema.\(parameter)" }
    static func gradient(_ parameter: String) -> String { "gradient.\(parameter)" }
    static let lossScale = "lossScale"
}

/// How a step's graphs call what they read and give.
enum StepNames {
    static let image = "image"
    static let targets = "targets"
    static let labels = "labels"
    static let learningRate = "learningRate"
    static let averageShare = "emaShare"
    /// 0 for the first micro-batch of a step, 1 for the others.
    static let isContinuing = "isContinuing"
    static let classWeights = "classWeights"

    static let loss = "loss"
    static let top1Count = "top1Count"
    static let top5Count = "top5Count"
    static let squaredGradientNorm = "squaredGradientNorm"
    static let isFinite = "isFinite"
    static let lossScale = "lossScale"
}
