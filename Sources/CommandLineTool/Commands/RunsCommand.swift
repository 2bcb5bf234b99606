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
        try check(format, among: [.text, .json, .csv])
    }

    mutating func run() async throws {
        let (folders, format, console) = (folders, format, Console.current)
        let text = try await WorkQueue(name: "files").run {
            let runs = try findRuns(folders).map { try history(of: $0, console) }
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

    mutating func validate() throws { try check(format, among: [.text, .json]) }

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

    mutating func validate() throws { try check(format, among: [.text, .json]) }

    mutating func run() async throws {
        let (folders, format, output, console) = (folders, format, output, Console.current)
        let text = try await WorkQueue(name: "files").run {
            let comparison = RunComparison(
                try findRuns(folders).map { try history(of: $0, console) })
            guard comparison.runs.count > 1 else {
                throw CommandError(
                    .inputMissing,
                    "\(folders.joined(separator: " ")): expected two runs or more to compare, found "
                        + "\(comparison.runs.count)")
            }
            try writeResult(comparison.page(), to: output)
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

    mutating func validate() throws { try check(format, among: [.text, .json]) }

    mutating func run() async throws {
        let (folders, format) = (folders, format)
        let paths = try await WorkQueue(name: "files").run {
            try findRuns(folders).map { try RunReport.write($0.path) }
        }
        let text =
            format == .json
            ? JSONValue.array(paths.map { .string($0) }).pretty + "\n"
            : paths.map { printable($0) + "\n" }.joined()
        try Console.current.output(text)
    }
}

/// The runs that folders are or hold.
///
/// - Throws: `CommandError` where a folder neither is a run nor holds one.
private func findRuns(_ folders: [String]) throws -> [RunFolder] {
    try folders.flatMap { path in
        let folder = RunFolder(path)
        if folder.holdsRun { return [folder] }
        let found = try folderContents(atPath: path)
            .filter { $0.kind == .folder && !$0.name.hasPrefix(".") }
            .map { RunFolder("\(folder.path)/\($0.name)") }
            .filter { $0.holdsRun }
        guard !found.isEmpty else {
            throw CommandError(
                .inputMissing,
                "\(path): expected a run's folder, or one with runs in it, found neither")
        }
        return found
    }
}

/// What a run did; a damaged evaluation is told of and left out, so that one does not hide all other runs.
private func history(of folder: RunFolder, _ console: Console) throws(RunError) -> RunHistory {
    do {
        return try RunHistory(folder)
    } catch {
        guard error.code == .badEvaluation else { throw error }
        console.note("resnet: warning: \(error.message)")
        return try RunHistory(folder, readsEvaluation: false)
    }
}
