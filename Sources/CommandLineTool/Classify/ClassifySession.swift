import Inference
import Native
import Pretrained

/// One run of `resnet classify`: takes outcomes as they come, prints them, and counts.
struct ClassifySession {
    let items: [InputItem]
    let console: Console
    var writer: ResultWriter
    let progress: ProgressLine
    private var missingCount = 0
    private var failureCount = 0

    init(
        items: [InputItem], console: Console, writer: ResultWriter, progress: ProgressLine
    ) {
        self.items = items
        self.console = console
        self.writer = writer
        self.progress = progress
    }

    /// Classifies everything.
    ///
    /// - Throws: `CommandError` at the end where inputs failed; the device's errors and those of writing at
    ///   once.
    mutating func run(
        _ classifier: Classifier, outputs: ArtifactWriter, files: WorkQueue
    ) async throws {
        try writer.begin()
        do {
            let inputs = items.map { input(for: $0, files: files) }
            let outcomes = classifier.classify(
                each: inputs, withActivationMaps: outputs.needsMaps)
            for try await outcome in outcomes {
                let item = items[outcome.index]
                let result = outcome.result.mapError { failure(of: item, $0) }
                if outputs.isWanted {
                    try await files.run { try outputs.add(name: item.name, result) }
                }
                try take(item, result)
                progress.update(done: outcome.index + 1, failed: failureCount)
            }
        } catch {
            // What was computed stays readable: an array that was opened is closed.
            progress.clear()
            try? writer.end()
            throw error
        }
        progress.clear()
        try writer.end()
        if outputs.isWanted { try await files.run { try outputs.finish() } }
        try finish()
    }

    private mutating func take(
        _ item: InputItem, _ result: Result<Classification, CommandError>
    ) throws {
        if case .failure(let error) = result {
            failureCount += 1
            if error.status == .inputMissing { missingCount += 1 }
            progress.clear()
            console.note("resnet: \(error.message)")
        } else if console.isOutputTerminal {
            progress.clear()
        }
        try writer.write(name: item.name, result)
    }

    private func finish() throws(CommandError) {
        guard failureCount > 0 else { return }
        // Of a single input everything has been said.
        let message =
            items.count == 1 ? "" : "\(failureCount) of \(items.count) inputs were not classified"
        throw CommandError(
            failureCount == missingCount ? .inputMissing : .badData, message)
    }

    private func input(for item: InputItem, files: WorkQueue) -> ClassifierInput {
        switch item.source {
        case .file: return .file(item.name)
        case .url: return .deferred { try await RemoteImage.fetch(item.name) }
        case .standardInput:
            let console = console
            // A thread of its own: the other may be needed while this one waits for a person.
            return .deferred {
                try await WorkQueue(name: "input").run { try console.input(limit: 1 << 30) }
            }
        case .missing(let reason):
            return .deferred { throw CommandError(.inputMissing, "\(item.name): \(reason)") }
        }
    }

    /// The error of one input: its message names the input.
    private func failure(of item: InputItem, _ error: any Error) -> CommandError {
        let message = "\(error)"
        let isNamed = message.hasPrefix(item.name)
        return CommandError(ExitStatus(error), isNamed ? message : "\(item.name): \(message)")
    }
}
