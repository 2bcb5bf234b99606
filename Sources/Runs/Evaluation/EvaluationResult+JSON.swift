import FoundationEssentials

extension EvaluationResult {
    /// Reads what `json()` writes.
    ///
    /// Whoever reads the result may take classes by its indices and add its counts up.
    ///
    /// - Throws: `RunError` with code `.badEvaluation`, also where numbers do not fit each other.
    public init(json text: String, name: String = "evaluation") throws(RunError) {
        do {
            self = try JSONDecoder().decode(EvaluationResult.self, from: Data(text.utf8))
        } catch {
            throw RunError(
                .badEvaluation, "\(name): expected the result of an evaluation as JSON: \(error)")
        }
        if let problem {
            throw RunError(
                .badEvaluation, "\(name): \(problem); measure the weights anew with resnet eval")
        }
    }

    /// What does not fit in a result that was read; `nil` where all does.
    private var problem: String? {
        let classCount = classNames.count
        guard classCount >= 1, confusion.classCount == classCount else {
            return "expected a matrix of as many classes as there are names, found "
                + "\(confusion.classCount) and \(classCount)"
        }
        var indices = classes.map { $0.index }
        for pair in mostConfused { indices += [pair.label, pair.predicted] }
        for sample in worst { indices += [sample.label, sample.predicted] }
        if let index = indices.first(where: { !classNames.indices.contains($0) }) {
            return "expected classes of 0 to \(classCount - 1), found \(index)"
        }
        var counts = [sampleCount, top1Count, top5Count]
        for bin in reliability { counts.append(bin.count) }
        for metrics in classes {
            counts += [metrics.count, metrics.predictedCount, metrics.correctCount]
        }
        for pair in mostConfused { counts.append(pair.count) }
        // So small that no sum of them overflows.
        if let count = counts.first(where: { !(0...1 << 40).contains($0) }) {
            return "expected counts of pictures, found \(count)"
        }
        var shares = [top1, top5, accuracyInterval.lower, accuracyInterval.upper]
        for bin in reliability { shares += [bin.lower, bin.upper, bin.confidence, bin.accuracy] }
        for sample in worst { shares += [sample.probability, sample.confidence] }
        if let share = shares.first(where: { !(0...1).contains($0) }) {
            return "expected shares of 0 to 1, found \(share)"
        }
        return nil
    }

    /// The result as JSON over several lines, keys in the order of their letters, ending with a line feed.
    ///
    /// - Throws: `RunError` with code `.badEvaluation` where a number is not finite.
    public func json() throws(RunError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        } catch {
            throw RunError(.badEvaluation, "the result cannot be written as JSON: \(error)")
        }
    }
}
