import Datasets
import Devices
import Execution
import Native
import Reports
import ResNetModel
import Runs
import Tensors
import Training

/// Prints what a training would do: `--dry-run`.
struct PlanWriter {
    let plan: RunPlan
    let folder: RunFolder

    /// Seconds of a step, measured with noise for pictures; `nil` where it was not measured.
    private let secondsPerStep: Double?

    /// Measures a step of the plan; blocks.
    ///
    /// - Throws: `TrainingError`, `ExecutionError`.
    init(_ plan: RunPlan, folder: RunFolder) throws {
        self.plan = plan
        self.folder = folder
        secondsPerStep =
            plan.recipe.computesFeaturesOnce ? nil : try Self.measure(plan)
    }

    private static func measure(_ plan: RunPlan) throws -> Double {
        let step = plan.step
        var random = RandomGenerator(seed: 1)
        let (batch, size) = (step.batch, step.imageSize)
        let pixels = (0..<batch * size * size * 3).map { _ in
            UInt8(truncatingIfNeeded: random.next())
        }
        let classes = step.model.classCount
        let targets: TrainingBatch.Targets
        if step.recipe.targets == .distributions {
            targets = .distributions(
                HostTensor(repeating: 1 / Float(classes), shape: [batch, classes]))
        } else {
            targets = .labels((0..<batch).map { $0 % classes })
        }
        let data = TrainingBatch(
            images: HostTensor(pixels, shape: [batch, size, size, 3]), targets: targets)
        var state = try step.initialState(parameters: step.model.initialParameters(seed: 1))
        let clock = ContinuousClock()
        var seconds = Double.infinity
        // The first one warms up; where it takes long it has to do.
        for index in 0..<3 {
            let start = clock.now
            _ = try step.run(data, learningRate: 1e-4, state: &state)
            let taken = (clock.now - start).inSeconds
            seconds = index < 2 ? taken : min(seconds, taken)
            if taken > 10 { break }
        }
        return seconds
    }

    private var trainingSeconds: Double? {
        secondsPerStep.map { $0 * Double(plan.totalSteps) }
    }

    /// The plan for people.
    var text: String {
        var table = Table(["setting": .left, "value": .left, "what it is": .left])
        for (setting, value) in zip(Recipe.settings, plan.recipe.values) {
            table.add([setting.key, value.text, setting.help])
        }
        var lines = [
            "data         \(plan.settings.data): \(plan.split.training.classNames.count) classes, "
                + "\(grouped(plan.split.training.samples.count)) to learn from, "
                + "\(grouped(plan.split.validation.samples.count)) to measure by",
            "network      \(plan.architecture.name), "
                + "\(grouped(plan.architecture.trainedParameterCount)) numbers",
            "device       \(plan.settings.device.backend.deviceDescription)",
            "steps        \(grouped(plan.totalSteps)), \(grouped(plan.stepsPerEpoch)) an epoch, "
                + "\(plan.batchSize) pictures each",
            "rate         \(plan.recipe.peakLearningRate(batch: plan.batchSize)) at its highest",
            "run folder   \(folder.path)",
        ]
        if plan.recipe.computesFeaturesOnce {
            lines.append("time         that of looking at every picture twice")
        } else {
            lines.append(
                "memory       \(byteText(plan.step.stateByteCount + plan.step.workspaceByteCount)): "
                    + "\(byteText(plan.step.stateByteCount)) state, "
                    + "\(byteText(plan.step.workspaceByteCount)) workspace")
        }
        if let secondsPerStep, let trainingSeconds {
            lines.append(
                "time         \(durationText(seconds: trainingSeconds)) at "
                    + "\(fixed(secondsPerStep * 1e3, places: 1)) ms a step as measured now with "
                    + "noise for pictures, without loading and validation")
        }
        return lines.joined(separator: "\n") + "\n\n" + table.text
    }

    /// The plan for programs.
    var json: JSONValue {
        let recipe = plan.recipe.values.map { key, text in
            JSONValue.Member(key: key, value: .string(text))
        }
        return .members([
            "data": .string(plan.settings.data), "folder": .string(folder.path),
            "classes": .integer(plan.split.training.classNames.count),
            "training_images": .integer(plan.split.training.samples.count),
            "validation_images": .integer(plan.split.validation.samples.count),
            "network": .string(plan.architecture.name),
            "device": .string(plan.settings.device.backend.deviceDescription),
            "batch": .integer(plan.batchSize), "steps": .integer(plan.totalSteps),
            "steps_per_epoch": .integer(plan.stepsPerEpoch),
            "peak_learning_rate": .number(plan.recipe.peakLearningRate(batch: plan.batchSize)),
            "state_bytes": .integer(plan.step.stateByteCount),
            "workspace_bytes": .integer(plan.step.workspaceByteCount),
            "seconds_per_step": secondsPerStep.map { .rounded($0, places: 6) },
            "seconds": trainingSeconds.map { .rounded($0, places: 1) },
            "recipe": .object(recipe),
        ])
    }
}
