import Inference
import Native

/// Prints the outcomes of a classification in one of the forms that users ask for.
struct ResultWriter {
    let format: OutputFormat
    let top: Int
    let inputCount: Int
    /// How wide pictures are shown; `nil` where none are.
    let pictureColumns: Int?
    let console: Console
    private var writtenCount = 0
    private var isOpen = false

    init(
        format: OutputFormat, top: Int, inputCount: Int, pictureColumns: Int?, console: Console
    ) {
        self.format = format
        self.top = top
        self.inputCount = inputCount
        self.pictureColumns = pictureColumns
        self.console = console
    }

    /// Prints what comes before the first outcome.
    mutating func begin() throws(NativeError) {
        isOpen = true
        switch format {
        case .json: try console.output("[")
        case .csv:
            let columns = (1...top).flatMap { ["index_\($0)", "label_\($0)", "probability_\($0)"] }
            try console.output(
                csvLine(["path", "width", "height", "milliseconds", "error"] + columns))
        case .text, .jsonl: break
        }
    }

    /// Prints an outcome.
    mutating func write(
        name: String, _ result: Result<Classification, CommandError>
    ) throws(NativeError) {
        defer { writtenCount += 1 }
        switch format {
        case .json:
            let separator = writtenCount == 0 ? "\n" : ",\n"
            try console.output(separator + "  " + json(name, result).compact)
        case .jsonl: try console.output(json(name, result).compact + "\n")
        case .csv: try console.output(csv(name, result))
        case .text:
            // A failure has been named on the error stream.
            guard case .success(let classification) = result else { return }
            try console.output(
                inputCount > 8 ? line(name, classification) : block(name, classification))
        }
    }

    /// Prints what comes after the last outcome.
    mutating func end() throws(NativeError) {
        guard isOpen else { return }
        isOpen = false
        if format == .json { try console.output(writtenCount == 0 ? "]\n" : "\n]\n") }
    }

    private func json(
        _ name: String, _ result: Result<Classification, CommandError>
    ) -> JSONValue {
        switch result {
        case .failure(let error):
            return .members(["path": .string(name), "error": .string(error.message)])
        case .success(let classification):
            let top = classification.top.map { prediction in
                JSONValue.members([
                    "index": .integer(prediction.index), "label": .string(prediction.label),
                    "probability": .rounded(prediction.probability, places: 6),
                ])
            }
            return .members([
                "path": .string(name), "width": .integer(classification.width),
                "height": .integer(classification.height), "top": .array(top),
                "milliseconds": .rounded(classification.milliseconds, places: 3),
            ])
        }
    }

    private func csv(_ name: String, _ result: Result<Classification, CommandError>) -> String {
        switch result {
        case .failure(let error):
            let blanks = [String](repeating: "", count: top * 3)
            return csvLine([name, "", "", "", error.message] + blanks)
        case .success(let classification):
            var fields = [
                name, "\(classification.width)", "\(classification.height)",
                fixed(classification.milliseconds, places: 3), "",
            ]
            for prediction in classification.top {
                fields += [
                    "\(prediction.index)", prediction.label,
                    fixed(prediction.probability, places: 6),
                ]
            }
            // A model may have fewer classes than were asked for.
            let missing = 5 + top * 3 - fields.count
            return csvLine(fields + [String](repeating: "", count: missing))
        }
    }

    /// One line a picture, for many.
    private func line(_ name: String, _ classification: Classification) -> String {
        let names = classification.top.prefix(3).map { prediction in
            "\(shortLabel(prediction.label)) \(percent(prediction.probability))"
        }
        return "\(printable(name)): \(names.joined(separator: ", "))\n"
    }

    /// Several lines a picture, for few, with the picture where the terminal can show it.
    private func block(_ name: String, _ classification: Classification) -> String {
        let size = "\(classification.width) x \(classification.height)"
        let time = "\(fixed(classification.milliseconds, places: 1)) ms"
        let shares = classification.top.map { prediction in
            let share = percent(prediction.probability)
            let gap = String(repeating: " ", count: max(0, 7 - share.count))
            return "\(gap)\(share)  \(printable(prediction.label))"
        }
        guard let pictureColumns else {
            let heading = "\(printable(name))  (\(size), \(time))"
            return ([heading] + shares).joined(separator: "\n") + "\n"
        }
        let rows = terminalPicture(classification.picture, columns: pictureColumns)
        let width = (console.columns ?? 80) - pictureColumns - 3
        let lines = [tail(of: printable(name), width: max(width, 24)), "\(size), \(time)"] + shares
        guard width >= 24 else {
            return (rows + lines).joined(separator: "\n") + "\n\n"
        }
        let blank = String(repeating: " ", count: pictureColumns)
        let first = max(0, (rows.count - lines.count) / 2)
        let count = max(rows.count, first + lines.count)
        let joined = (0..<count).map { row in
            let picture = row < rows.count ? rows[row] : blank
            guard row >= first, row - first < lines.count else { return picture }
            return picture + "  " + String(lines[row - first].prefix(width))
        }
        return joined.joined(separator: "\n") + "\n\n"
    }

    /// The end of a text that is too long, for a path's end tells more than its beginning.
    private func tail(of text: String, width: Int) -> String {
        text.count <= width ? text : "…" + text.suffix(width - 1)
    }

    private func percent(_ probability: Double) -> String {
        fixed(probability * 100, places: 1) + " %"
    }

    /// The first of a class's names.
    private func shortLabel(_ label: String) -> String {
        printable(String(label.prefix { $0 != "," }))
    }
}
