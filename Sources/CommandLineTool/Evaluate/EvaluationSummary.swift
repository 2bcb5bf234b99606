import Datasets
import FoundationEssentials
import Images
import Inference
import Runs

/// What `resnet eval` found, and how.
struct EvaluationSummary: Sendable {
    /// The weight file.
    var weights: String
    /// The network's name.
    var architecture: String
    /// What computed.
    var device: String
    /// What it computed in.
    var precision: Precision
    /// How pictures became the network's input.
    var transform: EvaluationTransform
    /// How the data's classes were matched with the network's.
    var matched: String
    /// The numbers.
    var result: EvaluationResult
    /// The temperature that was fitted, if one was.
    var calibration: Calibration?
    /// The file that has the temperature now.
    var storedIn: String?

    /// Pictures a second.
    var rate: Double { Double(result.sampleCount) / max(result.seconds, 1e-9) }

    /// For people.
    func text(perClass: Bool) -> String {
        var table = Table(["measure": .left, "value": .right, "": .left])
        let interval = result.accuracyInterval
        table.add([
            "top-1", percent(result.top1),
            "\(grouped(result.top1Count)) of \(grouped(result.sampleCount)); 95 %: "
                + "\(fixed(100 * interval.lower, places: 2)) to \(percent(interval.upper))",
        ])
        table.add(["top-5", percent(result.top5), grouped(result.top5Count)])
        table.add(["cross-entropy", fixed(result.crossEntropy, places: 4), ""])
        let own = result.classes.filter { $0.count > 0 }.count
        table.add(["macro F1", fixed(result.macroF1, places: 4), "\(grouped(own)) classes"])
        table.add([
            "calibration error", fixed(result.expectedCalibrationError, places: 4),
            "ECE, \(result.reliability.count) bins, temperature "
                + fixed(result.temperature, places: 3),
        ])
        var text = """
            \(printable(weights)): \(architecture), \(precision.rawValue) on \(device)
            \(printable(result.dataset)): \(matched); resized to \(transform.resize), \
            cropped to \(transform.crop)\(viewText)

            \(table.text)
            """
        if let first = result.skipped.first {
            text += """

                \(grouped(result.skipped.count)) could not be read and count nowhere, the first \
                \(printable(first.name)): \(printable(first.reason))

                """
        }
        if let calibration { text += "\n" + self.text(of: calibration) }
        if !result.mostConfused.isEmpty { text += "\n" + confusedText }
        if perClass { text += "\n" + classTable.text }
        return text
            + "\n\(fixed(result.seconds, places: 1)) s, \(fixed(rate, places: 1)) images/s\n"
    }

    private var viewText: String {
        switch result.testTimeAugmentation {
        case .none: ""
        case .flip: ", mirror images averaged"
        case .fiveCrop: ", five crops averaged"
        case .tenCrop: ", ten crops averaged"
        }
    }

    private func text(of calibration: Calibration) -> String {
        var table = Table(["calibration": .left, "cross-entropy": .right, "ECE": .right])
        func add(_ name: String, _ quality: Calibration.Quality) {
            table.add([
                name, fixed(quality.crossEntropy, places: 4),
                fixed(quality.expectedCalibrationError, places: 4),
            ])
        }
        add("before, temperature 1", calibration.before)
        add(
            "after, temperature \(fixed(calibration.temperature, places: 3))", calibration.after)
        if let other = calibration.crossFitted { add("after, fitted to the other half", other) }
        let end =
            calibration.isAtEnd ? "The temperature is at the end of what is allowed. " : ""
        let place = storedIn.map { "It is in \(printable($0)) now, for classify and eval." } ?? ""
        return table.text + end + place + "\n"
    }

    private var confusedText: String {
        var table = Table(["often confused": .left, "with": .left, "times": .right])
        for pair in result.mostConfused.prefix(5) {
            table.add([
                shortName(pair.label), shortName(pair.predicted), grouped(pair.count),
            ])
        }
        return table.text
    }

    /// Every class that has pictures or was named.
    private var classTable: Table {
        var table = Table([
            "class": .left, "pictures": .right, "named": .right, "precision": .right,
            "recall": .right, "F1": .right,
        ])
        for metrics in result.classes {
            table.add([
                shortName(metrics.index), grouped(metrics.count), grouped(metrics.predictedCount),
                metrics.precision.map { fixed($0, places: 4) } ?? "",
                metrics.recall.map { fixed($0, places: 4) } ?? "", fixed(metrics.f1, places: 4),
            ])
        }
        return table
    }

    /// How often each class was taken for each, of classes that have pictures or were named, as CSV.
    var confusionTable: String {
        let indices = result.classes.map { $0.index }
        let header = ["class"] + indices.map { result.classNames[$0] }
        let rows = indices.map { label in
            [result.classNames[label]] + indices.map { String(result.confusion[label, $0]) }
        }
        return ([header] + rows).map(csvLine).joined()
    }

    /// The page, with pictures.
    func page(worst: [WorstPicture]) -> String {
        EvaluationReport.page(
            result, worst: worst,
            facts: [
                ("weights", weights.split(separator: "/").last.map(String.init) ?? weights),
                ("network", architecture), ("computed in", precision.rawValue),
                ("computed on", device), ("classes", matched),
                ("resized, cropped to", "\(transform.resize), \(transform.crop)"),
                ("speed", "\(fixed(rate, places: 1)) images/s"),
            ])
    }

    /// For programs.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// The first of a class's names.
    private func shortName(_ index: Int) -> String {
        printable(String(result.classNames[index].prefix { $0 != "," }))
    }

    private func percent(_ share: Double) -> String { fixed(100 * share, places: 2) + " %" }
}

extension EvaluationSummary: Encodable {
    private enum CodingKeys: String, CodingKey {
        case weights
        case architecture
        case device
        case precision
        case resize
        case crop
        case matched
        case calibration
        case storedIn = "stored_in"
    }

    /// Writes the result's own keys, and those of this value beside them.
    func encode(to encoder: any Encoder) throws {
        try result.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(weights, forKey: .weights)
        try container.encode(architecture, forKey: .architecture)
        try container.encode(device, forKey: .device)
        try container.encode(precision.rawValue, forKey: .precision)
        try container.encode(transform.resize, forKey: .resize)
        try container.encode(transform.crop, forKey: .crop)
        try container.encode(matched, forKey: .matched)
        try container.encodeIfPresent(calibration, forKey: .calibration)
        try container.encodeIfPresent(storedIn, forKey: .storedIn)
    }
}
