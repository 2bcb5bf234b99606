import Devices
import Execution
public import Images
public import Native
import ResNetModel
import Tensors

/// Classifies images.
///
/// ```swift
/// let classifier = try await Classifier(weights: "resnet50.pth")
/// let result = try await classifier.classify(file: "photo.jpg")
/// print(result.top[0].label, result.top[0].probability)
/// ```
///
/// Any number of tasks may use one classifier at the same time: computing and decoding run on threads of its
/// own, and images are computed in the order in which they come.
public final class Classifier: Sendable {
    /// The options that it was made with.
    public let options: Options
    /// What its classes are called.
    public let classNames: ClassNames
    /// How a picture becomes the network's input.
    public let transform: EvaluationTransform
    /// What logits are divided by before softmax: what calibration has put into the weight file, else 1.
    public let temperature: Double
    let runner: ModelRunner
    /// The thread on which everything of this model is compiled and run, one after the other.
    let queue: WorkQueue
    let decoders: WorkQueue

    /// Reads a weight file and makes it ready.
    ///
    /// - Parameters:
    ///   - path: a safetensors or PyTorch file with the weights of a ResNet.
    ///   - options: how to compute.
    /// - Throws: `ModelFormatError`, `ModelError` or `InferenceError` where the file does not hold a whole ResNet;
    ///   `ExecutionError` where the device cannot be had; `InferenceError` where an option is out of range or
    ///   class names do not fit.
    public convenience init(weights path: String, options: Options = Options()) async throws {
        let queue = try WorkQueue(name: "compute")
        let model = try await queue.run {
            try LoadedModel(
                contentsOf: path, selection: options.selection, variant: options.variant)
        }
        try await self.init(model: model, options: options, queue: queue)
    }

    /// Makes a model ready that is in memory.
    ///
    /// - Throws: as `init(weights:options:)`.
    public convenience init(model: LoadedModel, options: Options = Options()) async throws {
        try await self.init(
            model: model, options: options, queue: try WorkQueue(name: "compute"))
    }

    private init(model: LoadedModel, options: Options, queue: WorkQueue) async throws {
        try options.check()
        let names = try ClassNames.choose(
            given: options.classNames, metadata: model.metadata,
            count: model.architecture.classCount)
        let said = model.stated
        let transform = options.transform ?? said.transform ?? .standard
        let runner = try await queue.run {
            let device = try openDevice(options.device, threads: options.threads)
            return ModelRunner(
                model: model, device: device,
                precision: options.precision.elementType(on: device),
                imageSize: transform.crop)
        }
        decoders = try WorkQueue(
            name: "decode", threadCount: options.decoderCount ?? ComputeTeam.processorCount)
        self.options = options
        self.transform = transform
        temperature = said.temperature ?? 1
        self.runner = runner
        self.queue = queue
        classNames = names
    }

    /// The network and its weights.
    public var model: LoadedModel { runner.model }

    /// What it computes in: `fp32` or `bf16`.
    public var precision: Precision {
        switch runner.precision {
        case .bfloat16: .bf16
        case .float16: .fp16
        default: .fp32
        }
    }

    /// The back end, as in `onednn`.
    public var backendName: String { runner.device.backend.name }

    /// What it runs on, as in `cpu (AVX-512 bf16, 2 threads)`.
    public var deviceDescription: String { runner.device.backend.deviceDescription }

    /// How many threads compute.
    public var threadCount: Int { runner.device.threadCount }

    /// What a user should know, one sentence each: an absent back end, tensors without a place.
    public var warnings: [String] { runner.device.warnings + model.warnings }

    /// Does now what the first image would otherwise wait for.
    ///
    /// - Parameters:
    ///   - batchSizes: the sizes to make ready for.
    ///   - withActivationMaps: whether for maps, too.
    /// - Throws: `ExecutionError`, and `InferenceError` where a size is below 1.
    public func prepare(batchSizes: [Int], withActivationMaps: Bool = false) async throws {
        for size in batchSizes where size < 1 {
            throw InferenceError(.invalidOption, "batch size: expected at least 1, found \(size)")
        }
        try await queue.run { [runner] in
            let outputs = Self.outputs(withActivationMaps: withActivationMaps)
            for size in batchSizes { try runner.step(batch: size, outputs: outputs) }
        }
    }

    /// Classifies a file.
    ///
    /// - Throws: `ImageError` where it is no picture that can be read; `ExecutionError` or `InferenceError` where
    ///   computing fails.
    public func classify(file path: String) async throws -> Classification {
        try await classify(.file(path))
    }

    /// Classifies a picture that is in memory as a JPEG, PNG or WebP file would be.
    ///
    /// - Throws: as `classify(file:)`.
    public func classify(_ bytes: [UInt8]) async throws -> Classification {
        try await classify(.bytes(Memory(copying: bytes)))
    }

    /// Classifies a picture that is in memory as a JPEG, PNG or WebP file would be.
    ///
    /// - Throws: as `classify(file:)`.
    public func classify(_ bytes: Memory) async throws -> Classification {
        try await classify(.bytes(bytes))
    }

    /// Classifies a decoded picture.
    ///
    /// - Throws: `ExecutionError` or `InferenceError` where computing fails.
    public func classify(_ image: Image) async throws -> Classification {
        try await classify(.image(image))
    }

    /// Classifies decoded pictures, in batches.
    ///
    /// - Returns: one result a picture, in their order.
    /// - Throws: `ExecutionError` or `InferenceError` where computing fails.
    public func classify(_ images: [Image]) async throws -> [Classification] {
        var results: [Classification] = []
        for try await outcome in classify(each: images.map { .image($0) }) {
            results.append(try outcome.result.get())
        }
        return results
    }

    /// Classifies one input.
    ///
    /// - Throws: as `classify(file:)`.
    public func classify(_ input: ClassifierInput) async throws -> Classification {
        let prepared = try await prepare(input)
        return try await queue.run { [self] in
            try compute([prepared], batch: 1, withActivationMaps: false)[0]
        }
    }

    /// What the network makes of a picture before it names classes: 2,048 numbers, or 512 without bottlenecks.
    ///
    /// Pictures that show alike things have features that point in alike directions.
    ///
    /// - Throws: as `classify(file:)`.
    public func features(of input: ClassifierInput) async throws -> [Float] {
        let prepared = try await prepare(input)
        return try await queue.run { [runner] in
            try runner.run([prepared.picture], batch: 1, outputs: [.features])[.features] ?? []
        }
    }

    /// Where in a picture a class is seen.
    ///
    /// - Parameters:
    ///   - input: the picture.
    ///   - classIndex: the class; the likeliest where `nil`.
    /// - Throws: `InferenceError` with code `.invalidOption` where there is no such class; else as
    ///   `classify(file:)`.
    public func classActivationMap(
        of input: ClassifierInput, class classIndex: Int? = nil
    ) async throws -> ActivationMap {
        let count = model.architecture.classCount
        if let classIndex, !(0..<count).contains(classIndex) {
            throw InferenceError(
                .invalidOption, "class: expected 0 to \(count - 1), found \(classIndex)")
        }
        let prepared = try await prepare(input)
        return try await queue.run { [self] in
            let outputs = Self.outputs(withActivationMaps: true)
            let results = try runner.run([prepared.picture], batch: 1, outputs: outputs)
            let logits = (results[.logits] ?? [])[...]
            let chosen = classIndex ?? logits.indices.max { logits[$0] < logits[$1] } ?? 0
            return activationMap(
                class: chosen, activations: (results[.activations] ?? [])[...])
        }
    }
}
