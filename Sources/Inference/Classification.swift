public import Images

/// One class that an image may show.
public struct Prediction: Sendable, Hashable {
    /// The class's index in the model.
    public let index: Int
    /// What the class is called.
    public let label: String
    /// How likely it is, 0 to 1, after softmax over all classes, at the classifier's temperature.
    public let probability: Double
}

/// What was found in one image.
public struct Classification: Sendable {
    /// The likeliest classes, the likeliest first; equal ones in the order of their indices.
    public let top: [Prediction]
    /// The model's scores before softmax, one a class.
    public let logits: [Float]
    /// The width in pixels of the image as decoded and turned upright.
    public let width: Int
    /// Its height.
    public let height: Int
    /// The time spent on it: decoding, preparing, and its share of its batch's computation.
    public let milliseconds: Double
    /// What the model was shown: the image resized and cropped.
    public let picture: Image
    /// Where the likeliest class is seen, if that was asked for.
    public let activationMap: ActivationMap?
}

/// Turns scores into probabilities.
///
/// Precision: in float64, with the largest score taken off first.
///
/// - Parameters:
///   - logits: the scores.
///   - temperature: what they are divided by; above 0.
package func softmax(_ logits: [Float], temperature: Double = 1) -> [Double] {
    let largest = Double(logits.max() ?? 0)
    let powers = logits.map { exponential((Double($0) - largest) / temperature) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
}

/// The likeliest classes, the likeliest first.
package func topPredictions(
    _ logits: [Float], count: Int, names: ClassNames, temperature: Double = 1
) -> [Prediction] {
    let probabilities = softmax(logits, temperature: temperature)
    // Logits decide: two probabilities can both round to 0 while their logits differ.
    let order = logits.indices.sorted {
        logits[$0] == logits[$1] ? $0 < $1 : logits[$0] > logits[$1]
    }
    return order.prefix(max(0, count)).map { index in
        Prediction(
            index: index,
            label: index < names.names.count ? names.names[index] : "class \(index)",
            probability: probabilities[index])
    }
}
