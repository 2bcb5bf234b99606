import Native
import Reports

/// The parts of a page that tell of an evaluation.
struct EvaluationSections {
    private static let heatMapLimit = 40
    private static let openTableLimit = 20

    private let result: EvaluationResult
    private let worst: [WorstPicture]

    /// Takes an evaluation, and what is there of its worst pictures.
    init(_ result: EvaluationResult, worst: [WorstPicture]) {
        self.result = result
        self.worst = worst
    }

    /// The numbers, each with its name.
    var facts: [HTML] {
        let interval = result.accuracyInterval
        var facts = [
            pageFact(
                "top-1", percentText(result.top1, places: 2),
                note: "95 %: \(percentText(interval.lower)) to \(percentText(interval.upper))"),
            pageFact("top-5", percentText(result.top5, places: 2)),
            pageFact("cross-entropy", decimalText(result.crossEntropy, places: 4)),
            pageFact("macro F1", decimalText(result.macroF1, places: 4)),
            pageFact(
                "calibration error", decimalText(result.expectedCalibrationError, places: 4)),
            pageFact("pictures", "\(result.sampleCount)"),
        ]
        if !result.skipped.isEmpty {
            facts.append(pageFact("could not be read", "\(result.skipped.count)"))
        }
        if result.temperature != 1 {
            facts.append(pageFact("temperature", decimalText(result.temperature, places: 3)))
        }
        return facts
    }

    /// The sections, in their order.
    var sections: [HTML] {
        var sections = [
            pageSection("Mistakes", [.element("div", ["class": "grid"], mistakes)])
        ]
        if !worst.isEmpty {
            sections.append(
                pageSection(
                    "Worst losses",
                    [
                        .element(
                            "p", ["class": "soft"],
                            text:
                                "Each picture as the network was shown it, and where in it the class is seen that it was taken for."
                        ), .element("div", ["class": "grid small"], worst.map(card)),
                    ]))
        }
        sections.append(pageSection("Classes", [classTable]))
        return sections
    }

    private var mistakes: [HTML] {
        var parts = [heatMap, reliability]
        if !result.mostConfused.isEmpty { parts.append(confusedTable) }
        return parts
    }

    private var heatMap: HTML {
        var indices = result.classes.map { $0.index }
        var title = "What was taken for what"
        if indices.count > Self.heatMapLimit {
            var kept: [Int] = []
            for pair in result.mostConfused {
                for index in [pair.label, pair.predicted] where !kept.contains(index) {
                    kept.append(index)
                }
            }
            title += ": the \(min(kept.count, Self.heatMapLimit)) classes confused most, "
            title += "of \(indices.count)"
            indices = kept.prefix(Self.heatMapLimit).sorted()
        }
        let totals = result.confusion.labelCounts
        return HeatMap(
            title: title, names: indices.map { result.classNames[$0] },
            counts: indices.map { row in indices.map { result.confusion[row, $0] } },
            rowTotals: indices.map { totals[$0] }
        ).figure()
    }

    private var reliability: HTML {
        let error = decimalText(result.expectedCalibrationError, places: 4)
        return ReliabilityDiagram(
            title: "How often it is right, by confidence; calibration error \(error)",
            bins: result.reliability.map { bin in
                ReliabilityDiagram.Bin(
                    lower: bin.lower, upper: bin.upper, count: bin.count,
                    confidence: bin.confidence, accuracy: bin.accuracy)
            }
        ).figure()
    }

    private var confusedTable: HTML {
        let rows = result.mostConfused.prefix(10).map { pair in
            HTML.element(
                "tr",
                children: [
                    name(pair.label), name(pair.predicted),
                    .element("td", text: "\(pair.count)"),
                    .element("td", text: percentText(pair.share)),
                ])
        }
        return .element(
            "figure",
            children: [
                .element("figcaption", text: "Confused most often"),
                pageTable(
                    ["is", "taken for", "times", "of the class"], nameColumns: 2, rows: rows),
            ])
    }

    private var classTable: HTML {
        let rows = result.classes.map { metrics in
            HTML.element(
                "tr",
                children: [
                    name(metrics.index), .element("td", text: "\(metrics.count)"),
                    .element("td", text: metrics.precision.map { percentText($0) } ?? "–"),
                    .element("td", text: metrics.recall.map { percentText($0) } ?? "–"),
                    .element(
                        "td",
                        children: [.text(decimalText(metrics.f1, places: 3)), pageBar(metrics.f1)]),
                ])
        }
        let table = pageTable(
            ["class", "pictures", "precision", "recall", "F1"], nameColumns: 1, rows: rows)
        guard rows.count > Self.openTableLimit else {
            return .element("div", ["class": "card"], [table])
        }
        return .element(
            "details", ["class": "card"],
            [.element("summary", text: "All \(rows.count) classes"), table])
    }

    private func card(_ picture: WorstPicture) -> HTML {
        let sample = picture.sample
        let (own, taken) = (
            result.classNames[sample.label], result.classNames[sample.predicted]
        )
        return .element(
            "article",
            children: [
                .element(
                    "div", ["class": "pictures"],
                    [
                        pageImage(picture.picture, type: "jpeg", alternative: sample.name),
                        pageImage(
                            picture.map, type: "jpeg", alternative: "where \(taken) is seen"),
                    ]),
                .element(
                    "p",
                    children: [
                        .element("b", text: own), .text(" \(percentText(sample.probability))"),
                        .text(", taken for "), .element("b", text: taken),
                        .text(" \(percentText(sample.confidence))"),
                    ]),
                .element(
                    "p", ["class": "soft"],
                    text: "\(sample.name), loss \(decimalText(sample.loss, places: 2))"),
            ])
    }

    /// A class's cell: the first of its names, all of them where a pointer rests on it.
    private func name(_ index: Int) -> HTML {
        let name = result.classNames[index]
        return .element(
            "td", ["class": "name", "title": name], text: String(name.prefix { $0 != "," }))
    }
}
