import Graph
import ResNetModel
import Testing
import Training

@Suite("Recipes")
struct TrainingRecipeTests {
    private let model = ResNetArchitecture()

    private func decayed(_ group: WeightDecayGroup) -> [String] {
        model.parameterList.filter { group.contains($0) }.map(\.name)
    }

    @Test("all parameters decay, but never running statistics")
    func all() {
        #expect(decayed(.all).count == 161)
        #expect(!decayed(.all).contains { $0.contains("running") })
    }

    @Test("neither batch norms nor the bias decay")
    func none() {
        let names = decayed(.noneOnNormalizationAndBias)
        // 53 convolutions and the classifier's weight.
        #expect(names.count == 54)
        #expect(names.contains("conv1.weight") && names.contains("fc.weight"))
        #expect(!names.contains("bn1.weight") && !names.contains("fc.bias"))
        #expect(!names.contains("layer1.0.downsample.1.weight"))
    }

    @Test("by NVIDIA's rule projections' batch norms and the bias decay")
    func byName() {
        let names = decayed(.nvidiaByName)
        // 161 less the scale and shift of 49 batch norms that are called bn.
        #expect(names.count == 63)
        #expect(names.contains("layer1.0.downsample.1.weight") && names.contains("fc.bias"))
        #expect(names.contains("layer4.0.downsample.1.bias"))
        #expect(!names.contains("bn1.weight") && !names.contains("layer4.2.bn3.bias"))
    }

    @Test("by TensorFlow's rule the bias decays, no batch norm does")
    func tensorFlow() {
        let names = decayed(.tensorFlow)
        #expect(names.count == 55)
        #expect(names.contains("fc.bias") && !names.contains("layer1.0.downsample.1.weight"))
    }

    @Test("a parameter outside the group decays by 0")
    func weightDecay() throws {
        let recipe = TrainingRecipe.nvidiaPyTorch()
        let list = model.parameterList
        let first = try #require(list.first { $0.name == "conv1.weight" })
        let second = try #require(list.first { $0.name == "bn1.weight" })
        #expect(recipe.weightDecay(of: first) == 3.051_757_812_5e-5)
        #expect(recipe.weightDecay(of: second) == 0)
    }

    @Test("presets are as published")
    func presets() {
        let pyTorch = TrainingRecipe.nvidiaPyTorch(precision: .float16)
        #expect(pyTorch.optimizer == .sgd(momentum: 0.875))
        #expect(pyTorch.labelSmoothing == 0.1)
        #expect(
            pyTorch.lossScaling
                == .dynamic(
                    initial: 128, rule: LossScaleRule(growth: 2, backoff: 0.5, interval: 100)))
        #expect(TrainingRecipe.nvidiaPyTorch().lossScaling == .none)
        #expect(TrainingRecipe.nvidiaPyTorch().precision == .bfloat16)
        let tensorFlow = TrainingRecipe.nvidiaTensorFlow(precision: .float16)
        #expect(tensorFlow.lossScaling == .fixed(128))
        #expect(tensorFlow.weightDecayGroup == .tensorFlow)
        #expect(TrainingRecipe.torchvision() == TrainingRecipe())
        #expect(TrainingRecipe.mlPerf().optimizer == .lars(momentum: 0.9, coefficient: 0.001))
        #expect(TrainingRecipe.mlPerf().weightDecay == 5e-5)
    }

    @Test("the average's share falls as NVIDIA's does")
    func averageShare() {
        let averaging = WeightAveraging(decay: 0.9999)
        // 1 - (1 + step) / (10 + step) = 9 / (10 + step).
        #expect(abs(averaging.share(step: 0) - 0.9) <= 1e-15)
        #expect(abs(averaging.share(step: 80) - 0.1) <= 1e-15)
        #expect(abs(averaging.share(step: 1_000_000) - 0.0001) <= 1e-15)
        #expect(WeightAveraging(decay: 0.75, isGradual: false).share(step: 0) == 0.25)
    }

    /// What to break in a recipe, and how the message calls it.
    private static let breakages: [(String, @Sendable (inout TrainingRecipe) -> Void)] = [
        ("momentum", { $0.optimizer = .sgd(momentum: 1) }),
        ("momentum", { $0.optimizer = .lars(momentum: -0.1) }),
        ("coefficient", { $0.optimizer = .lars(coefficient: 0) }),
        ("epsilon of LARS", { $0.optimizer = .lars(epsilon: -1) }),
        ("weight decay", { $0.weightDecay = .nan }),
        ("label smoothing", { $0.labelSmoothing = 1.5 }),
        ("clip norm", { $0.gradientClipNorm = 0 }),
        ("average", { $0.averaging = WeightAveraging(decay: 1) }),
        ("micro-batches", { $0.microBatchCount = 0 }),
        ("multiple of 3 micro-batches", { $0.microBatchCount = 3 }),
        ("loss scale", { $0.lossScaling = .fixed(0) }),
        ("loss scale", { $0.lossScaling = .dynamic(initial: .infinity) }),
        ("growth", { $0.lossScaling = .dynamic(rule: LossScaleRule(growth: 0.5)) }),
        ("backoff", { $0.lossScaling = .dynamic(rule: LossScaleRule(backoff: 1)) }),
        ("interval", { $0.lossScaling = .dynamic(rule: LossScaleRule(interval: 0)) }),
        ("epsilon of batch norms", { $0.normalization.epsilon = 0 }),
        ("momentum of batch norms", { $0.normalization.momentum = 1.5 }),
        ("weight of class 1", { $0.classWeights = [1, -1, 1, 1] }),
        ("only zeros", { $0.classWeights = [0, 0, 0, 0] }),
    ]

    @Test("a number out of its range is an error", arguments: breakages.indices)
    func invalid(index: Int) {
        let (name, breakage) = Self.breakages[index]
        var recipe = TrainingRecipe()
        breakage(&recipe)
        let error = #expect(throws: TrainingError.self) {
            try TrainingGraphs(
                model: ResNetArchitecture(depth: .resNet18, classCount: 4), recipe: recipe,
                batch: 4, imageSize: 64)
        }
        #expect(error?.code == .invalidRecipe)
        #expect(error?.message.contains(name) == true, "\(error?.message ?? "none")")
    }

    @Test("class weights for another number of classes are an error")
    func classWeightCount() {
        let error = #expect(throws: TrainingError.self) {
            try TrainingGraphs(
                model: ResNetArchitecture(depth: .resNet18, classCount: 4),
                recipe: TrainingRecipe(classWeights: [1, 2, 3]), batch: 4, imageSize: 64)
        }
        #expect(error?.code == .classWeightCount)
        #expect(error?.message == "class weights: expected 4, one a class, found 3")
    }
}
