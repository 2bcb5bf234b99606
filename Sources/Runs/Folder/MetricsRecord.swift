import FoundationEssentials

/// One line of `metrics.jsonl`.
public enum MetricsRecord: Sendable, Hashable {
    /// What an interval of training steps showed: means over it.
    case train(TrainingRecord)
    /// What the validation pictures showed.
    case validation(ValidationRecord)
    /// Something that happened.
    case event(step: Int, seconds: Double, text: String)
}

/// What an interval of training steps showed.
public struct TrainingRecord: Codable, Sendable, Hashable {
    /// Always `train`.
    public var kind = "train"
    /// Steps done.
    public var step: Int
    /// The epoch of the last of them, from 0.
    public var epoch: Int
    /// The mean loss.
    public var loss: Double
    /// The share of pictures whose class had the largest logit.
    public var top1: Double
    /// The share of pictures whose class was among the five largest logits.
    public var top5: Double
    /// The learning rate of the last step.
    public var learningRate: Double
    /// Pictures a second, waiting for data included.
    public var imagesPerSecond: Double
    /// The mean norm of all gradients, where the recipe clips.
    public var gradientNorm: Double?
    /// Seconds since the run's start, without those between two processes.
    public var seconds: Double

    enum CodingKeys: String, CodingKey {
        case kind, step, epoch, loss, top1, top5, seconds
        case learningRate = "learning_rate"
        case imagesPerSecond = "images_per_second"
        case gradientNorm = "gradient_norm"
    }

    /// Writes all keys, `null` for a norm that is not there.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(step, forKey: .step)
        try container.encode(epoch, forKey: .epoch)
        try container.encode(loss, forKey: .loss)
        try container.encode(top1, forKey: .top1)
        try container.encode(top5, forKey: .top5)
        try container.encode(learningRate, forKey: .learningRate)
        try container.encode(imagesPerSecond, forKey: .imagesPerSecond)
        try container.encode(gradientNorm, forKey: .gradientNorm)
        try container.encode(seconds, forKey: .seconds)
    }
}

/// What the validation pictures showed.
public struct ValidationRecord: Codable, Sendable, Hashable {
    /// Always `validation`.
    public var kind = "validation"
    /// Steps done.
    public var step: Int
    /// Epochs done.
    public var epoch: Int
    /// The mean cross-entropy.
    public var loss: Double
    /// The share of pictures whose class had the largest logit.
    public var top1: Double
    /// The share of pictures whose class was among the five largest logits.
    public var top5: Double
    /// The mean over the classes of F1.
    public var macroF1: Double
    /// The expected calibration error.
    public var ece: Double
    /// Seconds since the run's start, without those between two processes.
    public var seconds: Double

    enum CodingKeys: String, CodingKey {
        case kind, step, epoch, loss, top1, top5, ece, seconds
        case macroF1 = "macro_f1"
    }
}

private struct EventRecord: Codable {
    var kind = "event"
    var step: Int
    var seconds: Double
    var text: String
}

extension MetricsRecord {
    /// The line, its keys in alphabetical order, with a line feed.
    func line() throws(RunError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let data =
                switch self {
                case .train(let record): try encoder.encode(record)
                case .validation(let record): try encoder.encode(record)
                case .event(let step, let seconds, let text):
                    try encoder.encode(EventRecord(step: step, seconds: seconds, text: text))
                }
            return String(decoding: data, as: UTF8.self) + "\n"
        } catch {
            throw RunError(.cannotWrite, "a line of metrics: \(error)")
        }
    }

    /// The header of `metrics.csv`.
    static let tableHeader =
        "kind,step,epoch,loss,top1,top5,learning_rate,images_per_second,gradient_norm,macro_f1,ece,seconds\n"

    /// The row of `metrics.csv`; events have none.
    var row: String? {
        switch self {
        case .train(let record):
            let norm = record.gradientNorm.map { "\($0)" } ?? ""
            return
                "train,\(record.step),\(record.epoch),\(record.loss),\(record.top1),\(record.top5),"
                + "\(record.learningRate),\(record.imagesPerSecond),\(norm),,,\(record.seconds)\n"
        case .validation(let record):
            return "validation,\(record.step),\(record.epoch),\(record.loss),\(record.top1),"
                + "\(record.top5),,,,\(record.macroF1),\(record.ece),\(record.seconds)\n"
        case .event: return nil
        }
    }
}
