import Images
import Inference
import ModelFormats
import Native
import Reports
import ResNetModel
import Synchronization
import Tensors

/// Writes what a classification leaves beside its results: logits, maps, the report.
///
/// It blocks, so it runs on the files' queue.
final class ArtifactWriter: Sendable {
    private struct State {
        var logits: [Float] = []
        var rowCount = 0
        var report: ClassificationReport
        var mapNames: Set<String> = []
        var successCount = 0
    }

    private let classifier: Classifier
    private let logitsPath: String?
    private let mapFolder: String?
    private let reportPath: String?
    private let start: ContinuousClock.Instant
    private let state: Mutex<State>

    init(
        classifier: Classifier, logitsPath: String?, mapFolder: String?, reportPath: String?,
        start: ContinuousClock.Instant
    ) {
        self.classifier = classifier
        self.logitsPath = logitsPath
        self.mapFolder = mapFolder
        self.reportPath = reportPath
        self.start = start
        let title = "What \(classifier.model.architecture.name) sees"
        state = Mutex(State(report: ClassificationReport(title: title)))
    }

    /// Whether there is anything to write.
    var isWanted: Bool { logitsPath != nil || needsMaps }

    /// Whether results need activation maps.
    var needsMaps: Bool { mapFolder != nil || reportPath != nil }

    /// Makes the folder for maps, and looks whether files can be created, before the work begins.
    func checkDestinations() throws(CommandError) {
        if let mapFolder {
            do {
                try createFolder(atPath: mapFolder)
            } catch {
                throw CommandError(.cannotCreate, error.message)
            }
        }
        for path in [logitsPath, reportPath].compactMap({ $0 }) {
            try checkFolder(ofResult: path)
            guard FileKind(atPath: path) != .folder else {
                throw CommandError(
                    .cannotCreate, "\(path): expected the name of a file, found a folder")
            }
        }
    }

    /// Takes an outcome.
    func add(name: String, _ result: Result<Classification, CommandError>) throws {
        switch result {
        case .failure(let error):
            let classCount = classifier.model.architecture.classCount
            let row = [Float](repeating: .nan, count: logitsPath == nil ? 0 : classCount)
            state.withLock { state in
                state.logits += row
                state.rowCount += 1
                state.report.addFailure(
                    name: name, reason: Self.reason(error.message, without: name))
            }
        case .success(let classification):
            let overlay = try classification.activationMap?.overlay(on: classification.picture)
            if let mapFolder, let overlay {
                let path = "\(mapFolder)/\(mapName(for: name))"
                try writeResult(try encodePNG(overlay), to: path)
            }
            try state.withLock { state in
                if logitsPath != nil { state.logits += classification.logits }
                state.rowCount += 1
                state.successCount += 1
                if reportPath != nil {
                    try state.report.add(Self.entry(name, classification, overlay))
                }
            }
        }
    }

    /// Writes the files that need all outcomes.
    func finish() throws {
        let state = state.withLock { $0 }
        if let logitsPath {
            let shape: Shape = [state.rowCount, classifier.model.architecture.classCount]
            try NumPyFile.write(HostTensor(state.logits, shape: shape), to: logitsPath)
        }
        if let reportPath {
            let page = state.report.page(facts: facts(state))
            try writeResult(page, to: reportPath)
        }
    }

    private func facts(_ state: State) -> [(name: String, value: String)] {
        let seconds = (ContinuousClock.now - start).inSeconds
        let rate = fixed(Double(state.successCount) / max(seconds, 1e-9), places: 1)
        return [
            ("model", classifier.model.architecture.name),
            ("weights", Self.lastPart(classifier.model.name)),
            ("computed in", classifier.precision.rawValue),
            ("computed on", classifier.deviceDescription),
            ("temperature", fixed(classifier.temperature, places: 3)),
            ("pictures", grouped(state.successCount)),
            ("time", "\(fixed(seconds, places: 2)) s, \(rate) pictures a second"),
        ]
    }

    private static func entry(
        _ name: String, _ classification: Classification, _ map: Image?
    ) -> ClassificationReport.Entry {
        ClassificationReport.Entry(
            name: name, size: (classification.width, classification.height),
            picture: classification.picture, map: map,
            bars: classification.top.map { prediction in
                ClassificationReport.Bar(
                    label: prediction.label, index: prediction.index,
                    probability: prediction.probability)
            },
            milliseconds: classification.milliseconds)
    }

    private static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// A message without the name that it begins with.
    private static func reason(_ message: String, without name: String) -> String {
        message.hasPrefix(name + ": ") ? String(message.dropFirst(name.count + 2)) : message
    }

    /// A file name for an input's map: the last part of its path, unlike all before it.
    private func mapName(for name: String) -> String {
        let last = Self.lastPart(name)
        let stem = last.lastIndex(of: ".").map { String(last[..<$0]) } ?? last
        let cleaned = String(
            (name == "-" ? "stdin" : stem).prefix(100).map { letter in
                letter.isLetter || letter.isNumber || "._-".contains(letter) ? letter : "_"
            })
        return state.withLock { state in
            var candidate = "\(cleaned).png"
            var number = 2
            while !state.mapNames.insert(candidate.lowercased()).inserted {
                candidate = "\(cleaned)-\(number).png"
                number += 1
            }
            return candidate
        }
    }
}
