import Datasets
import FoundationEssentials
import Runs
import Tensors
import Testing

@Suite("Metrics of an evaluation")
struct EvaluationMetricsTests {
    /// Logits whose softmax is exactly these probabilities, but for rounding.
    private func result(
        _ probabilities: [[Double]], labels: [Int], temperature: Double = 1
    ) -> EvaluationResult {
        let names = probabilities[0].indices.map { "c\($0)" }
        let logits = probabilities.map { row in row.map { Float(naturalLogarithm($0)) } }
        return evaluationResult(
            logits: logits, labels: labels, classNames: names, temperature: temperature)
    }

    @Test("are those computed by hand for four samples of three classes")
    func handComputed() {
        let result = result(
            [[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]],
            labels: [0, 1, 1, 2])
        #expect(result.sampleCount == 4)
        #expect(result.top1Count == 3)
        #expect(result.top1 == 0.75)
        #expect(result.top5Count == 4)
        // -(ln 0.7 + ln 0.3 + ln 0.5 + ln 0.8) / 4; logits are rounded to float32.
        #expect(abs(result.crossEntropy - 0.6192345) < 1e-6)
        // F1: class 0 has 1 of 2 named and 1 of 1 found, class 1 the reverse, class 2 is all right.
        #expect(abs(result.macroF1 - (2.0 / 3 + 2.0 / 3 + 1) / 3) < 1e-12)
        // Bins of a fifteenth: 0.5, 0.6, 0.7 and 0.8 stand alone.
        let gaps = [0.5, 0.6, 0.3, 0.2]
        #expect(abs(result.expectedCalibrationError - gaps.reduce(0, +) / 4) < 1e-6)
        #expect(result.confusion[1, 0] == 1)
        #expect(result.confusion[0, 1] == 0)
        let pairs = result.mostConfused
        #expect(pairs.count == 1)
        #expect(pairs[0].label == 1)
        #expect(pairs[0].predicted == 0)
        #expect(pairs[0].share == 0.5)
        let worst = result.worst.map { $0.position }
        #expect(worst == [1, 2, 0, 3])
        #expect(result.worst[0].confidence > 0.59)
    }

    @Test("equal a plain reference on random logits", arguments: [1, 2, 3] as [UInt64])
    func agreesWithReference(seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        let (count, classCount) = (300, 7)
        let logits = (0..<count).map { _ in
            (0..<classCount).map { _ in Float(Int(random.next() % 2000)) / 250 - 4 }
        }
        let labels = (0..<count).map { _ in Int(random.next() % UInt64(classCount)) }
        let reference = ReferenceMetrics(logits: logits, labels: labels, classCount: classCount)
        let result = evaluationResult(
            logits: logits, labels: labels, classNames: (0..<classCount).map { "c\($0)" })
        #expect(result.top1 == reference.top1)
        #expect(result.top5 == reference.top5)
        #expect(abs(result.crossEntropy - reference.crossEntropy) < 1e-12)
        #expect(abs(result.macroF1 - reference.macroF1) < 1e-12)
        #expect(abs(result.expectedCalibrationError - reference.calibrationError) < 1e-12)
        let precision = result.classes.map { $0.precision ?? -1 }
        #expect(precision == reference.precision)
        let recall = result.classes.map { $0.recall ?? -1 }
        #expect(recall == reference.recall)
        let confusion = (0..<classCount).map { row in
            (0..<classCount).map { result.confusion[row, $0] }
        }
        #expect(confusion == reference.confusion)
        let losses = result.worst.map { $0.loss }
        #expect(losses == Array(reference.losses.sorted(by: >).prefix(24)))
    }

    @Test("put a confidence of exactly 1 into the last bin, and of a bin's edge below it")
    func edgesOfBins() {
        let certain = evaluationResult(
            logits: [[1000, 0], [0, 1000], [0, 1000]], labels: [0, 1, 0], classNames: ["a", "b"])
        #expect(certain.reliability[14].count == 3)
        #expect(certain.reliability[14].confidence == 1)
        #expect(abs(certain.expectedCalibrationError - 1.0 / 3) < 1e-12)
        // Two equal logits: a confidence of one half, which lies within bin 7 (7/15 to 8/15).
        let even = evaluationResult(logits: [[2, 2]], labels: [0], classNames: ["a", "b"])
        #expect(even.reliability[7].count == 1)
        #expect(even.expectedCalibrationError == 0.5)
        // Three equal logits: a third is an edge, and belongs to the bin below it.
        let third = evaluationResult(
            logits: [[1, 1, 1]], labels: [0], classNames: ["a", "b", "c"])
        let counts = third.reliability.map { $0.count }
        #expect(counts.firstIndex(of: 1) == 4)
        #expect(certain.reliability.map { $0.count }.reduce(0, +) == 3)
    }

