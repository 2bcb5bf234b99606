import FoundationEssentials

extension EvaluationResult {
    /// Reads what `json()` writes.
    ///
    /// - Throws: `RunError` with code `.badEvaluation`.
    public init(json text: String, name: String = "evaluation") throws(RunError) {
        do {
            self = try JSONDecoder().decode(EvaluationResult.self, from: Data(text.utf8))
        } catch {
            throw RunError(
                .badEvaluation, "\(name): expected the result of an evaluation as JSON: \(error)")
        }
    }

    /// The result as JSON over several lines, keys in the order of their letters, ending with a line feed.
    ///
    /// - Throws: `RunError` with code `.badEvaluation` where a number is not finite.
    public func json() throws(RunError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        } catch {
            throw RunError(.badEvaluation, "the result cannot be written as JSON: \(error)")
        }
    }
}
