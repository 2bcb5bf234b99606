import FoundationEssentials
import Inference
import ModelFormats
import Native
import ResNetModel
import Runs
import Tensors
import Testing
import Training

@Suite("Training runs", .serialized)
struct TrainerTests {
    @Test("go on in the middle of an epoch to the bytes of a run that was left alone")
    func resume() throws {
        let changes = ["ema": "0.9", "mixup": "0.2", "clip_norm": "5", "class_weights": "inverse"]
        var settings = try TinyRun.settings(changes)
        settings.limits.maximumSteps = 20
        let straight = try TinyRun()
        try straight.train(settings)

        let halved = try TinyRun()
        settings.limits.maximumSteps = 10
        let first = try halved.train(settings)
        #expect(first.outcome.ending == .finished("the limit of 10 steps is reached"))
        #expect(first.outcome.progress.step == 10)
        settings.limits.maximumSteps = 20
        let second = try halved.train(settings)
        #expect(second.notes.contains("resumed from last.safetensors after step 10"))

        let expected = try Checkpoint(contentsOf: straight.folder.last)
        let found = try Checkpoint(contentsOf: halved.folder.last)
        #expect(found.progress.step == 20)
        #expect(found.progress.timeless == expected.progress.timeless)
        let sameTensors = areEqual(found.tensors, expected.tensors)
        #expect(sameTensors)
        #expect(found.tensors.keys.contains("velocity.conv1.weight"))
        #expect(found.tensors.keys.contains("ema.conv1.weight"))
        let sameMetrics = try halved.metrics() == straight.metrics()
        #expect(sameMetrics)
        let best = FileManager.default.contents(atPath: straight.folder.best)
        #expect(FileManager.default.contents(atPath: halved.folder.best) == best)
        #expect(best != nil)
    }

    @Test("go on from the file before where the newest is damaged")
    func goOnFromPrevious() throws {
        var settings = try TinyRun.settings()
        settings.checkpointSteps = 2
        settings.limits.maximumSteps = 5
        let run = try TinyRun()
        try run.train(settings)
        var bytes = try #require(FileManager.default.contents(atPath: run.folder.last))
        bytes[bytes.count / 2] ^= 1
        try writeFile(Memory(copying: Array(bytes)), toPath: run.folder.last)
        settings.limits.maximumSteps = 6
        let again = try run.train(settings)
        #expect(again.notes.contains("resumed from previous.safetensors after step 4"))

        let straight = try TinyRun()
        try straight.train(settings)
        let same = areEqual(
            try Checkpoint(contentsOf: run.folder.last).tensors,
            try Checkpoint(contentsOf: straight.folder.last).tensors)
        #expect(same)
    }

    @Test("refuse a folder where both files are damaged, and one that is locked")
    func refuseDamaged() throws {
        var settings = try TinyRun.settings()
        settings.limits.maximumSteps = 1
        let run = try TinyRun()
        try run.train(settings)
        for file in [run.folder.last, run.folder.previous] {
            try writeFile(Memory(copying: Array("no tensors".utf8)), toPath: file)
        }
        let error = #expect(throws: RunError.self) { try run.train(settings) }
        #expect(error?.code == .badCheckpoint)
        let lock = try FileLock("\(run.folder.path)/.lock", cancellation: Cancellation())
        let busy = #expect(throws: RunError.self) { try run.train(settings) }
        #expect(busy?.code == .cannotWrite && busy?.message.contains("another process") == true)
        _ = lock
    }

    @Test("refuse other settings, naming them, and start anew where asked")
    func refuseOtherSettings() throws {
        var settings = try TinyRun.settings()
        settings.limits.maximumSteps = 1
        let run = try TinyRun()
        try run.train(settings)
        var other = try TinyRun.settings(["learning_rate": "0.07", "seed": "7"])
        other.limits.maximumSteps = 1
        let error = #expect(throws: RunError.self) { try run.train(other) }
        #expect(error?.code == .settingsDiffer)
        #expect(error?.message.contains("learning_rate: 0.07 instead of 0.05") == true)
        #expect(error?.message.contains("seed: 7 instead of 42") == true)
        var data = try TinyRun.settings(data: "shapes:train=72,val=20,size=32")
        data.limits.maximumSteps = 1
        let second = #expect(throws: RunError.self) { try run.train(data) }
        #expect(second?.message.contains("data: shapes:train=72") == true)

        try writeFile(Memory(copying: Array("mine".utf8)), toPath: "\(run.folder.path)/notes.txt")
        other.startsFresh = true
        try run.train(other)
        #expect(try run.folder.record()?.recipe.seed == 7)
        #expect(try FileSystem.text(of: "\(run.folder.path)/notes.txt") == "mine")
    }

