import ArgumentParser
import Datasets
import Native

/// `resnet data`: looks at data before it is learnt from.
struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Check, measure and pack pictures to learn from.",
        discussion: """
            Data is a folder with one folder a class, with train and val folders around them or without; a CSV or \
            TSV list with file and label; tar archives as WebDataset writes them, or TFRecord files, by folder or \
            as in 'shard-{000..009}.tar'; a file that `resnet data pack` made; or shapes, which are drawn. Nothing is ever written into the \
            data's folder.
            """,
        subcommands: [DataCheckCommand.self, DataStatsCommand.self, DataPackCommand.self])
}

/// What all commands about data take.
struct DataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The share of each class to measure by, where the data does not say which pictures.",
            valueName: "share"))
    var validationShare = Percentage(share: 0.2)

    @Option(help: "What that choice comes of.")
    var seed: UInt64 = 42

    @OptionGroup var reading: ReadingOptions

    @Option(
        name: [.customShort("j"), .long],
        help: "How many threads decode (default: one a processor).")
    var workers: Int?

    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false

    @Argument(help: ArgumentHelp("The data.", valueName: "folder|file|pattern|shapes"))
    var data: String

    mutating func validate() throws {
        try check(workers, "--workers", 1...1024)
        guard validationShare.share > 0, validationShare.share < 1 else {
            throw ValidationError("--validation-share: expected more than 0 and less than 1")
        }
    }

    /// How the data is opened.
    var options: DatasetOptions {
        var options = reading.options
        options.validationShare = validationShare.share
        options.seed = seed
        return options
    }

    /// Threads that decode.
    var workerCount: Int { workers ?? ComputeTeam.processorCount }
}

/// Runs long work on a thread of its own; cancelling the task ends it.
func runCancellable<Success: Sendable>(
    _ name: String, _ work: @escaping @Sendable (Cancellation) throws -> Success
) async throws -> Success {
    let cancellation = Cancellation()
    let queue = try WorkQueue(name: name)
    return try await withTaskCancellationHandler {
        do {
            return try await queue.run { try work(cancellation) }
        } catch {
            try Task.checkCancellation()
            throw error
        }
    } onCancel: {
        cancellation.cancel()
    }
}

/// Throws a usage error for a format that a command does not have.
func check(_ format: OutputFormat, among allowed: [OutputFormat]) throws {
    guard !allowed.contains(format) else { return }
    let names = allowed.map { $0.rawValue }
    throw ValidationError(
        "--format: expected \(names.joined(separator: " or ")), found \(format.rawValue)")
}

/// The split that data has or is given, for commands that look at all of it.
struct OpenedData: Sendable {
    let split: DatasetSplit

    /// Opens data; what nothing can be learnt from, as a single class, is one side alone.
    init(_ data: String, _ options: DatasetOptions, _ cancellation: Cancellation) throws {
        do throws(DatasetError) {
            split = try DatasetSplit.open(data, options: options, cancellation: cancellation)
        } catch {
            guard error.code == .notRecognised else { throw error }
            let all = try Dataset.open(data, part: .all, options: options)
            split = DatasetSplit(
                training: all, validation: all.selecting([]),
                notes: all.notes + ["not split: \(error.message)"])
        }
    }

    /// The number of pictures.
    var sampleCount: Int { split.sides.reduce(0) { $0 + $1.dataset.samples.count } }

    /// Classes with their counts on each side.
    var classTable: Table {
        var columns: [(name: String, alignment: Table.Alignment)] = [
            ("class", .right), ("name", .left),
        ]
        for side in split.sides { columns.append((side.name, .right)) }
        var table = Table(columns: columns)
        let counts = split.sides.map { $0.dataset.classCounts }
        for (label, name) in split.training.classNames.enumerated() {
            table.add([String(label), printable(name)] + counts.map { grouped($0[label]) })
        }
        return table
    }

    /// The same as JSON.
    var classJSON: JSONValue {
        let sides = split.sides.map { (name: $0.name, counts: $0.dataset.classCounts) }
        return .array(
            split.training.classNames.enumerated().map { label, name in
                .object(
                    [
                        JSONValue.Member(key: "index", value: .integer(label)),
                        JSONValue.Member(key: "name", value: .string(name)),
                    ]
                        + sides.map {
                            JSONValue.Member(key: $0.name, value: .integer($0.counts[label]))
                        })
            })
    }

    /// What was noticed, as JSON.
    var notesJSON: JSONValue { .array(split.notes.map { .string($0) }) }

    /// What was noticed, one a line.
    var notesText: String { split.notes.map { "note: \(printable($0))\n" }.joined() }
}

extension DatasetSplit.Side {
    /// What tables and JSON call it.
    var name: String {
        switch part {
        case .training: "train"
        case .validation: "val"
        case .test: "test"
        case .all: "all"
        case nil: "none"
        }
    }
}
