package import Images

/// What a publisher says of weights that have a name.
package struct PublishedFacts: Sendable {
    /// The name that stands for them.
    package let name: String
    /// How pictures are prepared for them.
    package let transform: EvaluationTransform
    /// Who published them, under which licence, where, and with which checksum, by the key in a file's texts.
    package let texts: [String: String]

    /// Takes what is known; an empty text is not.
    package init(
        name: String, transform: EvaluationTransform, publisher: String, licence: String?,
        url: String, sha256: String?
    ) {
        self.name = name
        self.transform = transform
        let texts: [String: String?] = [
            "weights": name, "publisher": publisher, "licence": licence, "url": url,
            "sha256": sha256,
        ]
        self.texts = texts.compactMapValues { $0 }
    }
}