    @Test("leave three steps out whose loss is no number, then stop, and keep the good file")
    func stopAtNonFiniteLoss() throws {
        let run = try TinyRun()
        let settings = try TinyRun.settings(["learning_rate": "1e30", "warmup_epochs": "0"])
        let error = #expect(throws: RunError.self) { try run.train(settings) }
        #expect(error?.code == .nonFiniteLoss)
        // The step and the names of its pictures.
        #expect(error?.message.hasPrefix("step ") == true)
        #expect(error?.message.contains("its pictures: ") == true)
        let kept = try Checkpoint(contentsOf: run.folder.last)
        let isFinite = kept.tensors.values.allSatisfy { $0.isFinite }
        #expect(isFinite)
        let events = try FileSystem.text(of: run.folder.metrics).split(separator: "\n")
            .filter { $0.contains("\"kind\":\"event\"") }
        // One for each step, and one more where the step before it turned out to be the guilty one.
        #expect(events.count >= 3)
    }

    @Test("save when asked and go on, stop when asked, also while they evaluate")
    func answerRequests() throws {
        var settings = try TinyRun.settings()
        settings.limits.maximumSteps = 12
        let run = try TinyRun()
        var asked = 0
        let saved = try run.train(settings) {
            asked += 1
            return asked == 3 ? .save : nil
        }
        #expect(saved.notes.contains { $0.hasPrefix("saved ") && $0.hasSuffix("after step 2") })
        #expect(saved.outcome.progress.step == 12)

        // Eight steps ask eight times; the ninth question comes from the evaluation.
        let stopped = try TinyRun()
        asked = 0
        settings.limits.maximumSteps = nil
        let outcome = try stopped.train(settings) {
            asked += 1
            return asked == 9 ? .stop : nil
        }.outcome
        #expect(outcome.ending == .stopped && outcome.progress.step == 8)
        settings.limits.maximumSteps = 12
        try stopped.train(settings)
        let same = try stopped.metrics() == run.metrics()
        #expect(same)
    }

