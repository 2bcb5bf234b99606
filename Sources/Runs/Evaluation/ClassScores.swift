/// How likely each class of one picture is.
struct ClassScores {
    /// What became of a picture whose class is known.
    struct Outcome {
        /// The likeliest class; of equal ones the first.
        var predicted: Int
        /// How many classes stand before the right one, by likelihood, then by index.
        var rank: Int
        /// Minus the logarithm of the right class's probability.
        var loss: Double
        /// The likeliest class's probability.
        var confidence: Double
    }

    /// What classes are ordered by; logits themselves where there is one view, as two logits that differ may
    /// have probabilities that do not.
    private let order: [Double]
    /// The logarithms of the probabilities.
    private let logProbabilities: [Double]

    /// Averages the probabilities of all views.
    ///
    /// - Parameters:
    ///   - views: for each view its logits; at least one view, all with as many classes.
    ///   - temperature: what logits are divided by.
    init(views: [ArraySlice<Float>], temperature: Double) {
        precondition(!views.isEmpty && temperature > 0)
        let logs = views.map { Self.logSoftmax($0, temperature: temperature) }
        guard views.count > 1 else {
            order = views[0].map { Double($0) }
            logProbabilities = logs[0]
            return
        }
        let share = logarithm(Double(views.count))
        // The logarithm of the mean of probabilities, which one by one may be too small for a number.
        logProbabilities = logs[0].indices.map { index in
            let largest = logs.reduce(-Double.infinity) { max($0, $1[index]) }
            let sum = logs.reduce(0) { $0 + exponential($1[index] - largest) }
            return largest + logarithm(sum) - share
        }
        order = logProbabilities
    }

    private static func logSoftmax(
        _ logits: ArraySlice<Float>, temperature: Double
    ) -> [Double] {
        let scaled = logits.map { Double($0) / temperature }
        let largest = scaled.reduce(-Double.infinity) { max($0, $1) }
        let sum = scaled.reduce(0) { $0 + exponential($1 - largest) }
        let shift = largest + logarithm(sum)
        return scaled.map { $0 - shift }
    }

    /// What became of the picture.
    func outcome(label: Int) -> Outcome {
        let own = order[label]
        var (rank, predicted) = (0, 0)
        for (index, value) in order.enumerated() {
            if value > own || value == own && index < label { rank += 1 }
            if value > order[predicted] { predicted = index }
        }
        return Outcome(
            predicted: predicted, rank: rank, loss: max(0, -logProbabilities[label]),
            confidence: min(1, exponential(logProbabilities[predicted])))
    }
}
