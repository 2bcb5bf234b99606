import Datasets
import Devices
import Execution
import Native
import ResNetModel
import Runs

/// One training by the command line: plan, training, report.
struct TrainingSession: Sendable {
    var settings: RunSettings
    let folder: RunFolder
    let console: Console
    let isQuiet: Bool

    /// How it ended.
    struct Result: Sendable {
        var outcome: RunOutcome
        var plan: RunPlan
    }

    /// Makes the plan, and says what was found; blocks.
    ///
    /// - Throws: what `RunPlan` does; `CommandError` with status `.stopped` where a signal came before it was made.
    func plan() throws -> RunPlan {
        let signals = TrainingSignals.shared
        let plan: RunPlan
        do {
            plan = try RunPlan(settings, folder: folder, cancellation: signals.cancellation)
        } catch {
            if signals.wantsStop { throw stopped(step: 0) }
            throw error
        }
        guard !isQuiet else { return plan }
        let training = plan.split.training
        let images = training.samples.count + plan.split.validation.samples.count
        let batch =
            settings.recipe.batchSize == nil
            ? "batch auto -> \(plan.batchSize)" : "batch \(plan.batchSize)"
        let parts =
            plan.recipe.accumulation > 1 ? " in \(plan.recipe.accumulation) parts" : ""
        console.note(
            "\(settings.data): \(training.classNames.count) classes, \(grouped(images)) images, "
                + "\(grouped(training.samples.count)) to learn from and "
                + "\(grouped(plan.split.validation.samples.count)) to measure by; "
                + "\(plan.architecture.name) on \(settings.device.backend.deviceDescription), "
                + "\(plan.recipe.precision.rawValue), recipe \(plan.recipe.name), "
                + "\(batch)\(parts), seed \(plan.recipe.seed), "
                + "\(grouped(plan.totalSteps)) steps; run folder \(folder.path)")
        for note in plan.notes { console.note("resnet: \(note)") }
        return plan
    }

    /// Trains; blocks.
    ///
    /// - Throws: `CommandError` with status `.stopped` where a signal came before there was anything to save.
    func train(_ plan: RunPlan) throws -> Result {
        let signals = TrainingSignals.shared
        if signals.wantsStop { throw stopped(step: 0) }
        let reporter = TrainingReporter(console: console, isQuiet: isQuiet)
        defer { reporter.clear() }
        let outcome: RunOutcome
        if plan.recipe.computesFeaturesOnce {
            outcome = try LinearProbe(
                plan, folder: folder, observer: { reporter.show($0) },
                requests: { signals.request() }
            ).run()
        } else {
            outcome = try Trainer(
                plan, folder: folder, observer: { reporter.show($0) },
                requests: { signals.request() }
            ).run()
        }
        if outcome.ending != .stopped { try folder.writeReport(of: plan) }
        return Result(outcome: outcome, plan: plan)
    }

    /// The error that a training ends with that was asked to stop.
    func stopped(step: Int) -> CommandError {
        let command = settings.startsFresh ? "the same command without --fresh" : "the same command"
        return CommandError(.stopped, "stopped after step \(step); \(command) goes on")
    }
}

extension TrainingSession.Result {
    /// What is printed as the result.
    func text(folder: RunFolder) -> String {
        var lines: [String] = []
        if let evaluation = outcome.evaluation {
            let interval = evaluation.accuracyInterval
            lines.append(
                "val top-1 \(fixed(evaluation.top1 * 100, places: 2)) % "
                    + "(95 %: \(fixed(interval.lower * 100, places: 1)) to "
                    + "\(fixed(interval.upper * 100, places: 1)))  "
                    + "top-5 \(fixed(evaluation.top5 * 100, places: 2)) %  "
                    + "ECE \(fixed(evaluation.expectedCalibrationError, places: 3))")
        } else if let best = outcome.progress.bestTop1 {
            lines.append("val top-1 \(fixed(best * 100, places: 2)) %")
        }
        if case .finished(let reason) = outcome.ending { lines.append("finished: \(reason)") }
        lines.append("weights: \(weights(folder))")
        lines.append("report: \(folder.report)")
        if outcome.skippedCount > 0 {
            lines.append("left out: \(outcome.skippedCount) pictures, named in \(folder.skipped)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The best weights; the last where nothing has been measured yet.
    private func weights(_ folder: RunFolder) -> String {
        FileSystem.byteCount(of: folder.best) == nil ? folder.last : folder.best
    }

    /// The same for programs.
    func json(folder: RunFolder) -> JSONValue {
        var ending = "stopped"
        if case .finished = outcome.ending { ending = "finished" }
        return .members([
            "folder": .string(folder.path), "ending": .string(ending),
            "steps": .integer(outcome.progress.step), "total_steps": .integer(plan.totalSteps),
            "steps_per_epoch": .integer(plan.stepsPerEpoch),
            "batch": .integer(plan.batchSize),
            "best_top1": outcome.progress.bestTop1.map { .number($0) } ?? .null,
            "best_step": outcome.progress.bestStep.map { .integer($0) } ?? .null,
            "seconds": .rounded(outcome.progress.seconds, places: 3),
            "skipped": .integer(outcome.skippedCount),
            "weights": .string(weights(folder)), "report": .string(folder.report),
        ])
    }
}
