public import Datasets
import Images
import Inference
public import Native
import ResNetModel
import Tensors

/// A picture that a network got wrong, and where in it the class is seen that it was taken for.
public struct WorstPicture: Sendable {
    /// The sample.
    public let sample: EvaluationResult.WorstSample
    /// What the network was shown, as JPEG.
    public let picture: Memory
    /// The same with the map of the predicted class over it, as JPEG.
    public let map: Memory
}

extension Evaluator {
    /// Draws the pictures with the largest losses, with their activation maps.
    ///
    /// - Parameters:
    ///   - result: what `evaluate` found.
    ///   - dataset: what it was given.
    ///   - count: how many pictures at most.
    /// - Returns: those that are named wrongly or whose class has less than half of the probability, the worst first;
    ///   pictures that can be read no more are left out.
    /// - Throws: `DatasetError` with code `.unreadable` where memory is short; `ImageError`, `ExecutionError`.
    public func worstPictures(
        of result: EvaluationResult, in dataset: Dataset, count: Int = 12
    ) throws -> [WorstPicture] {
        let wanted = result.worst
            .filter { $0.predicted != $0.label || $0.probability < 0.5 }
            .prefix(count)
        return try wanted.compactMap { sample in
            guard dataset.samples.indices.contains(sample.position),
                (0..<runner.model.architecture.classCount).contains(sample.predicted),
                let picture = try dataset.picture(at: sample.position, transform: transform)
            else { return nil }
            let map = try activationMap(of: picture, class: sample.predicted)
            return WorstPicture(
                sample: sample, picture: try encodeJPEG(picture, quality: 85),
                map: try encodeJPEG(try map.overlay(on: picture), quality: 85))
        }
    }

    private func activationMap(of picture: Image, class classIndex: Int) throws -> ActivationMap {
        // The outputs of evaluation and one more: a step of its own, for one picture.
        let results = try runner.run([picture], batch: 1, outputs: [.logits, .activations])
        let activations = (results[.activations] ?? [])[...]
        let featureCount = runner.model.architecture.featureCount
        let side = (transform.crop + 31) / 32
        let weights = runner.model.parameters["fc.weight"]?.floats() ?? []
        let row = weights[classIndex * featureCount..<(classIndex + 1) * featureCount]
        return ActivationMap(
            classIndex: classIndex, weights: Array(row), activations: activations, width: side,
            height: side)
    }
}

extension RunFolder {
    /// Keeps the worst pictures for the report, which is made without the data; older ones go.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    public func writeWorst(_ pictures: [WorstPicture]) throws(RunError) {
        do {
            try FileSystem.makeFolder(worst)
            for (name, kind) in try folderContents(atPath: worst)
            where kind == .regular && name.hasSuffix(".jpg") {
                try FileSystem.removeFile("\(worst)/\(name)")
            }
            for picture in pictures {
                try writeFile(picture.picture, toPath: path(of: picture.sample))
                try writeFile(picture.map, toPath: mapPath(of: picture.sample))
            }
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
    }

    /// The pictures that `writeWorst` kept of an evaluation.
    func worstPictures(of result: EvaluationResult) -> [WorstPicture] {
        result.worst.compactMap { sample in
            // A file that is gone is a picture that the page does not show.
            guard let picture = try? Memory(mapping: path(of: sample)),
                let map = try? Memory(mapping: mapPath(of: sample))
            else { return nil }
            return WorstPicture(sample: sample, picture: picture, map: map)
        }
    }

    /// The folder of the pictures with the largest losses.
    public var worst: String { "\(path)/worst" }

    private func path(of sample: EvaluationResult.WorstSample) -> String {
        "\(worst)/\(sample.position)-as-\(sample.predicted).jpg"
    }

    private func mapPath(of sample: EvaluationResult.WorstSample) -> String {
        "\(worst)/\(sample.position)-as-\(sample.predicted)-map.jpg"
    }
}
