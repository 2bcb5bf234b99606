import Images
import Tensors

/// Reads, decodes and transforms one sample; shared by all workers.
struct SampleReader: Sendable {
    let dataset: Dataset
    let options: LoaderOptions

    /// Bytes of a picture that is ready.
    var pictureByteCount: Int { options.transform.size * options.transform.size * 3 }

    /// What became of a sample.
    enum Outcome: Sendable {
        /// Pixels of the size asked for, and what was wrong with the file that they come of.
        case picture(Image)
        /// Why it cannot be used.
        case bad(String)
        /// What stops loading altogether: a shortage, which says nothing of the sample.
        case failure(DatasetError)
    }

    /// Reads a sample.
    ///
    /// - Parameters:
    ///   - position: in the data set.
    ///   - epoch: of the randomness.
    ///   - slot: the place in the epoch's order, of the randomness.
    func read(_ position: Int, epoch: Int, slot: Int) -> Outcome {
        let sample = dataset.samples[position]
        do throws(DatasetError) {
            let content = try dataset.source.content(
                of: sample, maximumByteCount: options.limits.maximumByteCount)
            var random = RandomStreams.sample(seed: options.seed, epoch: epoch, slot: slot)
            return .picture(try picture(content, name: sample.name, random: &random))
        } catch {
            return error.code == .resourceExhausted ? .failure(error) : .bad(error.message)
        }
    }

    private func picture(
        _ content: SampleContent, name: String, random: inout RandomGenerator
    ) throws(DatasetError) -> Image {
        do throws(ImageError) {
            return try transformed(content, name: name, random: &random)
        } catch {
            throw DatasetError(error)
        }
    }

    private func transformed(
        _ content: SampleContent, name: String, random: inout RandomGenerator
    ) throws(ImageError) -> Image {
        switch (content, options.transform) {
        case (.pixels(let image), .training(let transform)):
            return try transform.apply(to: image, random: &random)
        case (.pixels(let image), .evaluation(let transform)):
            return try transform.apply(to: image)
        case (.encoded(let bytes), .training(let transform)):
            return try transform.apply(
                decoding: bytes, limits: options.limits, damage: .acceptUnlessCut, name: name,
                random: &random)
        case (.encoded(let bytes), .evaluation(let transform)):
            let image = try Image(
                decoding: bytes, limits: options.limits, damage: .acceptUnlessCut, name: name)
            return try transform.apply(to: image)
        }
    }
}
