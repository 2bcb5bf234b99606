import ArgumentParser
import Datasets
import Native

/// `resnet data check`: decodes every picture.
struct DataCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Decode every picture, and name the bad ones.",
        discussion: """
            Pictures that cannot be read or decoded are bad; training skips them. Pictures with the same bytes are \
            reported where they lie on both sides of the split, so that measuring would flatter, or in two \
            classes. The exit status is 65 where more are bad than --max-bad allows.

            JSON is {"name", "samples", "classes": [{"index", "name", "train", "val"}], "bad": [{"path", \
            "reason"}], "bad_share", "duplicates", "leaks": [[path]], "conflicts": [[path]], "notes"}; classes \
            have "test" and "none" where the data has pictures of a test part beside val, or of no part.
            """)

    @OptionGroup var input: DataOptions

    @Option(help: ArgumentHelp("The share of pictures that may be bad.", valueName: "share"))
    var maxBad = Percentage(share: 0.01)

    @Option(
        help: ArgumentHelp(
            "Write the bad pictures, {\"path\", \"reason\"} a line.", valueName: "file.jsonl"))
    var skipped: String?

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    /// Bad pictures and groups that are listed as text; JSON and the file have all.
    private static let listedCount = 20

    mutating func validate() throws {
        try CommandLineTool.check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        let (input, skipped) = (input, skipped)
        let progress = ProgressLine("check", unit: "images", isQuiet: input.quiet)
        let (data, report) = try await runCancellable("check") { cancellation in
            if let skipped { try Dataset.checkOutput(skipped, data: input.data) }
            let data = try OpenedData(input.data, input.options, cancellation)
            let report = try DatasetCheck(workers: input.workerCount).run(
                data.split, cancellation: cancellation
            ) { done, total in
                progress.update(done: done, of: total)
            }
            if let skipped {
                var file = try SkippedSampleFile(skipped)
                try file.write(report.bad)
            }
            return (data, report)
        }
        progress.clear()
        let text = format == .json ? json(data, report).pretty + "\n" : text(data, report)
        try Console.current.output(text)
        guard report.badShare <= maxBad.share else {
            throw CommandError(
                .badData,
                "\(input.data): expected at most \(share(maxBad.share)) bad pictures, found "
                    + "\(report.bad.count) of \(report.sampleCount) (\(share(report.badShare)))")
        }
    }

    private func share(_ share: Double) -> String { "\(fixed(share * 100, places: 2)) %" }

    private func text(_ data: OpenedData, _ report: DatasetCheck.Report) -> String {
        let split = data.split
        var text =
            "\(printable(split.training.name)): \(split.training.classNames.count) classes, "
            + "\(grouped(split.training.samples.count)) pictures to learn from, "
            + "\(grouped(split.validation.samples.count)) to measure by"
        for side in split.others {
            text +=
                ", \(grouped(side.dataset.samples.count)) of "
                + (side.part == nil ? "no part" : side.name)
        }
        text += "\n" + data.notesText
        text += "bad: \(grouped(report.bad.count)) (\(share(report.badShare)))\n"
        for sample in report.bad.prefix(Self.listedCount) {
            text += "  \(printable(sample.name)): \(printable(sample.reason))\n"
        }
        text += rest(report.bad.count)
        text += "same bytes: \(grouped(report.duplicates.count)) groups\n"
        for (title, groups) in [
            ("to learn from and to measure by", report.leaks),
            ("in several classes", report.conflicts),
        ] where !groups.isEmpty {
            text += "same bytes \(title): \(grouped(groups.count)) groups\n"
            for group in groups.prefix(Self.listedCount) {
                text += "  \(group.names.map { printable($0) }.joined(separator: ", "))\n"
            }
            text += rest(groups.count)
        }
        return text
    }

    private func rest(_ count: Int) -> String {
        count > Self.listedCount ? "  and \(grouped(count - Self.listedCount)) more\n" : ""
    }

    private func json(_ data: OpenedData, _ report: DatasetCheck.Report) -> JSONValue {
        func groups(_ groups: [DatasetCheck.DuplicateGroup]) -> JSONValue {
            .array(groups.map { .array($0.names.map { .string($0) }) })
        }
        return .members([
            "name": .string(data.split.training.name), "samples": .integer(report.sampleCount),
            "classes": data.classJSON,
            "bad": .array(
                report.bad.map {
                    .members(["path": .string($0.name), "reason": .string($0.reason)])
                }),
            "bad_share": .number(report.badShare),
            "duplicates": .integer(report.duplicates.count), "leaks": groups(report.leaks),
            "conflicts": groups(report.conflicts), "notes": data.notesJSON,
        ])
    }
}
