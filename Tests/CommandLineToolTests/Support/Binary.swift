import Foundation

/// The program as it was built.
enum Binary {
    struct Result: Sendable {
        var status: Int
        var output: String
        var error: String
    }

    /// Where it is: beside the program that runs the tests; `nil` where it is not there.
    static let path: String? = {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        else { return nil }
        let folders = [own] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }
        return folders.map { URL(filePath: $0).deletingLastPathComponent().path + "/resnet" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - arguments: its command line.
    ///   - environment: variables that it has besides those of the tests.
    ///   - output: where its output goes instead of into the result.
    ///   - signal: what it is sent once `text` has been printed.
    ///   - text: the output that the signal waits for.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], output: FileHandle? = nil,
        signal: Int32? = nil, after text: String = ""
    ) async throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: path ?? "")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (input, printed, messages) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        if let output { process.standardOutput = output } else { process.standardOutput = printed }
        process.standardError = messages
        let (ended, end) = AsyncStream<Int>.makeStream()
        process.terminationHandler = { process in
            end.yield(Int(process.terminationStatus))
            end.finish()
        }
        try process.run()
        var bytes = Data()
        if let signal {
            while !String(decoding: bytes, as: UTF8.self).contains(text) {
                let more = printed.fileHandleForReading.availableData
                if more.isEmpty { break }
                bytes += more
            }
            kill(process.processIdentifier, signal)
        }
        if output == nil { bytes += printed.fileHandleForReading.readDataToEndOfFile() }
        let error = messages.fileHandleForReading.readDataToEndOfFile()
        var status = -1
        for await value in ended { status = value }
        try input.fileHandleForWriting.close()
        return Result(
            status: status, output: String(decoding: bytes, as: UTF8.self),
            error: String(decoding: error, as: UTF8.self))
    }
}
