import Datasets
import Images
import Inference
import Native
import ResNetModel
import Runs
import Tensors
import Testing

@Suite("Runs that meet trouble", .serialized)
struct TroubledRunTests {
    /// A folder of small pictures of two classes in train and val, some of whose files are no pictures.
    private func pictures(
        training: Int = 16, validation: Int = 8, badTraining: Int = 0, badValidation: Int = 0
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let parts = [("train", training, badTraining), ("val", validation, badValidation)]
        for (part, count, badCount) in parts {
            for index in 0..<count + badCount {
                let place = "\(folder.path)/\(part)/\(index % 2 == 0 ? "a" : "b")"
                try createFolder(atPath: place)
                let seed = UInt64(index + (part == "train" ? 0 : 1000))
                let bytes =
                    index < count
                    ? try encodePNG(try NumberedPictures.picture(seed))
                    : Memory(copying: Array("no picture \(index)".utf8))
                let name = index < count ? "\(index).png" : "bad-\(index).png"
                try writeFile(bytes, toPath: "\(place)/\(name)")
            }
        }
        return folder
    }

    private func lines(of path: String) throws -> [Substring] {
        try FileSystem.text(of: path).split(separator: "\n")
    }

    @Test("name validation pictures that cannot be read, and end where they are too many")
    func noteValidationPictures() throws {
        let data = try pictures(badValidation: 2)
        var settings = try TinyRun.settings(["epochs": "1"], data: data.path)
        settings.maximumBadShare = 0.5
        let run = try TinyRun()
        let outcome = try run.train(settings).outcome
        #expect(outcome.skippedCount == 2)
        #expect(try lines(of: run.folder.skipped).count == 2)
        #expect(try FileSystem.text(of: run.folder.skipped).contains("bad-8.png"))

        settings.maximumBadShare = 0.1
        let strict = try TinyRun()
        let error = #expect(throws: DatasetError.self) { try strict.train(settings) }
        #expect(error?.code == .tooManyBad)
        #expect(try lines(of: strict.folder.skipped).count == 2)
    }

    @Test("name training pictures that cannot be read where they are too many")
    func noteTrainingPictures() throws {
        let data = try pictures(badTraining: 12)
        let settings = try TinyRun.settings(data: data.path)
        let run = try TinyRun()
        let error = #expect(throws: DatasetError.self) { try run.train(settings) }
        #expect(error?.code == .tooManyBad)
        #expect(try !lines(of: run.folder.skipped).isEmpty)
    }

    @Test("leave a damaged file where it is until a new state takes its place")
    func keepDamaged() throws {
        var settings = try TinyRun.settings()
        settings.checkpointSteps = 2
        settings.limits.maximumSteps = 5
        let run = try TinyRun()
        try run.train(settings)
        let damaged = Memory(copying: Array("no tensors".utf8))
        try writeFile(damaged, toPath: run.folder.last)
        let before = try Memory(reading: run.folder.previous).array
        let plan = try RunPlan(settings, folder: run.folder)
        do {
            let opened = try Trainer(
                plan, folder: run.folder, observer: { _ in }, requests: { nil })
            withExtendedLifetime(opened) {}
        }
        #expect(try FileSystem.text(of: run.folder.last) == "no tensors")
        settings.limits.maximumSteps = 6
        settings.checkpointSteps = nil
        let again = try run.train(settings)
        #expect(again.notes.contains("resumed from previous.safetensors after step 4"))
        #expect(try Checkpoint(contentsOf: run.folder.last).progress.step == 6)
        let after = try Memory(reading: run.folder.previous).array
        let isKept = before == after
        #expect(isKept)
    }

    @Test("wait for a higher accuracy: a lower loss at the same is no reason to go on")
    func bePatient() {
        var progress = RunProgress()
        let first = progress.note(top1: 0.5, loss: 2)
        let same = progress.note(top1: 0.5, loss: 1)
        #expect(first && same && progress.validationsSinceBest == 1)
        let worse = progress.note(top1: 0.5, loss: 1.5)
        #expect(!worse && progress.validationsSinceBest == 2)
        let better = progress.note(top1: 0.6, loss: 3)
        #expect(better && progress.validationsSinceBest == 0)
    }

    @Test("refuse to start from weights that are no numbers, and name them")
    func refuseNotANumber() throws {
        let network = ResNetArchitecture(depth: .resNet18, classCount: 10)
        var parameters = network.initialParameters(seed: 5)
        parameters["bn1.bias"] = HostTensor(repeating: .nan, shape: [64])
        var settings = try TinyRun.settings()
        settings.weights = try LoadedModel(architecture: network, parameters: parameters)
        let run = try TinyRun()
        let error = #expect(throws: RunError.self) { try run.train(settings) }
        #expect(error?.code == .badWeights)
        #expect(error?.message.contains("bn1.bias") == true)
    }

    @Test("take weights whose logits are no numbers for a step whose loss is none")
    func noticeHugeWeights() throws {
        let network = ResNetArchitecture(depth: .resNet18, classCount: 10)
        var parameters = network.initialParameters(seed: 5)
        // Finite, as each of its features is; their sums are not.
        parameters["fc.weight"] = HostTensor(repeating: 3e38, shape: [10, 512])
        parameters["bn1.bias"] = HostTensor(repeating: 100, shape: [64])
        var settings = try TinyRun.settings()
        settings.weights = try LoadedModel(architecture: network, parameters: parameters)
        settings.limits.maximumSeconds = 1e-9
        let run = try TinyRun()
        let error = #expect(throws: RunError.self) { try run.train(settings) }
        #expect(error?.code == .nonFiniteLoss)
    }

