import Native

/// What `config.yaml` says: the recipe as asked for, what was decided by it, and where data and weights come from.
package struct RunRecord: Sendable, Hashable {
    /// The recipe as asked for.
    package var recipe: Recipe
    /// The data's path or name.
    package var data: String
    /// The digest of training and validation data.
    package var dataDigest: String
    /// The weights that training started from, as a path; empty where they were drawn.
    package var weights: String
    /// The digest of those weights.
    package var weightsDigest: String
    /// Pictures a step.
    package var batchSize: Int
    /// Parts of a batch.
    package var microBatchCount: Int
    /// What is computed in.
    package var precision: String
    /// What is only for the record, by key.
    package var facts: [(key: String, text: String)] = []

    package static func == (first: RunRecord, second: RunRecord) -> Bool {
        first.identity.elementsEqual(second.identity) { $0.key == $1.key && $0.text == $1.text }
    }

    package func hash(into hasher: inout Hasher) {
        for (key, text) in identity {
            hasher.combine(key)
            hasher.combine(text)
        }
    }

    /// What has to be the same for a run to be gone on with.
    private var identity: [(key: String, text: String)] {
        [
            ("data_digest", dataDigest), ("weights_digest", weightsDigest),
            ("batch_size_used", "\(batchSize)"), ("accumulation_used", "\(microBatchCount)"),
            ("precision_used", precision),
        ] + recipe.values
    }

    /// The settings that differ from another record's, each with both values.
    package func differences(from other: RunRecord) -> [String] {
        var differences: [String] = []
        for (mine, theirs) in zip(identity, other.identity) where mine.text != theirs.text {
            switch mine.key {
            case "data_digest":
                differences.append(
                    data == other.data
                        ? "the pictures in \(data)" : "data: \(data) instead of \(other.data)")
            case "weights_digest":
                let names = [weights, other.weights].map { $0.isEmpty ? "new weights" : $0 }
                differences.append("from: \(names[0]) instead of \(names[1])")
            default: differences.append("\(mine.key): \(mine.text) instead of \(theirs.text)")
            }
        }
        return differences
    }

    /// The file's text.
    package var yaml: String {
        let quoted = FlatYAML.quoted
        let places = [
            ("data", data), ("data_digest", dataDigest), ("weights", weights),
            ("weights_digest", weightsDigest), ("precision_used", precision),
        ]
        var lines = [
            "# What this run was started with. Its folder goes on with these settings only."
        ]
        lines += facts.map { "\($0.key): \(quoted($0.text))" }
        lines += places.map { "\($0.0): \(quoted($0.1))" }
        lines.append("batch_size_used: \(batchSize)")
        lines.append("accumulation_used: \(microBatchCount)")
        lines.append("recipe: \(quoted(recipe.name))")
        return lines.joined(separator: "\n") + "\n" + recipe.yaml
    }

    /// Puts a record together.
    package init(
        recipe: Recipe, data: String, dataDigest: String, weights: String, weightsDigest: String,
        batchSize: Int, microBatchCount: Int, precision: String,
        facts: [(key: String, text: String)] = []
    ) {
        self.recipe = recipe
        self.data = data
        self.dataDigest = dataDigest
        self.weights = weights
        self.weightsDigest = weightsDigest
        self.batchSize = batchSize
        self.microBatchCount = microBatchCount
        self.precision = precision
        self.facts = facts
    }

    /// Reads a file's text.
    ///
    /// - Throws: `RunError` with code `.notARun` where it is not that of a run.
    package init(yaml: String, name: String) throws(RunError) {
        var recipe = Recipe()
        var own: [String: String] = [:]
        do {
            let keys = Set(Recipe.settings.map(\.key))
            for (key, value) in try FlatYAML.entries(of: yaml, name: name) {
                if keys.contains(key) {
                    try recipe.set(key, value.text, place: name)
                } else {
                    own[key] = value.text
                }
            }
        } catch {
            throw RunError(.notARun, error.message)
        }
        guard let data = own["data"], let dataDigest = own["data_digest"],
            let batchSize = own["batch_size_used"].flatMap({ Int($0) }), batchSize >= 1,
            let microBatchCount = own["accumulation_used"].flatMap({ Int($0) }),
            microBatchCount >= 1
        else {
            throw RunError(.notARun, "\(name): expected the settings of a run, found others")
        }
        recipe.name = own["recipe"] ?? name
        recipe.description = own["description"] ?? ""
        recipe.source = own["source"] ?? ""
        self.init(
            recipe: recipe, data: data, dataDigest: dataDigest, weights: own["weights"] ?? "",
            weightsDigest: own["weights_digest"] ?? "", batchSize: batchSize,
            microBatchCount: microBatchCount, precision: own["precision_used"] ?? "")
    }
}

extension RunFolder {
    /// What the run in the folder was started with; `nil` where there is no run.
    ///
    /// - Throws: `RunError` with code `.notARun`.
    package func record() throws(RunError) -> RunRecord? {
        guard holdsRun else { return nil }
        let text: String
        do {
            text = try FileSystem.text(of: config)
        } catch {
            throw RunError(.notARun, error.message)
        }
        return try RunRecord(yaml: text, name: config)
    }
}
