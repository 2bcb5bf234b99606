import Reports

/// The page about an evaluation: one file that loads nothing and runs no script.
package enum EvaluationReport {
    /// The page.
    ///
    /// - Parameters:
    ///   - result: what was found.
    ///   - worst: what is there of its worst pictures.
    ///   - facts: what else it says, each with its name.
    package static func page(
        _ result: EvaluationResult, worst: [WorstPicture],
        facts: [(name: String, value: String)]
    ) -> String {
        let sections = EvaluationSections(result, worst: worst)
        let title = "Evaluation on \(result.dataset)"
        let header = HTML.element(
            "header",
            children: [
                .element("h1", text: title),
                .element(
                    "dl", [:],
                    sections.facts + facts.map { pageFact($0.name, $0.value) }),
            ])
        return HTML.page(
            title: title, style: runReportStyle, body: [header] + sections.sections)
    }
}
