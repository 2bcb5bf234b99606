import Graph
import Tensors

/// What a loss over classes reads, and the sums it is made of.
struct LossOperands<Scalar: ReferenceScalar> {
    private let logits: [Scalar]
    private let targets: [Scalar]
    private let hasLabels: Bool
    private let weights: [Scalar]?
    private let smoothing: Scalar
    private let images: Int
    private let classes: Int

    /// Operands: logits, targets, class weights if any, and whatever follows.
    init(_ attributes: CrossEntropy, _ operands: [Operand<Scalar>]) {
        logits = operands[0].values
        targets = operands[1].values
        hasLabels = operands[1].shape.rank == 1
        weights = attributes.hasWeights ? operands[2].values : nil
        smoothing = Scalar(attributes.smoothing)
        images = operands[0].shape[0]
        classes = operands[0].shape[1]
    }

    /// The mean loss; not-a-number where a label is outside the classes.
    func loss() -> Scalar {
        guard let count else { return .nan }
        var sum: Scalar = 0
        for image in 0..<images {
            let row = image * classes..<(image + 1) * classes
            let largest = logits[row].max() ?? 0
            var exponentials: Scalar = 0
            for index in row { exponentials += (logits[index] - largest).exponential }
            let shift = largest + exponentials.logarithm
            let shares = shares(image)
            for index in 0..<classes where shares[index] != 0 {
                sum -= shares[index] * (logits[row.lowerBound + index] - shift)
            }
        }
        return sum / count
    }

    /// The loss's gradient for the logits: of a row's shares `a`, `(Σ a * p - a) / count`.
    ///
    /// Where a label is outside the classes all of it is not-a-number, as the loss is.
    func gradient(times factor: Scalar) -> [Scalar] {
        guard let count else { return logits.map { _ in .nan } }
        var values = softmax(Operand(values: logits, shape: [images, classes]))
        for image in 0..<images {
            let shares = shares(image)
            let total = shares.reduce(0, +)
            for index in 0..<classes {
                let place = image * classes + index
                values[place] = (total * values[place] - shares[index]) / count * factor
            }
        }
        return values
    }

    /// What the sum over images is divided by; `nil` where a label is outside the classes.
    private var count: Scalar? {
        guard hasLabels else { return Scalar(images) }
        guard targets.allSatisfy({ $0 >= 0 && $0 < Scalar(classes) }) else { return nil }
        guard let weights else { return Scalar(images) }
        return targets.reduce(0) { $0 + weights[Int($1)] }
    }

    /// An image's smoothed targets, each times its class's weight.
    private func shares(_ image: Int) -> [Scalar] {
        (0..<classes).map { index in
            let target: Scalar =
                hasLabels
                ? (targets[image] == Scalar(index) ? 1 : 0) : targets[image * classes + index]
            let smoothed = (1 - smoothing) * target + smoothing / Scalar(classes)
            return smoothed * (weights?[index] ?? 1)
        }
    }
}

/// How many rows have their label among the `top` largest; of equal ones the earlier classes count as larger.
///
/// A label outside the classes, or whose logit is not a number, is not among them.
func correctCount<Scalar: ReferenceScalar>(
    top: Int, _ logits: Operand<Scalar>, labels: Operand<Scalar>
) -> Scalar {
    let classes = logits.shape[1]
    var count: Scalar = 0
    for (image, number) in labels.values.enumerated() {
        let label = Int(number)
        guard (0..<classes).contains(label) else { continue }
        let row = logits.values[image * classes..<(image + 1) * classes]
        let own = row[row.startIndex + label]
        if own.isNaN { continue }
        let larger = row.enumerated().count { index, value in
            // Not-a-number counts as larger than any number.
            value > own || value.isNaN || (value == own && index < label)
        }
        if larger < top { count += 1 }
    }
    return count
}