    /// Settings of a probe, from weights that were drawn.
    private func probe(_ changes: [String: String] = [:]) throws -> RunSettings {
        let base = ["features_once": "true", "batch_size": "16", "learning_rate": "0.2"]
        var settings = try TinyRun.settings(base.merging(changes) { $1 })
        let network = ResNetArchitecture(depth: .resNet18, classCount: 10)
        settings.weights = try LoadedModel(
            architecture: network, parameters: network.initialParameters(seed: 5))
        return settings
    }

    @Test("train classifiers for parts of epochs, and until a limit is reached")
    func limitProbe() throws {
        // Four steps an epoch.
        let part = try TinyRun().train(try probe(["epochs": "2.5"])).outcome
        #expect(part.ending == .finished("all 10 steps are done"))
        #expect(part.progress.step == 10)

        var settings = try probe(["epochs": "500"])
        settings.limits.maximumSteps = 6
        let run = try TinyRun()
        let short = try run.train(settings).outcome
        #expect(short.ending == .finished("the limit of 6 steps is reached"))
        #expect(short.progress.step == 6 && short.evaluation?.sampleCount == 20)
        // Again: nothing is left to do.
        let again = try run.train(settings).outcome
        #expect(again.ending == short.ending && again.evaluation == nil)

        settings.limits.maximumSteps = nil
        settings.limits.stopAtTop1 = 0
        let reached = try TinyRun().train(settings).outcome
        #expect(reached.ending == .finished("the wanted accuracy is reached"))
        #expect(reached.progress.step == 4)
        settings.limits.stopAtTop1 = nil
        settings.recipe.learningRate = 0
        settings.limits.patience = 2
        let patient = try TinyRun().train(settings).outcome
        #expect(patient.ending == .finished("no better accuracy in 2 validations"))
        #expect(patient.progress.step == 12)
        settings.limits.patience = nil
        settings.limits.maximumSeconds = 1e-9
        let late = try TinyRun().train(settings).outcome
        #expect(late.ending == .finished("the time is up") && late.progress.step == 0)
    }

    @Test(
        "refuse what a classifier on features would leave out",
        arguments: ["mixup", "cutmix", "ema", "clip_norm"])
    func refuseIgnored(key: String) throws {
        let settings = try probe([key: "0.5"])
        let error = #expect(throws: RunError.self) { try TinyRun().train(settings) }
        #expect(error?.code == .invalidRecipe)
        #expect(error?.message.hasPrefix("\(key): expected 0 with features_once") == true)
    }

    @Test("keep the average at the weights until the warm-up ends, where the recipe says so")
    func holdAverage() throws {
        // Eight steps an epoch; the step after the warm-up takes a copy, too.
        for (steps, held) in [(5, true), (9, true), (12, false)] {
            var settings = try TinyRun.settings([
                "ema": "0.9", "ema_gradual": "false", "ema_after_warmup": "true",
                "warmup_epochs": "1",
            ])
            settings.limits.maximumSteps = steps
            let run = try TinyRun()
            try run.train(settings)
            let state = try Checkpoint(contentsOf: run.folder.last).tensors
            let weights = try #require(state["conv1.weight"]).floats()
            let averages = try #require(state["ema.conv1.weight"]).floats()
            // average + (weight - average) may round twice in float32.
            var isNear = true
            for (weight, average) in zip(weights, averages)
            where abs(weight - average) > 1e-6 * max(1e-3, abs(weight)) {
                isNear = false
            }
            #expect(isNear == held, "after \(steps) steps")
        }
    }

    @Test("let TensorBoard keep what the step of their checkpoint showed")
    func keepEvents() throws {
        var settings = try TinyRun.settings()
        settings.limits.maximumSteps = 8
        let run = try TinyRun()
        try run.train(settings)
        settings.limits.maximumSteps = 9
        try run.train(settings)
        let files = try folderContents(atPath: run.folder.path).map { $0.name }
            .filter { $0.hasPrefix("events.out.tfevents.") }
        #expect(files.count == 2)
        let starts = try files.map { try startingStep(of: "\(run.folder.path)/\($0)") }
        #expect(starts == [0, 9])
    }

    /// The step from which on an events file holds: that of its second event.
    ///
    /// A record is its length in 8 bytes, 4 of their sum, the event, and 4 of its sum; an event is 9 bytes of time, then
    /// a mark and the step, which is below 128 here.
    private func startingStep(of path: String) throws -> UInt8 {
        let bytes = try Memory(reading: path).array
        let second = 12 + Int(bytes[0]) + 4
        let event = bytes[(second + 12)...]
        let mark = event[event.startIndex + 9]
        // A step of 0 may be left out of the message.
        return mark == 0x10 ? event[event.startIndex + 10] : 0
    }

    @Test("go on with a list of skipped pictures whose last line was not finished")
    func mendSkips() throws {
        let data = try pictures(badValidation: 1)
        var settings = try TinyRun.settings(["epochs": "1"], data: data.path)
        settings.maximumBadShare = 0.5
        settings.limits.maximumSteps = 1
        let run = try TinyRun()
        try run.train(settings)
        let whole = #"{"path":"old.png","reason":"cut"}"# + "\n"
        try writeFile(
            Memory(copying: Array((whole + #"{"path":"hal"#).utf8)), toPath: run.folder.skipped)
        settings.limits.maximumSteps = nil
        let outcome = try run.train(settings).outcome
        #expect(outcome.skippedCount == 2)
        let found = try FileSystem.text(of: run.folder.skipped)
        #expect(found.hasPrefix(whole + "{\"path\":\"") && !found.contains("hal{"))
        #expect(found.split(separator: "\n").count == 2)
    }
}
