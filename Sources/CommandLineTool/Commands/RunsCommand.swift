import ArgumentParser
import Native
import Runs

/// `resnet runs`: what training left behind.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "List, show and compare training runs.",
        discussion: "A run is the folder that `resnet train` writes: one with a config.yaml in it.",
        subcommands: [
            RunsListCommand.self, RunsShowCommand.self, RunsCompareCommand.self,
            RunsReportCommand.self,
        ])
}

/// `resnet runs list`.
struct RunsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the runs in folders, the best first.")

    @Argument(
        help: ArgumentHelp(
            "Folders of runs, or folders with such folders in them.", valueName: "folder"))
    var folders = ["runs"]

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json|csv"))
    var format = OutputFormat.text

    mutating func validate() throws {
        guard format != .jsonl else {
            throw ValidationError("--format: expected text, json or csv, found jsonl")
        }
    }

    mutating func run() async throws {
        let (folders, format) = (folders, format)
        let text = try await WorkQueue(name: "files").run {
            let runs = try findRuns(folders)
                .sorted {
                    ($1.bestValidation?.top1 ?? -1, $0.name) < (
                        $0.bestValidation?.top1 ?? -1, $1.name
                    )
                }
            return switch format {
            case .json: JSONValue.array(runs.map { $0.json }).pretty + "\n"
            case .csv: runTable(runs).csv
            case .text, .jsonl: runTable(runs).text
            }
        }
        try Console.current.output(text)
    }
}

/// `resnet runs show`.
struct RunsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a run did.")

    @Argument(help: ArgumentHelp("A run's folder.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws { try checkTextOrJSON(format) }

    mutating func run() async throws {
        let (folder, format) = (folder, format)
        let text = try await WorkQueue(name: "files").run {
            let run = try RunHistory(RunFolder(folder))
            return format == .json ? run.json.pretty + "\n" : run.text
        }
        try Console.current.output(text)
    }
}

/// `resnet runs compare`.
struct RunsCompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare runs: numbers, settings that differ, and a page with all curves.")

    @Argument(
        help: ArgumentHelp(
            "Folders of runs, or folders with such folders in them.", valueName: "folder"))
    var folders: [String]

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the page is written.", valueName: "file.html"))
    var output = "comparison.html"

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws { try checkTextOrJSON(format) }

    mutating func run() async throws {
        let (folders, format, output) = (folders, format, output)
        let text = try await WorkQueue(name: "files").run {
            let comparison = RunComparison(try findRuns(folders))
            guard comparison.runs.count > 1 else {
                throw CommandError(
                    .inputMissing,
                    "\(folders.joined(separator: " ")): expected two runs or more to compare, found "
                        + "\(comparison.runs.count)")
            }
            try writePage(comparison.page(), to: output)
            return format == .json
                ? comparison.json(page: output).pretty + "\n" : comparison.text
        }
        try Console.current.output(text)
        if format == .text { Console.current.note("the curves are in \(output)") }
    }
}

/// `resnet runs report`.
struct RunsReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write the page about a run anew, and print where it is.")

    @Argument(
        help: ArgumentHelp(
            "Folders of runs, or folders with such folders in them.", valueName: "folder"))
    var folders: [String]

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json"))
    var format = OutputFormat.text

    mutating func validate() throws { try checkTextOrJSON(format) }

    mutating func run() async throws {
        let (folders, format) = (folders, format)
        let paths = try await WorkQueue(name: "files").run {
            try findRuns(folders).map { try RunReport.write($0.folder.path) }
        }
        let text =
            format == .json
            ? JSONValue.array(paths.map { .string($0) }).pretty + "\n"
            : paths.map { printable($0) + "\n" }.joined()
        try Console.current.output(text)
    }
}

private func checkTextOrJSON(_ format: OutputFormat) throws {
    guard [.text, .json].contains(format) else {
        throw ValidationError("--format: expected text or json, found \(format.rawValue)")
    }
}

/// The runs that folders are or hold.
///
/// - Throws: `CommandError` where a folder neither is a run nor holds one.
private func findRuns(_ folders: [String]) throws -> [RunHistory] {
    try folders.flatMap { path in
        let folder = RunFolder(path)
        if folder.holdsRun { return [try RunHistory(folder)] }
        let found = try folderContents(atPath: path)
            .filter { $0.kind == .folder && !$0.name.hasPrefix(".") }
            .map { RunFolder("\(folder.path)/\($0.name)") }
            .filter { $0.holdsRun }
        guard !found.isEmpty else {
            throw CommandError(
                .inputMissing,
                "\(path): expected a run's folder, or one with runs in it, found neither")
        }
        return try found.map { try RunHistory($0) }
    }
}

private func writePage(_ page: String, to path: String) throws(CommandError) {
    do {
        try writeFile(Memory(copying: Array(page.utf8)), toPath: path)
    } catch {
        throw CommandError.output(path, error)
    }
}
