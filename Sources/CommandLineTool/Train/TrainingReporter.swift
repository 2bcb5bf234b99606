import Runs

/// Shows a training on the error stream: a line that is drawn anew, and one for each validation.
final class TrainingReporter {
    private let console: Console
    private let isQuiet: Bool
    private let training: ProgressLine
    private let features: ProgressLine
    private var evaluation: ProgressLine?

    init(console: Console, isQuiet: Bool) {
        self.console = console
        self.isQuiet = isQuiet
        training = ProgressLine("train", unit: "steps", isQuiet: isQuiet, console: console)
        features = ProgressLine("features", unit: "images", isQuiet: isQuiet, console: console)
    }

    /// Shows what happened.
    func show(_ event: RunEvent) {
        switch event {
        case .note(let text):
            clear()
            if !isQuiet { console.note("resnet: \(text)") }
        case .step(let step):
            let accuracy = fixed(step.top1 * 100, places: 1)
            let left = Double(step.totalSteps - step.step)
            training.update(
                done: step.step, of: step.totalSteps,
                rate: step.secondsLeft > 0 && step.secondsLeft.isFinite
                    ? left / step.secondsLeft : 0,
                detail: "epoch \(step.epoch + 1)  loss \(fixed(step.loss, places: 3))  "
                    + "acc \(accuracy) %  \(fixed(step.imagesPerSecond, places: 1)) img/s")
        case .features(let done, let total): features.update(done: done, of: total)
        case .evaluating(let done, let total):
            if evaluation == nil {
                clear()
                evaluation = ProgressLine(
                    "evaluate", unit: "images", isQuiet: isQuiet, console: console)
            }
            evaluation?.update(done: done, of: total)
        case .validation(let record, let isBest):
            clear()
            guard !isQuiet else { return }
            console.note(
                "epoch \(record.epoch)  val top-1 \(fixed(record.top1 * 100, places: 2)) %  "
                    + "loss \(fixed(record.loss, places: 4))  "
                    + "ECE \(fixed(record.ece, places: 3))" + (isBest ? "  best so far" : ""))
        }
    }

    /// Takes the lines away.
    func clear() {
        training.clear()
        features.clear()
        evaluation?.clear()
        evaluation = nil
    }
}