    @Test("finish, tell so again, and describe their weights")
    func finish() throws {
        var settings = try TinyRun.settings(["epochs": "2"])
        let run = try TinyRun()
        let outcome = try run.train(settings).outcome
        #expect(outcome.ending == .finished("all 16 steps are done"))
        #expect(outcome.evaluation?.sampleCount == 20)
        for file in [
            run.folder.config, run.folder.metrics, run.folder.table, run.folder.last,
            run.folder.previous, run.folder.best, run.folder.labels, run.folder.evaluation,
            run.folder.augmented,
        ] {
            #expect(FileSystem.byteCount(of: file) ?? 0 > 0, "\(file)")
        }
        let again = try run.train(settings).outcome
        #expect(again.ending == outcome.ending && again.progress.step == 16)
        #expect(try run.metrics().count == 4 + 5)

        let model = try LoadedModel(contentsOf: run.folder.best)
        #expect(model.architecture == ResNetArchitecture(depth: .resNet18, classCount: 10))
        #expect(model.metadata["resize"] == "32" && model.metadata["crop"] == "32")
        let names = try FileSystem.text(of: run.folder.labels).split(separator: "\n").map(
            String.init)
        #expect(names.count == 10)
        let metadata = try #require(model.metadata["class_names"])
        #expect(try JSONDecoder().decode([String].self, from: Data(metadata.utf8)) == names)
        let recipe = try Recipe(yaml: try #require(model.metadata["recipe"]), name: "recipe")
        #expect(recipe.epochs == 2)

        // Limits may change; here one that has been reached.
        settings.limits.stopAtTop1 = 0
        #expect(try run.train(settings).outcome.ending == outcome.ending)
    }

    @Test("stop early: an accuracy, patience, time")
    func stopEarly() throws {
        var settings = try TinyRun.settings(["epochs": "50"])
        settings.limits.stopAtTop1 = 0.01
        let reached = try TinyRun().train(settings).outcome
        #expect(reached.ending == .finished("the wanted accuracy is reached"))

        settings = try TinyRun.settings(["epochs": "50", "learning_rate": "0"])
        settings.limits.patience = 2
        // With a rate of 0 only running statistics change; accuracy stays where it is sooner or later.
        let patient = try TinyRun().train(settings).outcome
        #expect(patient.ending == .finished("no better accuracy in 2 validations"))
        settings.limits.patience = nil
        settings.limits.maximumSeconds = 1e-6
        let late = try TinyRun().train(settings).outcome
        #expect(late.ending == .finished("the time is up") && late.progress.step == 0)
        #expect(late.evaluation != nil)
    }

    @Test("give a network for other classes a new head, and keep one for the same")
    func replaceHead() throws {
        let first = try TinyRun()
        var settings = try TinyRun.settings(["epochs": "1"])
        try first.train(settings)
        let trained = try LoadedModel(contentsOf: first.folder.best)

        settings.weights = trained
        settings.recipe.epochs = 0
        settings.recipe.warmupEpochs = 0
        let same = try TinyRun()
        try same.train(settings)
        let kept = try LoadedModel(contentsOf: same.folder.best)
        let isKept = areEqual(kept.parameters, trained.parameters)
        #expect(isKept)

        let wide = ResNetArchitecture(depth: .resNet18, classCount: 1000)
        settings.weights = try LoadedModel(
            architecture: wide, parameters: wide.initialParameters(seed: 5))
        let other = try TinyRun()
        try other.train(settings)
        let replaced = try LoadedModel(contentsOf: other.folder.best)
        #expect(replaced.architecture.classCount == 10)
        let weight = try #require(replaced.parameters["fc.weight"]).floats()
        let bias = try #require(replaced.parameters["fc.bias"]).floats()
        // PyTorch's Linear: uniform between ±1 / sqrt(512).
        let bound = Float(1 / 512.0.squareRoot())
        #expect(weight.max() ?? 1 <= bound && weight.min() ?? -1 >= -bound)
        #expect(weight.max() ?? 0 > bound * 0.99 && weight.min() ?? 0 < -bound * 0.99)
        #expect(bias.max() ?? 1 <= bound && bias.contains { $0 != 0 })
        let backbone = try #require(replaced.parameters["layer4.1.conv2.weight"])
        let source = try #require(settings.weights?.parameters["layer4.1.conv2.weight"])
        let isSame = isEqual(backbone, source)
        #expect(isSame)
    }

    @Test("train the classifier alone on features that are computed once")
    func probe() throws {
        let run = try TinyRun()
        var settings = try TinyRun.settings(
            ["features_once": "true", "epochs": "20", "batch_size": "16", "learning_rate": "0.2"])
        let network = ResNetArchitecture(depth: .resNet18, classCount: 1000)
        let start = network.initialParameters(seed: 5)
        settings.weights = try LoadedModel(architecture: network, parameters: start)
        let outcome = try run.train(settings).outcome
        #expect(outcome.ending == .finished("all 80 steps are done"))
        let best = try LoadedModel(contentsOf: run.folder.best)
        var changed: [String] = []
        for (name, tensor) in best.parameters {
            guard let other = start[name], isEqual(tensor, other) else {
                changed.append(name)
                continue
            }
        }
        #expect(changed.sorted() == ["fc.bias", "fc.weight"])
        let losses = try run.metrics().filter { $0.contains("\"train\"") }
        #expect(losses.count == 20)
        // Again: nothing is left to do.
        #expect(try run.train(settings).outcome.progress.step == 80)
    }

    @Test("choose the largest batch that fits")
    func chooseBatch() throws {
        var settings = try TinyRun.settings(["batch_size": "auto"])
        let free = try RunPlan(settings, folder: try TinyRun().folder)
        #expect(free.batchSize == 64)
        let needed = free.step.stateByteCount + free.step.workspaceByteCount
        settings.memoryLimit = needed - 1
        let tight = try RunPlan(settings, folder: try TinyRun().folder)
        #expect(tight.batchSize == 48)
        settings.memoryLimit = 1
        let error = #expect(throws: RunError.self) {
            try RunPlan(settings, folder: try TinyRun().folder)
        }
        #expect(error?.code == .invalidRecipe)
        settings = try TinyRun.settings(["batch_size": "65"])
        let large = #expect(throws: RunError.self) {
            try RunPlan(settings, folder: try TinyRun().folder)
        }
        #expect(large?.message.contains("at most the 64 training pictures") == true)
    }
}
