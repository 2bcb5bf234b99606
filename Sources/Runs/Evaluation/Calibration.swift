public import Datasets

/// A temperature fitted to labelled pictures, and what it changes.
public struct Calibration: Codable, Sendable, Hashable {
    /// What a network's probabilities are worth.
    public struct Quality: Codable, Sendable, Hashable {
        /// As in `EvaluationResult.crossEntropy`.
        public var crossEntropy: Double
        /// As in `EvaluationResult.expectedCalibrationError`.
        public var expectedCalibrationError: Double

        private enum CodingKeys: String, CodingKey {
            case crossEntropy = "cross_entropy"
            case expectedCalibrationError = "ece"
        }

        init(_ result: EvaluationResult) {
            crossEntropy = result.crossEntropy
            expectedCalibrationError = result.expectedCalibrationError
        }
    }

    /// What logits are to be divided by.
    public var temperature: Double
    /// Whether a still larger or smaller one would be better; it stays within 0.05 to 20.
    public var isAtEnd: Bool
    /// Without a temperature.
    public var before: Quality
    /// With it, on the pictures that it was fitted to.
    public var after: Quality
    /// On each half of the pictures with the temperature fitted to the other half: what to expect of others; `nil` for
    /// fewer than two pictures.
    public var crossFitted: Quality?

    private enum CodingKeys: String, CodingKey {
        case temperature
        case isAtEnd = "is_at_end"
        case before
        case after
        case crossFitted = "cross_fitted"
    }
}

extension Evaluator {
    /// Fits a temperature to labelled pictures, and measures with it.
    ///
    /// Keeps the logits of all pictures: four bytes for each picture and class.
    ///
    /// - Parameters:
    ///   - dataset: with as many classes as the network, in its order.
    ///   - progress: is told how many pictures are done, of how many; what it throws ends the work.
    /// - Returns: the evaluation at the temperature, and how that came about.
    /// - Throws: as `evaluate`.
    public func calibrate(
        _ dataset: Dataset, progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> (result: EvaluationResult, calibration: Calibration) {
        let start = ContinuousClock.now
        var outputs = LabelledLogits(dataset: dataset)
        let skipped = try forEachSample(
            of: dataset, testTimeAugmentation: .none, progress: progress
        ) { views, sample, position in
            outputs.add(views[0], label: sample.label, position: position)
        }
        let fit = outputs.fit()
        let before = outputs.result(temperature: 1)
        var after = outputs.result(temperature: fit.temperature)
        after.skipped = skipped
        after.seconds = seconds(since: start)
        let calibration = Calibration(
            temperature: fit.temperature, isAtEnd: fit.isAtEnd, before: .init(before),
            after: .init(after), crossFitted: outputs.crossFitted().map { .init($0) })
        return (after, calibration)
    }
}

/// The logits of pictures whose classes are known.
package struct LabelledLogits {
    private let dataset: Dataset
    private var logits: [Float] = []
    private var labels: [Int] = []
    private var positions: [Int] = []

    /// None so far.
    package init(dataset: Dataset) { self.dataset = dataset }

    /// Adds a picture's logits, one a class.
    package mutating func add(_ row: ArraySlice<Float>, label: Int, position: Int) {
        logits += row
        labels.append(label)
        positions.append(position)
    }

    /// The temperature for all of them.
    package func fit() -> TemperatureFit { TemperatureFit(logits: logits, labels: labels) }

    /// Their evaluation at a temperature.
    package func result(temperature: Double) -> EvaluationResult {
        evaluation { _ in temperature }
    }

    /// Their evaluation, each half at the other's temperature; `nil` of fewer than two.
    ///
    /// Halves take every second picture, so that both have pictures of every class where classes follow each other.
    package func crossFitted() -> EvaluationResult? {
        guard labels.count > 1 else { return nil }
        let temperatures = [0, 1].map { half in
            let rows = labels.indices.filter { $0 % 2 != half }
            return TemperatureFit(
                logits: rows.flatMap { row($0) }, labels: rows.map { labels[$0] }
            ).temperature
        }
        return evaluation { temperatures[$0 % 2] }
    }

    private func row(_ index: Int) -> ArraySlice<Float> {
        let classCount = dataset.classNames.count
        return logits[index * classCount..<(index + 1) * classCount]
    }

    private func evaluation(_ temperature: (Int) -> Double) -> EvaluationResult {
        var accumulator = EvaluationAccumulator(
            dataset: dataset.name, classNames: dataset.classNames,
            temperature: labels.isEmpty ? 1 : temperature(0))
        for index in labels.indices {
            accumulator.add(
                views: [row(index)], label: labels[index],
                name: dataset.samples[positions[index]].name, position: positions[index],
                temperature: temperature(index))
        }
        return accumulator.result(skipped: [], testTimeAugmentation: .none, seconds: 0)
    }
}
