public import Datasets
public import Devices
public import Images
package import Inference
public import ResNetModel
public import Tensors

/// Measures a network by labelled pictures: every picture that can be read is counted once.
///
/// It prepares pictures as `Classifier` does and computes with the same graphs. Blocks while it works, so it
/// belongs on a thread of the program's own.
public struct Evaluator: Sendable {
    let runner: ModelRunner
    let transform: EvaluationTransform
    private let batch: Int
    private let workers: Int

    /// Takes a network; it is compiled when it is first needed.
    ///
    /// - Parameters:
    ///   - architecture: what the network is.
    ///   - parameters: its weights by canonical name, as in `ResNetArchitecture.parameterList`.
    ///   - device: what computes.
    ///   - precision: what it computes in.
    ///   - transform: how a picture becomes the network's input.
    ///   - batch: how many pictures are computed together; no number depends on it but by rounding.
    ///   - workers: how many threads decode.
    /// - Throws: `InferenceError` with code `.missingParameters`, or `.invalidOption` where the batch is below 1.
    public init(
        architecture: ResNetArchitecture, parameters: [String: HostTensor], device: Device,
        precision: ElementType, transform: EvaluationTransform, batch: Int = 32, workers: Int
    ) throws {
        let model = try LoadedModel(architecture: architecture, parameters: parameters)
        try self.init(
            model: model, device: device, precision: precision, transform: transform,
            batch: batch, workers: workers)
    }

    /// Takes a network that was read from a file.
    ///
    /// - Throws: `InferenceError` with code `.invalidOption` where the batch or the workers are below 1.
    package init(
        model: LoadedModel, device: Device, precision: ElementType,
        transform: EvaluationTransform, batch: Int = 32, workers: Int
    ) throws {
        for (name, value) in [("batch", batch), ("workers", workers)]
        where !(1...65_536).contains(value) {
            throw InferenceError(
                .invalidOption, "\(name): expected 1 to 65536, found \(value)")
        }
        runner = ModelRunner(
            model: model, device: device, precision: precision, imageSize: transform.crop)
        self.transform = transform
        self.batch = batch
        self.workers = workers
    }

    /// Looks at every picture of a data set.
    ///
    /// - Parameters:
    ///   - dataset: with as many classes as the network, in its order; see `LabelMapping`.
    ///   - temperature: what logits are divided by before softmax.
    ///   - testTimeAugmentation: which views of a picture are averaged.
    ///   - progress: is told how many pictures are done, of how many; what it throws ends the work.
    /// - Throws: `RunError` with code `.labelMismatch`, or `.nothingToEvaluate` where no picture can be read;
    ///   `DatasetError` where the data set as a whole fails; `InferenceError` with code `.nonFinite`;
    ///   `ExecutionError`; what `progress` throws.
    public func evaluate(
        _ dataset: Dataset, temperature: Double = 1,
        testTimeAugmentation: TestTimeAugmentation = .none,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> EvaluationResult {
        let start = ContinuousClock.now
        var accumulator = EvaluationAccumulator(
            dataset: dataset.name, classNames: dataset.classNames, temperature: temperature)
        let skipped = try forEachSample(
            of: dataset, testTimeAugmentation: testTimeAugmentation, progress: progress
        ) { views, sample, position in
            accumulator.add(
                views: views, label: sample.label, name: sample.name, position: position)
        }
        return accumulator.result(
            skipped: skipped, testTimeAugmentation: testTimeAugmentation,
            seconds: seconds(since: start))
    }

    /// Computes the logits of every picture that can be read.
    ///
    /// - Returns: the samples that could not be read.
    func forEachSample(
        of dataset: Dataset, testTimeAugmentation: TestTimeAugmentation,
        progress: (_ done: Int, _ total: Int) throws -> Void,
        body: (_ views: [ArraySlice<Float>], _ sample: Sample, _ position: Int) -> Void
    ) throws -> [SkippedSample] {
        let classCount = runner.model.architecture.classCount
        guard dataset.classNames.count == classCount else {
            throw RunError(
                .labelMismatch,
                "\(dataset.name): expected \(classCount) classes as the network has, found "
                    + "\(dataset.classNames.count)")
        }
        guard !dataset.samples.isEmpty else {
            throw RunError(
                .nothingToEvaluate, "\(dataset.name): expected pictures to evaluate, found none")
        }
        let side =
            testTimeAugmentation.needsSurroundings
            ? max(transform.resize, transform.crop) : transform.crop
        let views = testTimeAugmentation.views(side: side, crop: transform.crop)
        let loader = try loader(for: dataset, side: side)
        loader.start(epoch: 0, step: 0)
        var done = 0
        while let loaded = try loader.next() {
            let count = loaded.positions.count
            let logits = try views.map { view in
                let pixels = try view.cut(from: loaded.images, crop: transform.crop, batch: batch)
                return try runner.run(pixels, batch: batch, outputs: [.logits])[.logits] ?? []
            }
            for place in 0..<count {
                let rows = logits.map { $0[place * classCount..<(place + 1) * classCount] }
                let position = loaded.positions[place]
                let sample = dataset.samples[position]
                try check(rows, of: sample)
                body(rows, sample, position)
            }
            done += count
            try progress(done + loader.skipped.count, dataset.samples.count)
        }
        let skipped = loader.skipped
        guard done > 0 else {
            let first = skipped.first.map { "; \($0.name): \($0.reason)" } ?? ""
            throw RunError(
                .nothingToEvaluate,
                "\(dataset.name): expected pictures to evaluate, found "
                    + "\(dataset.samples.count), of which none can be read\(first)")
        }
        return skipped
    }

    private func check(_ rows: [ArraySlice<Float>], of sample: Sample) throws {
        for row in rows where !row.allSatisfy({ $0.isFinite }) {
            throw InferenceError(
                .nonFinite,
                "\(sample.name): expected finite logits, found infinities or not-a-number; "
                    + "the weights may be damaged, or try precision fp32")
        }
    }

    /// What decodes the pictures in their order; however many are bad, the good ones are counted.
    private func loader(for dataset: Dataset, side: Int) throws -> BatchLoader {
        let cut = try EvaluationTransform(resize: transform.resize, crop: side)
        var options = LoaderOptions.evaluation(batch: batch, transform: cut)
        options.workers = workers
        options.maximumBadShare = 1
        return try BatchLoader(dataset, options: options)
    }
}

/// The time since an instant.
func seconds(since start: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
}
