import CPUBackend
import Execution
import Images
import Native
import ResNetModel
import Tensors
import TestSupport
import Testing
import Training

/// ResNet-50 learns 32 real photos by heart, from random weights.
@Suite(
    "Overfitting",
    .enabled(
        if: SharedData.path("photos/labels.csv") != nil && isOptimizedBuild,
        "RESNET_SHARED_DATA names no folder, or there is no optimisation"))
struct OverfittingTests {
    private static let stepCount = 40

    private func losses(_ precision: TrainingRecipe.Precision, seed: UInt64) throws -> [Double] {
        let model = ResNetArchitecture(classCount: 32)
        let recipe = TrainingRecipe(
            optimizer: .sgd(momentum: 0.9), weightDecay: 0, precision: precision)
        let step = try TrainingStep.compile(
            model: model, recipe: recipe, batch: 32, imageSize: 96, backend: CPUBackend())
        var state = try step.initialState(parameters: model.initialParameters(seed: seed))
        let batch = TrainingBatch(
            images: try Self.photos(count: 32, size: 96),
            targets: .labels(Array(0..<32)))
        return try (0..<Self.stepCount).map { index in
            try step.run(
                batch, learningRate: min(0.02, 0.002 * Double(index + 1)), state: &state
            ).loss
        }
    }

    /// The first photos, cut to squares: uint8 `[count, size, size, 3]`.
    private static func photos(count: Int, size: Int) throws -> HostTensor {
        let paths = try SharedData.photos().map { $0.path }.sorted().prefix(count)
        try #require(paths.count == count)
        let transform = try EvaluationTransform(resize: size, crop: size)
        var pixels: [UInt8] = []
        for path in paths {
            let bytes = try transform.apply(to: try Image(contentsOf: path)).pixels
            let row = try HostTensor(
                elementType: .uint8, shape: [bytes.byteCount], memory: bytes)
            pixels += row.elements(UInt8.self)
        }
        return HostTensor(pixels, shape: [count, size, size, 3])
    }

    @Test("reaches a loss below 0.05 in bfloat16, on the curve of float32")
    func learnsByHeart() throws {
        let narrow = try losses(.bfloat16, seed: 1)
        let wide = try losses(.float32, seed: 1)
        #expect((narrow.last ?? 1) < 0.05, "\(narrow)")
        #expect((wide.last ?? 1) < 0.05, "\(wide)")
        // The first steps are the same but for rounding; from then on roundings grow as any other noise does, and
        // shift the fall by a few steps of some twenty-five.
        for step in 0..<5 { #expect(abs(narrow[step] / wide[step] - 1) <= 0.04, "step \(step)") }
        for loss in [1, 0.05] {
            let steps = [narrow, wide].map { losses in losses.firstIndex { $0 < loss } ?? 1000 }
            #expect(abs(steps[0] - steps[1]) <= 5, "below \(loss) after \(steps)")
        }
    }
}
