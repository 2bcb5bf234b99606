import ArgumentParser
import Datasets
import Native

/// `resnet data pack`: copies data into one file.
struct DataPackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Copy data into one file, which is read faster.",
        discussion: """
            Every picture is decoded on the way; bad ones are left out and named. With --size pictures whose short \
            side is longer are made smaller and encoded anew as JPEG; all others are copied byte for byte. \
            Train and val parts stay what they are.

            JSON is {"output", "samples", "resized", "bytes", "source_bytes", "bad": [{"path", "reason"}]}.
            """)

    @OptionGroup var input: DataOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The file (default: the data's name with .records, in the working folder).",
            valueName: "file.records"))
    var output: String?

    @Option(help: "Pixels that short sides are made smaller to.")
    var size: Int?

    @Option(help: "JPEG quality of pictures that are made smaller, 1 to 100.")
    var quality = 90

    @Option(help: ArgumentHelp("The share of pictures that may be bad.", valueName: "share"))
    var maxBad = Percentage(share: 0.01)

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(size, "--size", 8...65_536)
        try check(quality, "--quality", 1...100)
        try check(format, among: [.text, .json])
    }

    mutating func run() async throws {
        let input = input
        let target = output ?? Self.defaultOutput(for: input.data)
        let packer = DatasetPacker(
            shortSide: size, quality: quality, workers: input.workerCount)
        let progress = ProgressLine("pack", unit: "images", isQuiet: input.quiet)
        let maximumBadShare = maxBad.share
        let report = try await runCancellable("pack") { cancellation in
            try packer.pack(
                input.data, to: target, maximumBadShare: maximumBadShare, options: input.options,
                cancellation: cancellation
            ) { done, total in
                progress.update(done: done, of: total)
            }
        }
        progress.clear()
        if format == .json {
            try Console.current.output(json(report, target).pretty + "\n")
            return
        }
        for sample in report.bad.prefix(20) {
            Console.current.note("resnet: left out \(sample.name): \(sample.reason)")
        }
        try Console.current.output(
            "\(printable(target)): \(grouped(report.sampleCount)) pictures, "
                + "\(byteText(report.byteCount)) (\(byteText(report.sourceByteCount)) before), "
                + "\(grouped(report.resizedCount)) made smaller, \(grouped(report.bad.count)) bad "
                + "left out\n")
    }

    private func json(_ report: DatasetPacker.Report, _ target: String) -> JSONValue {
        .members([
            "output": .string(target), "samples": .integer(report.sampleCount),
            "resized": .integer(report.resizedCount), "bytes": .integer(report.byteCount),
            "source_bytes": .integer(report.sourceByteCount),
            "bad": .array(
                report.bad.map {
                    .members(["path": .string($0.name), "reason": .string($0.reason)])
                }),
        ])
    }

    /// The data's last name, without what cannot be one, in the working folder.
    static func defaultOutput(for data: String) -> String {
        var name =
            data.split(separator: "/").last { $0 != "." && $0 != ".." }.map(String.init) ?? ""
        if FileKind(atPath: data) != .folder, let dot = name.lastIndex(of: "."),
            dot != name.startIndex
        {
            name = String(name[..<dot])
        }
        let kept = name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" }
        return (kept.isEmpty ? "data" : String(kept)) + ".records"
    }
}
