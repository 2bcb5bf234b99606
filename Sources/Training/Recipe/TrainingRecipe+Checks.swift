import Graph
import ResNetModel

extension TrainingRecipe {
    /// Looks for numbers out of their range.
    ///
    /// - Throws: `TrainingError` with code `.invalidRecipe`, or `.classWeightCount`.
    func check(classCount: Int) throws(TrainingError) {
        try require(optimizer.momentum, "momentum") { $0 >= 0 && $0 < 1 }
        if case .lars(_, let coefficient, let epsilon) = optimizer {
            try require(coefficient, "coefficient of LARS") { $0 > 0 && $0.isFinite }
            try require(epsilon, "epsilon of LARS") { $0 >= 0 && $0.isFinite }
        }
        try require(weightDecay, "weight decay") { $0 >= 0 && $0.isFinite }
        try require(labelSmoothing, "label smoothing") { $0 >= 0 && $0 <= 1 }
        if let maximum = gradientClipNorm {
            try require(maximum, "gradient clip norm") { $0 > 0 && $0.isFinite }
        }
        if let decay = averaging?.decay {
            try require(decay, "decay of the weights' average") { $0 >= 0 && $0 < 1 }
        }
        guard (1...1 << 20).contains(microBatchCount) else {
            throw TrainingError(
                .invalidRecipe,
                "micro-batches: expected 1 to \(1 << 20) a step, found \(microBatchCount)")
        }
        try checkLossScaling()
        try require(normalization.epsilon, "epsilon of batch norms") { $0 > 0 && $0.isFinite }
        try require(normalization.momentum, "momentum of batch norms") { $0 >= 0 && $0 <= 1 }
        try checkClassWeights(classCount: classCount)
    }

    private func checkLossScaling() throws(TrainingError) {
        switch lossScaling {
        case .none: return
        case .fixed(let scale):
            try require(scale, "loss scale") { $0 > 0 && $0.isFinite }
        case .dynamic(let scale, let rule):
            try require(scale, "loss scale") { $0 > 0 && $0.isFinite }
            try require(rule.growth, "growth of the loss scale") { $0 >= 1 && $0.isFinite }
            try require(rule.backoff, "backoff of the loss scale") { $0 > 0 && $0 < 1 }
            try require(Double(rule.interval), "interval of the loss scale") { $0 >= 1 }
        }
    }

    private func checkClassWeights(classCount: Int) throws(TrainingError) {
        guard let classWeights else { return }
        guard classWeights.count == classCount else {
            throw TrainingError(
                .classWeightCount,
                "class weights: expected \(classCount), one a class, found \(classWeights.count)")
        }
        for (label, weight) in classWeights.enumerated() {
            try require(weight, "weight of class \(label)") { $0 >= 0 && $0.isFinite }
        }
        guard classWeights.contains(where: { $0 > 0 }) else {
            throw TrainingError(
                .invalidRecipe, "class weights: expected one above 0, found only zeros")
        }
    }

    private func require(
        _ value: Double, _ name: String, _ isInRange: (Double) -> Bool
    ) throws(TrainingError) {
        guard isInRange(value) else {
            throw TrainingError(.invalidRecipe, "\(name): \(value) is out of its range")
        }
    }
}
