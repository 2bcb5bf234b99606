import CPUBackend
import Execution
import FoundationEssentials
import Images
import Native
import ResNetModel
import Tensors
import Testing
import Training

/// ResNet-50 learns 32 real photos by heart, from random weights.
@Suite(
    "Overfitting",
    .enabled(
        if: SharedPhotos.folder != nil && isOptimizedBuild,
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
            images: try SharedPhotos.images(count: 32, size: 96),
            targets: .labels(Array(0..<32)))
        return try (0..<Self.stepCount).map { index in
            try step.run(
                batch, learningRate: min(0.02, 0.002 * Double(index + 1)), state: &state
            ).loss
        }
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

/// The real photos that the project is checked against.
enum SharedPhotos {
    private static let root =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    /// Their folder: in `RESNET_SHARED_DATA`, else beside the package.
    static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["RESNET_SHARED_DATA"]
        let path = (named ?? root + "/../shared/data") + "/photos"
        return FileManager.default.fileExists(atPath: path + "/labels.csv") ? path : nil
    }()

    /// The first photos by name, cut to squares: uint8 `[count, size, size, 3]`.
    static func images(count: Int, size: Int) throws -> HostTensor {
        let folder = (folder ?? "") + "/images"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".png") }.sorted().prefix(count)
        guard names.count == count else { throw CocoaError(.fileNoSuchFile) }
        let transform = try EvaluationTransform(resize: size, crop: size)
        var pixels: [UInt8] = []
        for name in names {
            let picture = try Image(contentsOf: "\(folder)/\(name)")
            let bytes = try transform.apply(to: picture).pixels
            let row = try HostTensor(
                elementType: .uint8, shape: [bytes.byteCount], memory: bytes)
            pixels += row.elements(UInt8.self)
        }
        return HostTensor(pixels, shape: [count, size, size, 3])
    }
}
