import Datasets
import Devices
import Foundation
import Images
import Inference
import ModelFormats
import Runs
import Tensors
import Testing

@Suite("Accuracy on photos")
struct PhotoAccuracyTests {
    @Test(
        "is what the reference logits give, to the photo",
        .enabled(if: SharedPhotos.isAvailable, "there are no shared photos, or no xz to unpack"),
        arguments: [
            ("resnet50_v1_5.pth", "reference_logits_resnet50_v1_5.npy"),
            ("resnet50_v1.safetensors", "reference_logits_resnet50_v1.npy"),
        ])
    func photos(weights: String, reference: String) throws {
        let folder = SharedPhotos.folder ?? ""
        let opened = try Dataset.open("\(folder)/photos/labels.csv")
        let model = try LoadedModel(contentsOf: SharedPhotos.weights(weights))
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

/// The real weights and photos that the project is checked against.
private enum SharedPhotos {
    private static let root =
        "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

    static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["RESNET_SHARED_DATA"]
        let path = named ?? root + "/../shared/data"
        return FileManager.default.fileExists(atPath: path + "/photos/labels.csv") ? path : nil
    }()

    private static let unpacker: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
        .split(separator: ":").map { "\($0)/xz" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    static var isAvailable: Bool { folder != nil && unpacker != nil }

    /// A weight file, unpacked once into `.build/test-weights`.
    static func weights(_ name: String) throws -> String {
        let path = "\(root)/.build/test-weights/\(name)"
        let files = FileManager.default
        if files.fileExists(atPath: path) { return path }
        try files.createDirectory(
            atPath: root + "/.build/test-weights", withIntermediateDirectories: true)
        let part = "\(path).\(UUID().uuidString)"
        _ = files.createFile(atPath: part, contents: nil)
        let process = Process()
        process.executableURL = URL(filePath: unpacker ?? "")
        process.arguments = ["-dc", "\(folder ?? "")/weights/\(name).xz"]
        process.standardOutput = FileHandle(forWritingAtPath: part)
        try process.run()
        process.waitUntilExit()
        if files.fileExists(atPath: path) {
            try files.removeItem(atPath: part)
        } else {
            try files.moveItem(atPath: part, toPath: path)
        }
        return path
    }
}
