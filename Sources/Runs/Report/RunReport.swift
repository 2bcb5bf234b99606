import Datasets
import Native
import Reports

/// The page about a run, `report.html`: one file that loads nothing and runs no script.
public enum RunReport {
    private static let sheetLimit = 8 << 20

    /// Makes the page of what is in a run's folder.
    ///
    /// It shows what is there: curves as soon as there are metrics, mistakes once there is an `evaluation.json`, worst
    /// pictures where `RunFolder.writeWorst` has put them.
    ///
    /// - Parameter folder: the run's folder.
    /// - Returns: the page's path.
    /// - Throws: `RunError` with code `.notARun`, `.badEvaluation` or `.cannotWrite`.
    @discardableResult
    public static func write(_ folder: String) throws(RunError) -> String {
        let history = try RunHistory(RunFolder(folder))
        let path = history.folder.report
        do {
            try writeFile(Memory(copying: Array(page(history).utf8)), toPath: path)
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
        return path
    }

    /// The page.
    package static func page(_ history: RunHistory) -> String {
        let evaluation = history.evaluation.map { result in
            EvaluationSections(result, worst: history.folder.worstPictures(of: result))
        }
        var body = [header(history, evaluation)]
        let curves = RunCurves.figures([history])
        if !curves.isEmpty {
            body.append(pageSection("Curves", [.element("div", ["class": "grid"], curves)]))
        }
        body += evaluation?.sections ?? []
        if let sheet = augmented(history) { body.append(sheet) }
        if !history.events.isEmpty { body.append(events(history)) }
        if !history.skipped.isEmpty { body.append(skipped(history)) }
        body.append(
            pageSection(
                "Configuration",
                [
                    .element(
                        "details", ["class": "card"],
                        [
                            .element("summary", text: "config.yaml"),
                            .element("pre", text: history.configuration),
                        ])
                ]))
        return HTML.page(title: history.name, style: runReportStyle, body: body)
    }

    private static func header(
        _ history: RunHistory, _ evaluation: EvaluationSections?
    ) -> HTML {
        var facts = evaluation?.facts ?? []
        if evaluation == nil, let best = history.bestValidation {
            facts.append(
                pageFact(
                    "best top-1", percentText(best.top1, places: 2),
                    note: "after step \(best.step)"))
        }
        facts.append(pageFact("steps", "\(history.stepCount)"))
        facts.append(pageFact("epochs", "\(history.epochCount)"))
        facts.append(pageFact("training time", durationText(seconds: history.seconds)))
        if let rate = history.medianRate {
            facts.append(pageFact("speed", "\(decimalText(rate, places: 1)) images/s"))
        }
        if history.brokenLineCount > 0 {
            facts.append(pageFact("broken lines of metrics", "\(history.brokenLineCount)"))
        }
        return .element(
            "header",
            children: [.element("h1", text: history.name), .element("dl", [:], facts)])
    }

    private static func augmented(_ history: RunHistory) -> HTML? {
        guard let bytes = try? Memory(mapping: history.folder.augmented),
            bytes.byteCount <= sheetLimit
        else { return nil }
        return pageSection(
            "What training is shown",
            [
                pageImage(
                    bytes, type: "png", alternative: "augmented training pictures",
                    style: "sheet")
            ])
    }

    private static func events(_ history: RunHistory) -> HTML {
        pageSection(
            "Events",
            [
                .element(
                    "ul", ["class": "events card"],
                    history.events.map { event in
                        .element("li", text: "step \(event.step): \(event.text)")
                    })
            ])
    }

    private static func skipped(_ history: RunHistory) -> HTML {
        let shown = history.skipped.prefix(20).map { sample in
            HTML.element(
                "li", children: [.element("b", text: sample.name), .text(" \(sample.reason)")])
        }
        let title =
            "Could not be read: \(history.skipped.count)"
            + (history.skipped.count > shown.count ? ", the first \(shown.count)" : "")
        return pageSection(title, [.element("ul", ["class": "events card"], shown)])
    }
}
