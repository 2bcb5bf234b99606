import Reports
import Runs

/// Runs, one a row.
func runTable(_ runs: [RunHistory]) -> Table {
    var table = Table([
        "run": .left, "best top-1": .right, "its loss": .right, "epochs": .right, "steps": .right,
        "images/s": .right, "time": .right,
    ])
    for run in runs {
        let best = run.bestValidation
        table.add([
            printable(run.folder.path), best.map { fixed(100 * $0.top1, places: 2) } ?? "",
            best.map { fixed($0.loss, places: 4) } ?? "", grouped(run.epochCount),
            grouped(run.stepCount), run.medianRate.map { fixed($0, places: 1) } ?? "",
            durationText(seconds: run.seconds),
        ])
    }
    return table
}

extension RunHistory {
    /// For people.
    var text: String {
        var table = Table(["run": .left, printable(folder.path): .left])
        table.add(["steps", "\(grouped(stepCount)) in \(grouped(epochCount)) epochs"])
        table.add(["training time", durationText(seconds: seconds)])
        if let rate = medianRate { table.add(["speed", "\(fixed(rate, places: 1)) images/s"]) }
        if let last = training.last {
            table.add([
                "last training loss",
                "\(fixed(last.loss, places: 4)), top-1 \(percent(last.top1))",
            ])
        }
        if let best = bestValidation {
            table.add([
                "best validation",
                "top-1 \(percent(best.top1)), top-5 \(percent(best.top5)), loss "
                    + "\(fixed(best.loss, places: 4)) after step \(grouped(best.step))",
            ])
        }
        if let result = evaluation {
            let interval = result.accuracyInterval
            table.add([
                "best weights",
                "top-1 \(percent(result.top1)) (95 %: \(fixed(100 * interval.lower, places: 2)) to "
                    + "\(percent(interval.upper))), macro F1 \(fixed(result.macroF1, places: 4)), ECE "
                    + fixed(result.expectedCalibrationError, places: 4),
            ])
        }
        if !skipped.isEmpty {
            table.add(["could not be read", "\(grouped(skipped.count)) pictures"])
        }
        for event in events.suffix(5) {
            table.add(["step \(grouped(event.step))", printable(event.text)])
        }
        var settings = Table(["setting": .left, "value": .left])
        for (key, value) in self.settings {
            settings.add([printable(key), printable(String(value.prefix(100)))])
        }
        return table.text + "\n" + settings.text
    }

    /// For programs.
    var json: JSONValue {
        .members([
            "path": .string(folder.path), "name": .string(name), "steps": .integer(stepCount),
            "epochs": .integer(epochCount), "seconds": .rounded(seconds, places: 3),
            "images_per_second": medianRate.map { .rounded($0, places: 3) },
            "last": training.last.map { last in
                .members([
                    "step": .integer(last.step), "loss": .number(last.loss),
                    "top1": .number(last.top1), "top5": .number(last.top5),
                ])
            },
            "best": bestValidation.map { best in
                .members([
                    "step": .integer(best.step), "epoch": .integer(best.epoch),
                    "loss": .number(best.loss), "top1": .number(best.top1),
                    "top5": .number(best.top5), "macro_f1": .number(best.macroF1),
                    "ece": .number(best.ece),
                ])
            },
            "evaluation": evaluation.map { result in
                .members([
                    "pictures": .integer(result.sampleCount), "top1": .number(result.top1),
                    "top5": .number(result.top5), "cross_entropy": .number(result.crossEntropy),
                    "macro_f1": .number(result.macroF1),
                    "ece": .number(result.expectedCalibrationError),
                ])
            },
            "skipped": .integer(skipped.count),
            "settings": .object(
                settings.map { JSONValue.Member(key: $0.key, value: .string($0.value)) }),
        ])
    }

    private func percent(_ share: Double) -> String { fixed(100 * share, places: 2) + " %" }
}

extension RunComparison {
    /// For people.
    var text: String {
        let text = runTable(runs).text
        guard !differences.isEmpty else { return text + "\nAll settings are the same.\n" }
        var table = Table(
            columns: [("setting", .left)] + runs.map { (printable($0.name), .left) })
        for difference in differences {
            let values = difference.values.map { printable(String(($0 ?? "").prefix(40))) }
            table.add([printable(difference.key)] + values)
        }
        return text + "\n" + table.text
    }

    /// For programs.
    ///
    /// - Parameter page: where the page with the curves is.
    func json(page: String) -> JSONValue {
        .members([
            "runs": .array(runs.map { $0.json }),
            "differences": .object(
                differences.map { difference in
                    JSONValue.Member(
                        key: difference.key,
                        value: .array(
                            difference.values.map { value in
                                value.map { .string($0) } ?? .null
                            }))
                }), "page": .string(page),
        ])
    }
}
