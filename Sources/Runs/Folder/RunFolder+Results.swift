import Datasets
import Images
import ModelFormats
import Native
import ResNetModel
import Tensors

extension RunFolder {
    /// Makes the folder a run's, unless it is one: settings and class names.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func prepare(_ plan: RunPlan) throws(RunError) {
        if plan.settings.startsFresh { try removeRun() }
        try removeUnfinished()
        guard !holdsRun else { return }
        let names = plan.split.training.classNames.map { name in
            name.split(whereSeparator: \.isNewline).joined(separator: " ")
        }
        try write(names.joined(separator: "\n") + "\n", to: labels)
        // At the end: from now on it is a run.
        try write(plan.record.yaml, to: config)
    }

    /// Writes the weights that did best.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func writeBest(
        _ parameters: [String: HostTensor], plan: RunPlan, progress: inout RunProgress
    ) throws(RunError) {
        var metadata = plan.description(step: progress.step)
        if let top1 = progress.bestTop1 { metadata["top1"] = "\(top1)" }
        let tensors = plan.architecture.parameterList.compactMap { parameter in
            parameters[parameter.name].map { NamedTensor(name: parameter.name, tensor: $0) }
        }
        do {
            try Safetensors.write(tensors: tensors, metadata: metadata, to: best)
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
        progress.bestStep = progress.step
    }

    /// The lines of the list of pictures that could not be read, as far as they are whole.
    func skippedLines() -> [String] {
        guard let text = try? FileSystem.text(of: skipped),
            let end = text.utf8.lastIndex(of: UInt8(ascii: "\n"))
        else { return [] }
        return text[..<end].split(separator: "\n").map(String.init)
    }

    /// Adds pictures to the list of those that could not be read.
    ///
    /// - Parameter known: the lines that are there, which are not added again.
    /// - Throws: `RunError` with code `.cannotWrite`.
    func note(_ samples: [SkippedSample], known: inout Set<String>) throws(RunError) {
        var new: [SkippedSample] = []
        for sample in samples where known.insert(sample.json).inserted { new.append(sample) }
        guard !new.isEmpty else { return }
        do {
            var file = try SkippedSampleFile(skipped, appends: true)
            try file.write(new)
            try file.synchronize()
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
    }

    /// Writes the first pictures of a batch, four a row, as one picture.
    ///
    /// - Parameter images: uint8 `[N, H, W, 3]`.
    /// - Throws: `RunError` with code `.cannotWrite`.
    func writeSheet(of images: HostTensor) throws(RunError) {
        let shape = images.shape
        guard shape.rank == 4, shape[0] > 0 else { return }
        let (height, width) = (shape[1], shape[2])
        let count = min(16, shape[0])
        let columns = min(4, count)
        let rows = (count + columns - 1) / columns
        var pixels = [UInt8](repeating: 255, count: rows * height * columns * width * 3)
        let bytes = images.memory.bytes
        for image in 0..<count {
            for y in 0..<height {
                let source = (image * height + y) * width * 3
                let row = image / columns * height + y
                let target = (row * columns + image % columns) * width * 3
                for index in 0..<width * 3 { pixels[target + index] = bytes[source + index] }
            }
        }
        do {
            let sheet = try Image(width: columns * width, height: rows * height, pixels: pixels)
            try write(try encodePNG(sheet), to: augmented)
        } catch let error as RunError {
            throw error
        } catch {
            throw RunError(.cannotWrite, "\(augmented): \(error)")
        }
    }
}
