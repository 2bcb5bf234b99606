package import Datasets
import FoundationEssentials
import Native

/// What a run's folder tells of it.
package struct RunHistory: Sendable {
    /// Something that happened.
    package struct Event: Sendable, Hashable {
        /// After how many steps.
        package let step: Int
        /// What.
        package let text: String

        /// Tells of something.
        package init(step: Int, text: String) {
            self.step = step
            self.text = text
        }
    }

    /// Where it is.
    package let folder: RunFolder
    /// What training showed, interval by interval.
    package private(set) var training: [TrainingRecord] = []
    /// What the validation pictures showed.
    package private(set) var validation: [ValidationRecord] = []
    /// What happened besides.
    package private(set) var events: [Event] = []
    /// How well the best weights do, if they were evaluated.
    package let evaluation: EvaluationResult?
    /// The text of `config.yaml`.
    package let configuration: String
    /// The pictures that could not be read.
    package let skipped: [SkippedSample]
    /// Lines of metrics that cannot be read, as the last one of a process that was killed.
    package private(set) var brokenLineCount = 0

    /// Reads a folder.
    ///
    /// - Parameter readsEvaluation: whether its `evaluation.json` is read, if it has one.
    /// - Throws: `RunError` with code `.notARun`, or `.badEvaluation`.
    package init(_ folder: RunFolder, readsEvaluation: Bool = true) throws(RunError) {
        self.folder = folder
        guard let configuration = Self.text(of: folder.config) else {
            throw RunError(
                .notARun,
                "\(folder.path): expected the folder of a run, found none with a config.yaml")
        }
        self.configuration = configuration
        let text = readsEvaluation ? Self.text(of: folder.evaluation) : nil
        evaluation = try text.map { (text) throws(RunError) in
            try EvaluationResult(json: text, name: folder.evaluation)
        }
        skipped = Self.lines(of: folder.skipped).compactMap { line in
            guard let sample = try? JSONDecoder().decode(Skipped.self, from: Data(line.utf8))
            else { return nil }
            return SkippedSample(
                name: sample.name ?? sample.path ?? "?", reason: sample.reason ?? "")
        }
        for line in Self.lines(of: folder.metrics) { take(line) }
    }

    private struct Skipped: Decodable {
        var name: String?
        var path: String?
        var reason: String?
    }

    private struct Kind: Decodable {
        var kind: String
        var step: Int
        var text: String?
    }

    private mutating func take(_ line: Substring) {
        let (data, decoder) = (Data(line.utf8), JSONDecoder())
        guard let kind = try? decoder.decode(Kind.self, from: data) else {
            brokenLineCount += 1
            return
        }
        switch kind.kind {
        case "train":
            guard let record = try? decoder.decode(TrainingRecord.self, from: data) else {
                brokenLineCount += 1
                return
            }
            training.append(record)
        case "validation":
            guard let record = try? decoder.decode(ValidationRecord.self, from: data) else {
                brokenLineCount += 1
                return
            }
            validation.append(record)
        case "event": events.append(Event(step: kind.step, text: kind.text ?? ""))
        default: brokenLineCount += 1
        }
    }

    private static func text(of path: String) -> String? { try? FileSystem.text(of: path) }

    private static func lines(of path: String) -> [Substring] {
        (text(of: path) ?? "").split(separator: "\n")
    }
}

extension RunHistory {
    /// What the run is called: the last part of its folder's path.
    package var name: String {
        folder.path.split(separator: "/").last.map(String.init) ?? folder.path
    }

    /// Steps done.
    package var stepCount: Int {
        max(training.last?.step ?? 0, validation.last?.step ?? 0)
    }

    /// Epochs done, whole ones.
    package var epochCount: Int { validation.last?.epoch ?? training.last?.epoch ?? 0 }

    /// How long it trained.
    package var seconds: Double {
        max(training.last?.seconds ?? 0, validation.last?.seconds ?? 0)
    }

    /// The validation with the highest accuracy; of equal ones that with the least loss.
    package var bestValidation: ValidationRecord? {
        validation.max { ($0.top1, -$0.loss) < ($1.top1, -$1.loss) }
    }

    /// The median of the intervals' speeds, pictures a second.
    package var medianRate: Double? {
        let rates = training.map { $0.imagesPerSecond }.filter { $0.isFinite }.sorted()
        return rates.isEmpty ? nil : rates[rates.count / 2]
    }

    /// The settings at the beginning of a line, each with its value as it is written, in their order.
    package var settings: [(key: String, value: String)] {
        var key = ""
        var settings: [(key: String, value: String)] = []
        for line in configuration.split(separator: "\n") where !line.hasPrefix("#") {
            if line.first == " " || line.first == "-" {
                // What is below a key belongs to its value.
                guard !settings.isEmpty else { continue }
                settings[settings.count - 1].value += " " + line.trimmed
            } else if let colon = line.firstIndex(of: ":") {
                key = String(line[..<colon])
                settings.append((key, String(line[line.index(after: colon)...].trimmed)))
            }
        }
        return settings
    }
}

extension Substring {
    /// Without spaces around it.
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}
