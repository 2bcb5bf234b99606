import Inference
import ModelFormats
import ResNetModel
import Tensors
import TestSupport
import Testing

/// Real weights, real photos, and the logits that PyTorch 2.13 gives for them in float32 on a CPU.
@Suite(
    "Parity with PyTorch", .serialized,
    .enabled(if: SharedData.isAvailable, "RESNET_SHARED_DATA names no folder, or xz is missing"))
struct ParityTests {
    private struct Run {
        var logits: [[Float]]
        var reference: [[Float]]
        var classes: [Int]
    }

    /// Without optimisation a few of the photos have to do, float32 being slowest.
    private static func step(_ precision: Precision) -> Int {
        #if DEBUG
            precision == .fp32 ? 50 : 10
        #else
            1
        #endif
    }

    private func run(weights: String, reference: String, _ precision: Precision) async throws -> Run
    {
        let photos = try SharedData.photos()
        #expect(photos.count == 200)
        let chosen = photos.indices.filter { $0.isMultiple(of: Self.step(precision)) }
        var options = Classifier.Options()
        options.precision = precision
        let classifier = try await Classifier(
            weights: SharedData.weights(weights), options: options)
        var logits: [[Float]] = []
        for try await outcome in classifier.classify(each: chosen.map { .file(photos[$0].path) }) {
            logits.append(try outcome.result.get().logits)
        }
        let path = "\(SharedData.folder ?? "")/photos/reference_logits_\(reference).npy"
        let tensor = try NumPyFile.read(contentsOf: path)
        #expect(tensor.shape == [200, 1000])
        let values = tensor.floats()
        return Run(
            logits: logits, reference: chosen.map { Array(values[$0 * 1000..<($0 + 1) * 1000]) },
            classes: chosen.map { photos[$0].index })
    }

    @Test(
        "gives PyTorch's logits in float32, and its classes",
        arguments: [
            ("resnet50_v1_5.pth", "resnet50_v1_5"), ("resnet50_v1.safetensors", "resnet50_v1"),
        ])
    func agrees(weights: String, reference: String) async throws {
        let run = try await run(weights: weights, reference: reference, .fp32)
        var worst: Float = 0
        for (found, wanted) in zip(run.logits, run.reference) {
            for (first, second) in zip(found, wanted) { worst = max(worst, abs(first - second)) }
            let order = wanted.sorted(by: >)
            // Closer calls than this are within the rounding of either program.
            if order[0] - order[1] > 0.01 { #expect(top(found) == top(wanted)) }
        }
        // Reordered sums of up to 4,608 products in 53 layers; PyTorch's own noise is about a hundredth.
        #expect(worst < 1e-3)
        let right = zip(run.logits, run.classes).count { top($0) == $1 }
        let known = zip(run.reference, run.classes).count { top($0) == $1 }
        #expect(right == known)
        if Self.step(.fp32) == 1 { #expect(right == 170) }
    }

    @Test("names the same class in bfloat16 for 97 of 100 photos")
    func agreesInBFloat16() async throws {
        let run = try await run(
            weights: "resnet50_v1_5.pth", reference: "resnet50_v1_5", .bf16)
        let same = zip(run.logits, run.reference).count { top($0) == top($1) }
        #expect(same * 100 >= run.logits.count * 97)
    }

    private func top(_ logits: [Float]) -> Int {
        logits.indices.max { logits[$0] < logits[$1] } ?? -1
    }
}
