import FoundationEssentials
import ResNetModel
import Runs
import Testing
import Training

@Suite("Recipes")
struct RecipeTests {
    @Test("are those of the files in Recipes")
    func areTheFiles() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appending(path: "Recipes").path
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
        #expect(files == Recipe.names)
        for name in files {
            let shipped = try Recipe.named(name)
            let read = try Recipe(contentsOf: "\(folder)/\(name).yaml")
            #expect(values(shipped) == values(read), "run Scripts/generate/recipes")
            #expect(shipped.description == read.description && shipped.source == read.source)
        }
    }

    @Test("have NVIDIA's numbers for PyTorch", arguments: [50, 90, 250])
    func haveNVIDIAsPyTorch(epochs: Int) throws {
        let recipe = try Recipe.named("nvidia-pytorch-\(epochs)")
        for batch in [256, 2048] {
            #expect(
                try recipe.learningRateSchedule(batch: batch)
                    == .nvidiaPyTorch(batch: batch, epochs: epochs))
        }
        try expectStep(recipe, mixes: epochs == 250) { .nvidiaPyTorch(precision: $0) }
        #expect(recipe.epochs == Double(epochs) && recipe.mixUp == (epochs == 250 ? 0.2 : 0))
        #expect(recipe.initialisation == Initialisation())
        #expect(recipe.cropMethod == .torchvision && recipe.cropArea == [0.08, 1])
        try expectPictures(recipe)
    }

    @Test("have NVIDIA's numbers for TensorFlow", arguments: [90, 250])
    func haveNVIDIAsTensorFlow(epochs: Int) throws {
        let recipe = try Recipe.named("nvidia-tf-\(epochs)")
        for batch in [256, 2048] {
            #expect(
                try recipe.learningRateSchedule(batch: batch)
                    == .nvidiaTensorFlow(batch: batch, epochs: epochs))
        }
        try expectStep(recipe, mixes: epochs == 250) { .nvidiaTensorFlow(precision: $0) }
        #expect(recipe.epochs == Double(epochs) && recipe.mixUp == (epochs == 250 ? 0.2 : 0))
        #expect(recipe.initialisation == Initialisation(distribution: .truncatedNormal))
        #expect(recipe.cropMethod == .tensorflow && recipe.cropArea == [0.05, 1])
        #expect(recipe.cropAspect == [0.75, 1.33])
        try expectPictures(recipe)
    }

    @Test("have MLPerf's numbers")
    func haveMLPerfs() throws {
        let recipe = try Recipe.named("mlperf-lars")
        #expect(try recipe.learningRateSchedule(batch: 3264) == .mlPerf(peak: 10.5))
        #expect(recipe.peakLearningRate(batch: 32) == 10.5)
        try expectStep(recipe, mixes: false) { .mlPerf(precision: $0) }
        #expect(recipe.epochs == 35 && recipe.batchSize == 3264)
        try expectPictures(recipe)
    }

    @Test("have torchvision's first numbers")
    func haveTorchvisions() throws {
        let recipe = try Recipe.named("torchvision-v1")
        #expect(try recipe.learningRateSchedule(batch: 256) == .torchvision(batch: 256))
        try expectStep(recipe, mixes: false) { .torchvision(precision: $0) }
        #expect(recipe.initialisation.fan == .fanOut && recipe.epochs == 90)
        #expect(recipe.cropMethod == .torchvision && recipe.flip == 0.5)
        try expectPictures(recipe)
    }

    @Test("have torchvision's newer numbers")
    func haveTorchvisionsNewer() throws {
        let recipe = try Recipe.named("torchvision-v2")
        let schedule = try recipe.learningRateSchedule(batch: 1024)
        func rate(_ epoch: Int) -> Double {
            schedule.learningRate(at: TrainingTime(epoch: epoch, stepsPerEpoch: 10))
        }
        // LinearLR(start_factor=0.01, total_iters=5), then CosineAnnealingLR(T_max=595).
        #expect(abs(rate(0) - 0.005) < 1e-12)
        #expect(abs(rate(1) - 0.5 * (0.01 + 0.99 / 5)) < 1e-12)
        #expect(rate(5) == 0.5)
        // cos(0.8 π) with 476 of 595 epochs.
        #expect(abs(rate(5 + 476) - 0.25 * (1 - 0.809_016_994_374_947_5)) < 1e-12)
        let precision = TrainingRecipe.Precision.float32
        let step = recipe.trainingRecipe(precision: precision, classCounts: [1])
        #expect(step.weightDecay == 2e-5 && step.weightDecayGroup == .tensorFlow)
        #expect(step.labelSmoothing == 0.1 && step.targets == .distributions)
        #expect(step.averaging == WeightAveraging(decay: 0.999966, isGradual: false))
        // Five epochs of ten steps, and the copy that an average begins with.
        let held = (0..<100).filter { recipe.holdsAverage(step: $0, stepsPerEpoch: 10) }
        #expect(held == Array(0...50))
        #expect(recipe.mixUp == 0.2 && recipe.cutMix == 1 && recipe.repeats == 4)
        #expect(recipe.augmentation == .trivial && recipe.randomErase == 0.1)
        #expect(recipe.imageSize == 176 && recipe.evaluationResize == 232)
        #expect(recipe.evaluationCrop == 224 && recipe.epochs == 600)
    }

    @Test("of the project's own train what they say")
    func trainWhatTheySay() throws {
        let probe = try Recipe.named("linear-probe")
        #expect(probe.computesFeaturesOnce && probe.frozen == .allButHead)
        let smoke = try Recipe.named("smoke")
        #expect(smoke.depth == .resNet18 && smoke.imageSize == 64 && smoke.epochs == 2)
        let finetune = try Recipe.named("finetune")
        #expect(finetune.peakLearningRate(batch: 64) == 0.02)
        #expect(finetune.frozen == .none && finetune.depth == .resNet50)
    }

    @Test("read back as what they were written from", arguments: Recipe.names)
    func readBack(name: String) throws {
        var recipe = try Recipe.named(name)
        recipe.description = "with \"quotes\", a\nline and # marks"
        let read = try Recipe(yaml: recipe.yaml, name: name)
        #expect(read == recipe)
    }

    @Test("name the key that was meant")
    func nameNearest() throws {
        let error = #expect(throws: RunError.self) {
            try Recipe(yaml: "extends: finetune\nlearning_rat: 1", name: "my.yaml")
        }
        #expect(error?.code == .invalidRecipe)
        #expect(
            error?.message
                == "my.yaml: there is no key learning_rat; did you mean learning_rate?"
                || error?.message.contains("did you mean learning_rate") == true)
        let recipe = #expect(throws: RunError.self) { try Recipe.named("finetun") }
        #expect(recipe?.message.contains("did you mean finetune?") == true)
    }

    @Test(
        "refuse what is out of range or of another kind",
        arguments: [
            "epochs: -1", "epochs: many", "momentum: 1", "depth: 51", "nesterov: maybe",
            "milestones: [30, 20]", "milestones: 30", "crop_area: [0.08]", "crop_area: [0, 1]",
            "image_size: 8", "batch_size: 0", "optimizer: adam", "epochs: [1]", "seed: -1",
            "epochs: nan", "learning_rate: inf",
        ])
    func refuse(line: String) {
        let error = #expect(throws: RunError.self) { try Recipe(yaml: line, name: "x.yaml") }
        #expect(error?.code == .invalidRecipe)
        #expect(error?.message.contains("expected") == true)
    }

    @Test("refuse anchors, deep structures, repeated keys and huge files")
    func refuseHostile() {
        let bomb =
            "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"
        for text in [
            bomb, "epochs: *a", "epochs: {a: 1}", "epochs: [[1]]", "- 1", "epochs: 1\nepochs: 2",
            "epochs: \"", "\t- [", "? [a, b]\n: 1",
            "# " + String(repeating: "x", count: 1 << 20),
        ] {
            let error = #expect(throws: RunError.self) { try Recipe(yaml: text, name: "x.yaml") }
            #expect(error?.code == .invalidRecipe)
        }
        let deep = String(repeating: "[", count: 100_000)
        let error = #expect(throws: RunError.self) {
            try Recipe(yaml: "epochs: " + deep, name: "x.yaml")
        }
        #expect(error?.code == .invalidRecipe)
    }

    @Test("weigh classes by how rare they are")
    func weighClasses() throws {
        #expect(ClassWeighting.none.weights(counts: [1, 99]) == nil)
        #expect(ClassWeighting.auto.weights(counts: [10, 20]) == nil)
        let inverse = try #require(ClassWeighting.auto.weights(counts: [10, 30, 0]))
        #expect(abs(inverse[0] - 1.5) < 1e-12 && abs(inverse[1] - 0.5) < 1e-12)
        #expect(inverse[2] == 0)
        let effective = try #require(ClassWeighting.effective.weights(counts: [1, 10_000]))
        // (1 - β) / (1 - β^n): 1 and 1.58193e-4, divided by their mean.
        #expect(abs(effective[1] / effective[0] - 1.581_930_7e-4) < 1e-9)
        #expect(abs(effective[0] + effective[1] - 2) < 1e-12)
    }

    private func values(_ recipe: Recipe) -> [String] {
        recipe.values.map { "\($0.key)=\($0.text)" }
    }

    /// Holds a recipe's step to a preset, in float16, too, where alone there is a loss scale.
    private func expectStep(
        _ recipe: Recipe, mixes: Bool, like preset: (TrainingRecipe.Precision) -> TrainingRecipe
    ) throws {
        for precision in TrainingRecipe.Precision.allCases {
            var expected = preset(precision)
            expected.targets = mixes ? .distributions : .labels
            let step = recipe.trainingRecipe(precision: precision, classCounts: [1])
            #expect(step == expected)
        }
    }

    private func expectPictures(_ recipe: Recipe) throws {
        #expect(recipe.imageSize == 224 && recipe.flip == 0.5 && recipe.colorJitter == 0)
        #expect(recipe.evaluationResize == 256 && recipe.evaluationCrop == 224)
        #expect(recipe.augmentation == .none && recipe.randomErase == 0 && recipe.cutMix == 0)
        #expect(recipe.depth == .resNet50 && recipe.variant == .v1_5 && recipe.repeats == 1)
    }
}
