import Native
import Reports

/// Several runs beside each other.
package struct RunComparison: Sendable {
    /// A setting that is not the same in all runs.
    package struct Difference: Sendable, Hashable {
        /// The setting.
        package let key: String
        /// Its value in each run; `nil` where a run's configuration does not name it.
        package let values: [String?]
    }

    /// Settings that say when and where a run was started, not how.
    private static let incidental: Set<String> = ["command", "started", "version", "versions"]

    /// The runs, in the order in which they were named.
    package let runs: [RunHistory]
    /// The settings in which they differ, in the order in which configurations name them.
    package let differences: [Difference]

    /// Compares runs.
    package init(_ runs: [RunHistory]) {
        self.runs = runs
        let settings = runs.map { $0.settings }
        var keys: [String] = []
        for (key, _) in settings.joined() where !keys.contains(key) { keys.append(key) }
        differences = keys.compactMap { key in
            let values = settings.map { own in own.first { $0.key == key }?.value }
            guard Set(values).count > 1, !Self.incidental.contains(key) else { return nil }
            return Difference(key: key, values: values)
        }
    }

    /// The page: numbers, settings that differ, and the curves over each other.
    package func page() -> String {
        let title = "Comparison of \(runs.count) runs"
        let curves = RunCurves.figures(runs)
        var body = [
            HTML.element(
                "header",
                children: [
                    .element("h1", text: title),
                    .element("div", ["class": "card"], [numbers]),
                ])
        ]
        if !differences.isEmpty {
            body.append(
                pageSection(
                    "Settings that differ", [.element("div", ["class": "card"], [settings])]))
        }
        if !curves.isEmpty {
            body.append(pageSection("Curves", [.element("div", ["class": "grid"], curves)]))
        }
        return HTML.page(title: title, style: runReportStyle, body: body)
    }

    private var numbers: HTML {
        let rows = runs.enumerated().map { index, run in
            let best = run.bestValidation
            let cells = [
                best.map { percentText($0.top1, places: 2) } ?? "–",
                best.map { decimalText($0.loss, places: 4) } ?? "–",
                "\(run.epochCount)", "\(run.stepCount)", durationText(seconds: run.seconds),
            ]
            return HTML.element(
                "tr",
                children: [
                    .element(
                        "td", ["class": "name"],
                        [
                            .element("i", ["class": "swatch c\(index % 8)"]), .text(run.name),
                        ])
                ] + cells.map { .element("td", text: $0) })
        }
        return pageTable(
            ["run", "best top-1", "its loss", "epochs", "steps", "time"], nameColumns: 1,
            rows: rows)
    }

    private var settings: HTML {
        let rows = differences.map { difference in
            HTML.element(
                "tr",
                children: [.element("td", ["class": "name"], text: difference.key)]
                    + difference.values.map {
                        .element("td", ["class": "value"], text: $0 ?? "–")
                    })
        }
        return pageTable(
            ["setting"] + runs.map { $0.name }, nameColumns: runs.count + 1, rows: rows)
    }
}
