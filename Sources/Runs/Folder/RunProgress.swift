import FoundationEssentials

/// How far a run has come: all that a later process needs beside the tensors.
public struct RunProgress: Codable, Sendable, Hashable {
    /// Steps done, left-out ones included.
    public var step = 0
    /// Optimizer updates done.
    var updateCount = 0
    /// Seconds that training has taken, all processes together.
    public var seconds = 0.0
    /// The best validation accuracy so far.
    public var bestTop1: Double?
    /// The cross-entropy that came with it.
    var bestLoss: Double?
    /// After how many steps that was.
    public var bestStep: Int?
    /// Validations since the accuracy was last the highest.
    package internal(set) var validationsSinceBest = 0
    /// The step that was validated last.
    var validatedStep: Int?
    /// Whether the epoch has ended and is still to be validated.
    var isValidationPending = false
    /// Steps that are left out, since their loss was no number.
    var skippedSteps: [Int] = []
    /// What has been summed up since the last line of metrics.
    var sums = IntervalSums()
    /// The length of `metrics.jsonl` at this point.
    var metricsByteCount = 0
    /// The length of `metrics.csv` at this point.
    var tableByteCount = 0

    /// The progress of a run that is to begin.
    package init() {}

    /// The same without what depends on the time that things take.
    package var timeless: RunProgress {
        var copy = self
        copy.seconds = 0
        copy.metricsByteCount = 0
        copy.tableByteCount = 0
        return copy
    }
}

/// Sums over the steps of an interval.
struct IntervalSums: Codable, Sendable, Hashable {
    var stepCount = 0
    var imageCount = 0
    var loss = 0.0
    var top1Count = 0
    var top5Count = 0
    var gradientNorm: Double?
    var learningRate = 0.0
}

extension RunProgress {
    /// As one line of JSON, the keys in alphabetical order.
    ///
    /// - Throws: `RunError` with code `.cannotWrite` where a number is not finite.
    func json() throws(RunError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            throw RunError(.cannotWrite, "the progress of the run: \(error)")
        }
    }

    /// Reads what `json` wrote.
    package init?(json: String) {
        guard let value = try? JSONDecoder().decode(RunProgress.self, from: Data(json.utf8)) else {
            return nil
        }
        self = value
    }
}
