public import Datasets

/// What a network makes of labelled pictures.
///
/// As JSON it is the run folder's `evaluation.json` and what `resnet eval --format json` prints; keys are in
/// snake case.
public struct EvaluationResult: Codable, Sendable, Hashable {
    /// What the data set is called.
    public var dataset: String
    /// What the classes are called, by index.
    public var classNames: [String]
    /// How many pictures were looked at.
    public var sampleCount: Int
    /// Those that could not be read; no other number has them in it.
    public var skipped: [SkippedSample]
    /// How many were named rightly.
    public var top1Count: Int
    /// How many have their class among the likeliest five.
    public var top5Count: Int
    /// The share of `top1Count`.
    public var top1: Double
    /// The share of `top5Count`.
    public var top5: Double
    /// What `top1` may be of all such pictures, with a confidence of 95 %.
    public var accuracyInterval: ConfidenceInterval
    /// The mean of minus the logarithm of the probability given to the right class.
    public var crossEntropy: Double
    /// The mean over the classes that have samples of their F1.
    ///
    /// Where every class has samples it is scikit-learn's `f1_score(average="macro")`.
    public var macroF1: Double
    /// How far confidence is from accuracy: the mean distance over bins of equal width, by their counts.
    ///
    /// Source: Guo et al. 2017, "On calibration of modern neural networks", section 2, with 15 bins.
    public var expectedCalibrationError: Double
    /// The bins of confidence, from 0 to 1.
    public var reliability: [ReliabilityBin]
    /// What was taken for what.
    public var confusion: ConfusionMatrix
    /// The classes that have samples or were named, by index.
    public var classes: [ClassMetrics]
    /// The pairs of classes confused most often, the most frequent first; at most twenty.
    public var mostConfused: [ConfusedPair]
    /// The pictures with the largest losses, the largest first; at most 24.
    public var worst: [WorstSample]
    /// What logits were divided by before softmax.
    public var temperature: Double
    /// How views of a picture were averaged.
    public var testTimeAugmentation: TestTimeAugmentation
    /// How long it took.
    public var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case dataset
        case classNames = "class_names"
        case sampleCount = "sample_count"
        case skipped
        case top1Count = "top1_count"
        case top5Count = "top5_count"
        case top1
        case top5
        case accuracyInterval = "accuracy_interval"
        case crossEntropy = "cross_entropy"
        case macroF1 = "macro_f1"
        case expectedCalibrationError = "ece"
        case reliability
        case confusion
        case classes
        case mostConfused = "most_confused"
        case worst
        case temperature
        case testTimeAugmentation = "tta"
        case seconds
    }
}

extension EvaluationResult {
    /// Numbers between which a share lies.
    public struct ConfidenceInterval: Codable, Sendable, Hashable {
        /// The lower end, at least 0.
        public var lower: Double
        /// The upper end, at most 1.
        public var upper: Double

        /// Wilson's score interval for a share that was counted, with a confidence of 95 %.
        ///
        /// Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
        ///
        /// - Precondition: `count` is in 0...`total`; of nothing the interval is 0 to 1.
        public init(count: Int, of total: Int) {
            precondition(count >= 0 && count <= total)
            guard total > 0 else {
                (lower, upper) = (0, 1)
                return
            }
            let z = 1.959_963_984_540_054
            let n = Double(total)
            let share = Double(count) / n
            let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
            let half =
                z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
            lower = count == 0 ? 0 : max(0, middle - half)
            upper = count == total ? 1 : min(1, middle + half)
        }
    }

    /// Predictions whose confidence lies in one range.
    public struct ReliabilityBin: Codable, Sendable, Hashable {
        /// Above this, or, in the first bin, from it.
        public var lower: Double
        /// Up to this.
        public var upper: Double
        /// How many there are.
        public var count: Int
        /// Their mean confidence; 0 where there are none.
        public var confidence: Double
        /// The share of them that is right; 0 where there are none.
        public var accuracy: Double
    }

    /// One class's numbers.
    public struct ClassMetrics: Codable, Sendable, Hashable {
        /// Its index.
        public var index: Int
        /// What it is called.
        public var name: String
        /// How many samples it has.
        public var count: Int
        /// For how many samples, of any class, it was named.
        public var predictedCount: Int
        /// How many were named rightly.
        public var correctCount: Int
        /// The share of those named so that are; `nil` where none was.
        public var precision: Double?
        /// The share of its samples that were named so; `nil` where it has none.
        public var recall: Double?
        /// The harmonic mean of precision and recall, 0 where nothing is right.
        public var f1: Double

        private enum CodingKeys: String, CodingKey {
            case index
            case name
            case count
            case predictedCount = "predicted_count"
            case correctCount = "correct_count"
            case precision
            case recall
            case f1
        }
    }

    /// Samples of one class that were taken for another.
    public struct ConfusedPair: Codable, Sendable, Hashable {
        /// What they are.
        public var label: Int
        /// What they were taken for.
        public var predicted: Int
        /// How many there are.
        public var count: Int
        /// Their share of the class's samples.
        public var share: Double
    }

    /// A picture that the network got most wrong.
    public struct WorstSample: Codable, Sendable, Hashable {
        /// What reports call it.
        public var name: String
        /// Its position in the data set's samples.
        public var position: Int
        /// What it is.
        public var label: Int
        /// The likeliest class.
        public var predicted: Int
        /// Minus the logarithm of `probability`.
        public var loss: Double
        /// How likely the right class was found.
        public var probability: Double
        /// How likely the likeliest class was found.
        public var confidence: Double
    }
}
