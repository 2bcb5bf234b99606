import ArgumentParser
import Native
import Pretrained

/// `resnet weights`: pretrained weights by name.
struct WeightsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights", abstract: "List, download and find pretrained weights.",
        discussion: """
            Files are kept in RESNET_CACHE, else in swift-resnet in XDG_CACHE_HOME, else in \
            ~/.cache/swift-resnet. RESNET_WEIGHTS_MIRROR names a folder on a server that holds the same files.
            """,
        subcommands: [
            WeightsListCommand.self, WeightsDownloadCommand.self, WeightsPathCommand.self,
        ])
}

/// `resnet weights list`.
struct WeightsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the weights that are known by name.")

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json|csv"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(format, among: [.text, .json, .csv])
    }

    mutating func run() async throws {
        let entries = try await WorkQueue(name: "files").run { try WeightCache().list() }
        if format == .json {
            let array = JSONValue.array(entries.map(json))
            try Console.current.output(array.pretty + "\n")
            return
        }
        var table = Table([
            "name": .left, "network": .left, "size": .right, "top-1": .right, "top-5": .right,
            "publisher": .left, "licence": .left, "here": .left,
        ])
        for entry in entries {
            let weights = entry.weights
            table.add([
                weights.name, "ResNet-\(weights.depth) \(weights.variant)",
                byteText(weights.byteCount ?? weights.approximateByteCount),
                weights.publishedTop1.map { fixed($0, places: 2) } ?? "",
                weights.publishedTop5.map { fixed($0, places: 2) } ?? "", weights.publisher,
                weights.licence ?? "not stated", text(of: entry.state),
            ])
        }
        try Console.current.output(format == .csv ? table.csv : table.text)
    }

    private func text(of state: WeightCache.Entry.State) -> String {
        switch state {
        case .absent: "no"
        case .partial(let byteCount): "\(byteText(byteCount)) so far"
        case .present: "yes"
        case .wrongLength: "damaged"
        }
    }

    private func json(_ entry: WeightCache.Entry) -> JSONValue {
        let weights = entry.weights
        let isHere = if case .present = entry.state { true } else { false }
        return .members([
            "name": .string(weights.name), "depth": .integer(weights.depth),
            "variant": .string(weights.variant), "url": .string(weights.url),
            "bytes": .integer(weights.byteCount ?? weights.approximateByteCount),
            "top1": weights.publishedTop1.map { .number($0) },
            "top5": weights.publishedTop5.map { .number($0) },
            "resize": .integer(weights.evaluation.resize),
            "crop": .integer(weights.evaluation.crop), "publisher": .string(weights.publisher),
            "licence": weights.licence.map { .string($0) } ?? .null,
            "path": .string(entry.path), "cached": .bool(isHere),
        ])
    }
}

/// `resnet weights download`.
struct WeightsDownloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download", abstract: "Download weights, verified, and print where they are.")

    @Argument(help: "Their name; `resnet weights list` shows all.")
    var name = PretrainedWeights.defaultName

    @Flag(help: "Use no network: verify what is there.")
    var offline = false

    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false

    mutating func run() async throws {
        let cache = try WeightCache(isOffline: offline)
        let progress = ProgressLine("download \(name)", unit: nil, isQuiet: quiet)
        let path = try await cache.download(name) { state in
            switch state.phase {
            case .transferring:
                progress.update(
                    done: state.byteCount, of: state.totalByteCount, rate: state.bytesPerSecond)
            case .waiting, .verifying, .done: break
            }
        }
        progress.clear()
        try Console.current.output(path + "\n")
    }
}

/// `resnet weights path`.
struct WeightsPathCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "path", abstract: "Print where downloaded weights are.")

    @Argument(help: "Their name; `resnet weights list` shows all.")
    var name = PretrainedWeights.defaultName

    mutating func run() async throws {
        let name = name
        let path = try await WorkQueue(name: "files").run { try WeightCache().path(of: name) }
        try Console.current.output(path + "\n")
    }
}
