import Execution
import Graph
import Tensors

/// What a loss over classes is made of.
private struct LossParts {
    /// In the type of sums, `[N, C]`.
    var logits: StableHLOValue
    /// Each image's smoothed targets, each times its class's weight; `[N, C]`.
    var shares: StableHLOValue
    /// What the sum over images is divided by; not-a-number where a label is outside the classes, which makes the
    /// loss and all of its gradient not-a-number.
    var count: StableHLOValue
}

extension ProgramLowering {
    /// The mean loss.
    mutating func crossEntropy(
        _ loss: CrossEntropy, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let parts = try lossParts(loss, node)
        let below = try belowLargest(parts.logits)
        let sums = try hlo.reduce(hlo.exponential(below), .add, over: [1])
        let logarithms = try hlo.subtract(
            below, alongRows(hlo.logarithm(sums), like: below))
        // A class without a share adds nothing, even where its probability is zero.
        let zero = try number(0, like: below)
        let terms = try hlo.select(
            hlo.compare(parts.shares, .notEqual, zero),
            hlo.multiply(parts.shares, logarithms), zero)
        let sum = try hlo.reduce(terms, .add, over: [0, 1])
        return try hlo.divide(hlo.subtract(number(0, like: sum), sum), parts.count)
    }

    /// The loss's gradient for the logits: of a row's shares `a`, `(Σ a * p - a) / count`.
    mutating func crossEntropyGradient(
        _ loss: CrossEntropy, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let parts = try lossParts(loss, node)
        let probabilities = try softmax(parts.logits)
        let totals = try hlo.reduce(parts.shares, .add, over: [1])
        let difference = try hlo.subtract(
            hlo.multiply(probabilities, alongRows(totals, like: probabilities)), parts.shares)
        let mean = try hlo.divide(
            difference, hlo.broadcast(parts.count, to: difference.shape))
        let factor = try stored(node.operands[loss.operandCount])
        return try narrowed(
            hlo.multiply(mean, hlo.broadcast(factor, to: mean.shape)), node)
    }

    private mutating func lossParts(
        _ loss: CrossEntropy, _ node: Node
    ) throws(ExecutionError) -> LossParts {
        let logits = try wide(node.operands[0])
        let targets = try stored(node.operands[1])
        let least = loss.smoothing / Double(logits.shape[1])
        var weights: StableHLOValue?
        if loss.hasWeights {
            weights = try alongChannels(stored(node.operands[2]), like: logits)
        }
        var shares: StableHLOValue
        var count = hlo.constant(Double(logits.shape[0]), logits.elementType)
        if targets.elementType == .int32 {
            let isLabel = try isLabel(targets, logits.shape)
            shares = try hlo.select(
                isLabel, number(1 - loss.smoothing + least, like: logits),
                number(least, like: logits))
            if let weights {
                let own = try hlo.select(isLabel, weights, number(0, like: logits))
                count = try hlo.reduce(own, .add, over: [0, 1])
            }
            count = try hlo.select(
                areInside(targets, classes: logits.shape[1]), count,
                hlo.constant(.nan, logits.elementType))
        } else {
            let given = hlo.convert(targets, to: logits.elementType)
            shares = try hlo.add(
                hlo.multiply(given, number(1 - loss.smoothing, like: given)),
                number(least, like: given))
        }
        if let weights { shares = try hlo.multiply(shares, weights) }
        return LossParts(logits: logits, shares: shares, count: count)
    }

    /// Whether each class of `[N, C]` is its row's label.
    private mutating func isLabel(
        _ labels: StableHLOValue, _ shape: Shape
    ) throws(ExecutionError) -> StableHLOValue {
        let classes = try hlo.places(.int32, shape, along: 1)
        return try hlo.compare(classes, .equal, alongRows(labels, like: classes))
    }

    /// Whether all labels are classes.
    private mutating func areInside(
        _ labels: StableHLOValue, classes: Int
    ) throws(ExecutionError) -> StableHLOValue {
        let isInside = try hlo.and(
            hlo.compare(labels, .atLeast, number(0, like: labels)),
            hlo.compare(labels, .less, number(Double(classes), like: labels)))
        return try hlo.reduce(isInside, .and, over: [0])
    }

    /// How many rows have their label among the `top` largest; of equal ones the earlier classes count as larger.
    ///
    /// A label outside the classes, or whose logit is not a number, is not among them. Not-a-number counts as larger
    /// than any number.
    mutating func correctCount(
        top: Int, _ node: Node
    ) throws(ExecutionError) -> StableHLOValue {
        let logits = try wide(node.operands[0])
        let labels = try stored(node.operands[1])
        let isLabel = try isLabel(labels, logits.shape)
        let marked = try hlo.select(isLabel, logits, number(-.infinity, like: logits))
        let own = try hlo.reduce(marked, .maximum, over: [1])
        let ownEverywhere = try alongRows(own, like: logits)
        let places = try hlo.places(.int32, logits.shape, along: 1)
        let isEarlier = try hlo.and(
            hlo.compare(logits, .equal, ownEverywhere),
            hlo.compare(places, .less, alongRows(labels, like: places)))
        let isLarger = try hlo.or(
            hlo.or(
                hlo.compare(logits, .greater, ownEverywhere),
                hlo.compare(logits, .notEqual, logits)), isEarlier)
        let larger = try hlo.reduce(
            hlo.convert(isLarger, to: .int32), .add, over: [1])
        let classes = try number(Double(logits.shape[1]), like: labels)
        let isCounted = try hlo.and(
            hlo.and(
                hlo.compare(labels, .atLeast, number(0, like: labels)),
                hlo.compare(labels, .less, classes)),
            hlo.and(
                hlo.compare(own, .equal, own),
                hlo.compare(larger, .less, number(Double(top), like: larger))))
        return try hlo.reduce(hlo.convert(isCounted, to: logits.elementType), .add, over: [0])
    }
}
