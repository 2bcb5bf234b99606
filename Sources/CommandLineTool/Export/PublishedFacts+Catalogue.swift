import Exports
import Images
import Pretrained

extension PublishedFacts {
    /// What an export says of weights from the catalogue.
    init?(_ weights: PretrainedWeights) {
        let evaluation = weights.evaluation
        guard
            let transform = try? EvaluationTransform(
                resize: evaluation.resize, crop: evaluation.crop)
        else { return nil }
        var sha256: String?
        if case .sha256(let digits) = weights.checksum { sha256 = digits }
        self.init(
            name: weights.name, transform: transform, publisher: weights.publisher,
            licence: weights.licence, url: weights.url, sha256: sha256)
    }
}
