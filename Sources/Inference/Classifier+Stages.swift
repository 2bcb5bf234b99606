public import Images
public import Native
import ResNetModel
import Tensors

/// A picture to classify.
public enum ClassifierInput: Sendable {
    /// The path of a file.
    case file(String)
    /// The bytes of a file.
    case bytes(Memory)
    /// A decoded picture.
    case image(Image)
    /// Bytes that are yet to be had, as from a network; the function must not block its thread.
    case deferred(@Sendable () async throws -> Memory)
}

/// A picture that a thread can decode without waiting for anything but the disk.
enum DecodableInput: Sendable {
    case file(String)
    case bytes(Memory)
    case image(Image)
}

extension ClassifierInput {
    /// The bytes, if they are yet to be had.
    func fetched() async throws -> DecodableInput {
        switch self {
        case .file(let path): .file(path)
        case .bytes(let bytes): .bytes(bytes)
        case .image(let image): .image(image)
        case .deferred(let read): .bytes(try await read())
        }
    }
}

/// A picture as the network takes it.
struct PreparedInput: Sendable {
    var picture: Image
    var width: Int
    var height: Int
    var duration: Duration
}

extension Classifier {
    static func outputs(withActivationMaps: Bool) -> Set<ResNetOutput> {
        withActivationMaps ? [.logits, .activations] : [.logits]
    }

    /// Decodes and prepares on a decoder's thread.
    func prepare(_ input: ClassifierInput) async throws -> PreparedInput {
        let (limits, transform) = (options.decodeLimits, transform)
        let decodable = try await input.fetched()
        return try await decoders.run {
            try Self.prepare(decodable, limits: limits, transform: transform)
        }
    }

    /// Decodes, turns upright, resizes and crops; blocks.
    static func prepare(
        _ input: DecodableInput, limits: DecodeLimits, transform: EvaluationTransform
    ) throws -> PreparedInput {
        let start = ContinuousClock.now
        let image =
            switch input {
            case .file(let path): try Image(contentsOf: path, limits: limits)
            case .bytes(let bytes): try Image(decoding: bytes, limits: limits)
            case .image(let image): image
            }
        let picture = try transform.apply(to: image)
        return PreparedInput(
            picture: picture, width: image.width, height: image.height,
            duration: ContinuousClock.now - start)
    }

    /// Computes a batch; blocks, so it runs on the model's queue.
    ///
    /// - Parameters:
    ///   - inputs: at most `batch`.
    ///   - batch: the size of the step.
    ///   - withActivationMaps: whether each result has the map of its likeliest class.
    /// - Returns: one result an input.
    func compute(
        _ inputs: [PreparedInput], batch: Int, withActivationMaps: Bool
    ) throws -> [Classification] {
        let outputs = Self.outputs(withActivationMaps: withActivationMaps)
        // Making the step ready is not the images' time.
        try runner.step(batch: batch, outputs: outputs)
        let start = ContinuousClock.now
        let results = try runner.run(inputs.map(\.picture), batch: batch, outputs: outputs)
        let share = (ContinuousClock.now - start) / max(1, inputs.count)
        let logits = results[.logits] ?? []
        let activations = results[.activations] ?? []
        let classCount = model.architecture.classCount
        let activationCount = activations.count / batch
        return try inputs.enumerated().map { place, input in
            let own = Array(logits[place * classCount..<(place + 1) * classCount])
            guard own.allSatisfy(\.isFinite) else {
                throw InferenceError(
                    .nonFinite,
                    "\(model.name): expected finite logits, found infinities or not-a-number; "
                        + "the weights may be damaged, or try precision fp32")
            }
            let top = topPredictions(
                own, count: options.topCount, names: classNames, temperature: temperature)
            let map = withActivationMaps ? top.first : nil
            return Classification(
                top: top, logits: own, width: input.width, height: input.height,
                milliseconds: milliseconds(input.duration + share), picture: input.picture,
                activationMap: map.map { prediction in
                    let range = place * activationCount..<(place + 1) * activationCount
                    return activationMap(
                        class: prediction.index, activations: activations[range])
                })
        }
    }

    /// Weighs the activations of one image with a class's row of the classifier.
    func activationMap(
        class classIndex: Int, activations: ArraySlice<Float>
    ) -> ActivationMap {
        let featureCount = model.architecture.featureCount
        let side = (runner.imageSize + 31) / 32
        let weights = model.parameters["fc.weight"]?.floats() ?? []
        let row = weights[classIndex * featureCount..<(classIndex + 1) * featureCount]
        return ActivationMap(
            classIndex: classIndex, weights: Array(row), activations: activations, width: side,
            height: side)
    }
}

private func milliseconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) * 1e3 + Double(attoseconds) * 1e-15
}
