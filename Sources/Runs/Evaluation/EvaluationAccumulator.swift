package import Datasets

/// Counts what a network makes of pictures, one after the other; keeps no logits.
///
/// Precision: float64 throughout, from float32 logits.
package struct EvaluationAccumulator {
    static let binCount = 15
    static let worstCount = 24
    static let pairCount = 20

    private struct Bin {
        var count = 0
        var correctCount = 0
        var confidenceSum = 0.0
    }

    private let dataset: String
    private let classNames: [String]
    private let temperature: Double
    private(set) var sampleCount = 0
    private var top1Count = 0
    private var top5Count = 0
    private var lossSum = CompensatedSum()
    private var bins = [Bin](repeating: Bin(), count: Self.binCount)
    private var confusion: ConfusionMatrix
    private var worst: [EvaluationResult.WorstSample] = []

    /// Starts with nothing counted.
    ///
    /// - Parameters:
    ///   - dataset: what the data set is called.
    ///   - classNames: what the classes are called; at least one.
    ///   - temperature: what logits are divided by; above 0.
    package init(dataset: String, classNames: [String], temperature: Double) {
        self.dataset = dataset
        self.classNames = classNames
        self.temperature = temperature
        confusion = ConfusionMatrix(classCount: classNames.count)
    }

    /// Counts a sample.
    ///
    /// - Parameters:
    ///   - views: for each view of the picture its logits, one a class, all finite.
    ///   - label: the right class.
    ///   - name: what the sample is called.
    ///   - position: where it stands in the data set.
    ///   - temperature: what its logits are divided by; that of all where `nil`.
    package mutating func add(
        views: [ArraySlice<Float>], label: Int, name: String, position: Int,
        temperature: Double? = nil
    ) {
        let outcome = ClassScores(views: views, temperature: temperature ?? self.temperature)
            .outcome(label: label)
        sampleCount += 1
        if outcome.rank == 0 { top1Count += 1 }
        if outcome.rank < 5 { top5Count += 1 }
        lossSum.add(outcome.loss)
        confusion.add(label: label, predicted: outcome.predicted)
        let bin = Self.bin(of: outcome.confidence)
        bins[bin].count += 1
        bins[bin].confidenceSum += outcome.confidence
        if outcome.rank == 0 { bins[bin].correctCount += 1 }
        keepIfBad(
            EvaluationResult.WorstSample(
                name: name, position: position, label: label, predicted: outcome.predicted,
                loss: outcome.loss, probability: exponential(-outcome.loss),
                confidence: outcome.confidence))
    }

    /// The bin of a confidence: each is open below and closed above; 0 is in the first and 1 in the last.
    static func bin(of confidence: Double) -> Int {
        let place = (confidence * Double(binCount)).rounded(.up) - 1
        return max(0, min(binCount - 1, Int(place)))
    }

    /// Equal losses stand in the order of their positions, so that the result depends on no order of batches.
    private mutating func keepIfBad(_ sample: EvaluationResult.WorstSample) {
        func precedes(
            _ first: EvaluationResult.WorstSample, _ second: EvaluationResult.WorstSample
        ) -> Bool {
            first.loss == second.loss
                ? first.position < second.position : first.loss > second.loss
        }
        if worst.count == Self.worstCount {
            guard precedes(sample, worst[worst.count - 1]) else { return }
            worst.removeLast()
        }
        let place = worst.firstIndex { precedes(sample, $0) } ?? worst.count
        worst.insert(sample, at: place)
    }

    /// The numbers of all samples that were counted.
    ///
    /// - Parameters:
    ///   - skipped: samples that could not be counted.
    ///   - testTimeAugmentation: which views were averaged.
    ///   - seconds: how long it took.
    package func result(
        skipped: [SkippedSample], testTimeAugmentation: TestTimeAugmentation, seconds: Double
    ) -> EvaluationResult {
        let total = Double(max(1, sampleCount))
        let classes = classMetrics()
        let own = classes.filter { $0.count > 0 }
        let gaps = bins.map { bin in
            abs(bin.confidenceSum - Double(bin.correctCount))
        }
        return EvaluationResult(
            dataset: dataset, classNames: classNames, sampleCount: sampleCount, skipped: skipped,
            top1Count: top1Count, top5Count: top5Count, top1: Double(top1Count) / total,
            top5: Double(top5Count) / total,
            accuracyInterval: .init(count: top1Count, of: sampleCount),
            crossEntropy: lossSum.value / total,
            macroF1: own.reduce(0) { $0 + $1.f1 } / Double(max(1, own.count)),
            expectedCalibrationError: gaps.reduce(0, +) / total, reliability: reliability(),
            confusion: confusion, classes: classes, mostConfused: mostConfused(), worst: worst,
            temperature: temperature, testTimeAugmentation: testTimeAugmentation,
            seconds: seconds)
    }

    private func reliability() -> [EvaluationResult.ReliabilityBin] {
        bins.enumerated().map { index, bin in
            let count = Double(max(1, bin.count))
            return EvaluationResult.ReliabilityBin(
                lower: Double(index) / Double(Self.binCount),
                upper: Double(index + 1) / Double(Self.binCount), count: bin.count,
                confidence: bin.confidenceSum / count, accuracy: Double(bin.correctCount) / count)
        }
    }

    private func classMetrics() -> [EvaluationResult.ClassMetrics] {
        let (counts, predictedCounts) = (confusion.labelCounts, confusion.predictedCounts)
        return classNames.indices.compactMap { index in
            let (count, predicted) = (counts[index], predictedCounts[index])
            guard count + predicted > 0 else { return nil }
            let correct = confusion[index, index]
            return EvaluationResult.ClassMetrics(
                index: index, name: classNames[index], count: count, predictedCount: predicted,
                correctCount: correct,
                precision: predicted > 0 ? Double(correct) / Double(predicted) : nil,
                recall: count > 0 ? Double(correct) / Double(count) : nil,
                f1: 2 * Double(correct) / Double(count + predicted))
        }
    }

    private func mostConfused() -> [EvaluationResult.ConfusedPair] {
        let counts = confusion.labelCounts
        let pairs = confusion.entries.filter { $0.label != $0.predicted }
            .sorted {
                ($1.count, $0.label, $0.predicted) < ($0.count, $1.label, $1.predicted)
            }
        return pairs.prefix(Self.pairCount).map { entry in
            EvaluationResult.ConfusedPair(
                label: entry.label, predicted: entry.predicted, count: entry.count,
                share: Double(entry.count) / Double(counts[entry.label]))
        }
    }
}

/// A sum that keeps what rounding takes away from each addition.
///
/// Source: Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen".
struct CompensatedSum {
    private var sum = 0.0
    private var lost = 0.0

    /// Adds a number.
    mutating func add(_ value: Double) {
        let next = sum + value
        lost += abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum
        sum = next
    }

    /// The sum.
    var value: Double { sum + lost }
}
