package import Images

extension Dataset {
    /// Prepares one picture as a `BatchLoader` that measures does, so that what one reads the other reads, too.
    ///
    /// - Parameters:
    ///   - position: in `samples`.
    ///   - transform: what the picture goes through.
    /// - Returns: the picture; `nil` where it is bad and a loader would leave it out.
    /// - Throws: `DatasetError` with code `.unreadable` where memory is short.
    package func picture(
        at position: Int, transform: EvaluationTransform
    ) throws(DatasetError) -> Image? {
        let options = LoaderOptions.evaluation(batch: 1, transform: transform)
        let reader = SampleReader(dataset: self, options: options)
        switch reader.read(position, epoch: 0, slot: 0) {
        case .picture(let image): return image
        case .bad: return nil
        case .failure(let error): throw error
        }
    }
}