    @Test("take the first of equal classes, as ranks do")
    func ties() {
        let result = evaluationResult(
            logits: [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]], labels: [0, 5],
            classNames: (0..<6).map { "c\($0)" })
        #expect(result.top1Count == 1)
        #expect(result.top5Count == 1)
    }

    @Test("divide logits by the temperature before softmax")
    func temperature() {
        let plain = evaluationResult(logits: [[2, 0]], labels: [0], classNames: ["a", "b"])
        let warm = evaluationResult(
            logits: [[4, 0]], labels: [0], classNames: ["a", "b"], temperature: 2)
        #expect(plain.crossEntropy == warm.crossEntropy)
        #expect(warm.temperature == 2)
    }

    @Test(
        "leave classes without samples out of the macro F1, and precision where nothing was named")
    func absentClasses() {
        let result = evaluationResult(
            logits: [[5, 0, 0, 0], [0, 5, 0, 0], [5, 0, 0, 0]], labels: [0, 1, 3],
            classNames: ["a", "b", "c", "d"])
        let shown = result.classes.map { $0.name }
        #expect(shown == ["a", "b", "d"])
        #expect(result.classes[2].precision == nil)
        #expect(result.classes[2].recall == 0)
        // F1 of a: 2 * 1 / (1 + 2); b: 1; d: 0.
        #expect(abs(result.macroF1 - (2.0 / 3 + 1) / 3) < 1e-12)
    }

    @Test("survive being written as JSON and read again")
    func json() throws {
        let result = evaluationResult(
            logits: [[5, 0, 0], [0, 5, 0], [5, 0, 0]], labels: [0, 1, 2],
            classNames: ["a", "\"b\"", "c"],
            skipped: [SkippedSample(name: "x.jpg", reason: "cut short")])
        let text = try result.json()
        #expect(text.contains("\"ece\""))
        let again = try EvaluationResult(json: text)
        #expect(again == result)
    }

    @Test(
        "are refused where what was read does not fit together",
        arguments: [
            ("\"predicted\" : 0", "\"predicted\" : 3"), ("\"index\" : 1", "\"index\" : -1"),
            ("\"class_count\" : 3", "\"class_count\" : 2000000000"),
            ("\"class_count\" : 3", "\"class_count\" : 0"),
            ("\"sample_count\" : 3", "\"sample_count\" : -3"),
            ("\"top1\" : ", "\"top1\" : 1"),
            ("\"predicted_count\" : 2", "\"predicted_count\" : 9223372036854775807"),
        ])
    func refusesDamaged(part: String, damage: String) throws {
        let result = evaluationResult(
            logits: [[5, 0, 0], [0, 5, 0], [5, 0, 0]], labels: [0, 1, 2],
            classNames: ["a", "b", "c"])
        let text = try result.json()
        #expect(text.contains(part))
        let damaged = text.replacing(part, with: damage, maxReplacements: 1)
        let error = #expect(throws: RunError.self) { try EvaluationResult(json: damaged) }
        #expect(error?.code == .badEvaluation)
    }

    @Test("have a matrix whose sums no number can be too large for")
    func refusesOverflow() throws {
        let huge = Int.max
        for entries in ["[[0, 1, \(huge)], [0, 0, 1]]", "[[0, 0, 1], [0, 0, 1]]", "[[0, 0, -1]]"] {
            let text = "{\"class_count\": 2, \"entries\": \(entries)}"
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(ConfusionMatrix.self, from: Data(text.utf8))
            }
        }
    }

    @Test(
        "give Wilson's interval",
        arguments: [
            // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
            (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
            (1, 29, 0.0061, 0.1718),
            // The formula in another language.
            (10, 10, 0.722467, 1), (170, 200, 0.793944, 0.892864),
        ] as [(Int, Int, Double, Double)])
    func wilson(count: Int, total: Int, lower: Double, upper: Double) {
        let interval = EvaluationResult.ConfidenceInterval(count: count, of: total)
        #expect(abs(interval.lower - lower) < 5.1e-5)
        #expect(abs(interval.upper - upper) < 5.1e-5)
    }

    @Test("know nothing of nothing")
    func emptyInterval() {
        let interval = EvaluationResult.ConfidenceInterval(count: 0, of: 0)
        #expect(interval.lower == 0)
        #expect(interval.upper == 1)
    }
}

/// The numbers of samples whose logits are known.
private func evaluationResult(
    logits: [[Float]], labels: [Int], classNames: [String], temperature: Double = 1,
    skipped: [SkippedSample] = []
) -> EvaluationResult {
    var accumulator = EvaluationAccumulator(
        dataset: "known", classNames: classNames, temperature: temperature)
    for (position, row) in logits.enumerated() {
        accumulator.add(
            views: [row[...]], label: labels[position], name: "sample \(position)",
            position: position)
    }
    return accumulator.result(skipped: skipped, testTimeAugmentation: .none, seconds: 1)
}
