import Datasets
import Devices
import Images
import Inference
import ModelFormats
import Runs
import Tensors
import TestSupport
import Testing

@Suite("Accuracy on photos")
struct PhotoAccuracyTests {
    @Test(
        "is what the reference logits give, to the photo",
        .enabled(if: SharedData.isAvailable, "there are no shared photos, or no xz to unpack"),
        arguments: [
            ("resnet50_v1_5.pth", "reference_logits_resnet50_v1_5.npy"),
            ("resnet50_v1.safetensors", "reference_logits_resnet50_v1.npy"),
        ])
    func photos(weights: String, reference: String) throws {
        let folder = SharedData.folder ?? ""
        let opened = try Dataset.open("\(folder)/photos/labels.csv")
        let model = try LoadedModel(contentsOf: SharedData.weights(weights))
        let mapping = try LabelMapping(from: opened, to: .imageNet)
        let dataset = mapping.apply(to: opened)
        let evaluator = try Evaluator(
            architecture: model.architecture, parameters: model.parameters,
            device: openDevice(.auto), precision: .float32, transform: .standard, batch: 24,
            workers: 2)
        let result = try evaluator.evaluate(dataset)
        #expect(result.sampleCount == 200)
        #expect(result.top1Count == 170)

        // The same metrics of the logits that PyTorch gave.
        let logits = try NumPyFile.read(contentsOf: "\(folder)/photos/\(reference)")
        let rows = logits.floats()
        var accumulator = EvaluationAccumulator(
            dataset: dataset.name, classNames: dataset.classNames, temperature: 1)
        for (position, sample) in dataset.samples.enumerated() {
            accumulator.add(
                views: [rows[position * 1000..<(position + 1) * 1000]], label: sample.label,
                name: sample.name, position: position)
        }
        let expected = accumulator.result(
            skipped: [], testTimeAugmentation: .none, seconds: 0)
        #expect(result.confusion == expected.confusion)
        #expect(result.top5Count == expected.top5Count)
        #expect(result.macroF1 == expected.macroF1)
        // Logits agree within 1e-3, and so do their logarithms of sums.
        #expect(abs(result.crossEntropy - expected.crossEntropy) < 1e-3)
        let worst = result.worst.prefix(10).map { $0.position }
        #expect(worst == expected.worst.prefix(10).map { $0.position })
    }
}
