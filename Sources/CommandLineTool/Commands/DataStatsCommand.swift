import ArgumentParser
import Datasets
import Images

/// `resnet data stats`: counts classes and measures pictures.
struct DataStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Count classes and measure pictures, by their headers.",
        discussion: """
            JSON is {"name", "classes": [{"index", "name", "train", "val"}], "train" and "val": {"samples", \
            "unreadable", "formats", "width", "height", "short_side", "bytes": {"min", "median", "max"}, \
            "total_bytes", "digest"}, "notes"}; where the data has pictures of a test part beside val, or of no \
            part, "test" and "none" are like "val".
            """)

    @OptionGroup var input: DataOptions

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json|csv"))
    var format = OutputFormat.text

    mutating func validate() throws { try check(format, among: [.text, .json, .csv]) }

    /// One side of the split.
    private struct Side: Sendable {
        let name: String
        let statistics: DatasetStatistics
        let digest: String
    }

    mutating func run() async throws {
        let input = input
        let progress = ProgressLine("stats", unit: "images", isQuiet: input.quiet)
        let (data, sides) = try await runCancellable("stats") { cancellation in
            let data = try OpenedData(input.data, input.options, cancellation)
            var sides: [Side] = []
            var before = 0
            for side in data.split.sides {
                let (first, set) = (before, side.dataset)
                let statistics = try DatasetStatistics(
                    of: set, workers: input.workerCount, cancellation: cancellation
                ) { done in
                    progress.update(done: first + done, of: data.sampleCount)
                }
                before += set.samples.count
                sides.append(
                    Side(name: side.name, statistics: statistics, digest: try set.digest()))
            }
            return (data, sides)
        }
        progress.clear()
        let text =
            switch format {
            case .json: json(data, sides).pretty + "\n"
            case .csv: data.classTable.csv
            case .text, .jsonl: text(data, sides)
            }
        try Console.current.output(text)
    }

    private func text(_ data: OpenedData, _ sides: [Side]) -> String {
        var table = Table([
            "": .left, "pictures": .right, "unreadable": .right, "width": .right,
            "height": .right, "short side": .right, "bytes": .right, "in all": .right,
            "formats": .left,
        ])
        for side in sides {
            let statistics = side.statistics
            table.add([
                side.name, grouped(statistics.sampleCount), grouped(statistics.unreadable.count),
                spread(statistics.width), spread(statistics.height),
                spread(statistics.shortSide), spread(statistics.byteCounts),
                byteText(statistics.totalByteCount),
                formats(statistics).map { "\($0) \(grouped($1))" }.joined(separator: ", "),
            ])
        }
        return data.classTable.text + "\n" + table.text
            + "(smallest, median, largest)\n" + data.notesText
    }

    private func spread(_ spread: DatasetStatistics.Spread?) -> String {
        guard let spread else { return "" }
        return [spread.minimum, spread.median, spread.maximum].map { grouped($0) }
            .joined(separator: " ")
    }

    private func formats(_ statistics: DatasetStatistics) -> [(String, Int)] {
        ImageFormat.allCases.compactMap { format in
            statistics.formats[format].map { (format.rawValue, $0) }
        }
    }

    private func json(_ data: OpenedData, _ sides: [Side]) -> JSONValue {
        func spread(_ spread: DatasetStatistics.Spread?) -> JSONValue? {
            spread.map {
                .members([
                    "min": .integer($0.minimum), "median": .integer($0.median),
                    "max": .integer($0.maximum),
                ])
            }
        }
        let objects = sides.map { side -> JSONValue.Member in
            let statistics = side.statistics
            let object = JSONValue.members([
                "samples": .integer(statistics.sampleCount),
                "unreadable": .integer(statistics.unreadable.count),
                "formats": .object(
                    formats(statistics).map { .init(key: $0, value: .integer($1)) }),
                "width": spread(statistics.width), "height": spread(statistics.height),
                "short_side": spread(statistics.shortSide),
                "bytes": spread(statistics.byteCounts),
                "total_bytes": .integer(statistics.totalByteCount),
                "digest": .string(side.digest),
            ])
            return JSONValue.Member(key: side.name, value: object)
        }
        return .object(
            [
                JSONValue.Member(key: "name", value: .string(data.split.training.name)),
                JSONValue.Member(key: "classes", value: data.classJSON),
            ] + objects + [JSONValue.Member(key: "notes", value: data.notesJSON)])
    }
}
