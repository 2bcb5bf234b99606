import Foundation

/// A run of the program as it was built, which can be sent signals.
final class BinaryProcess {
    private let process = Process()
    private let messages = Pipe()
    private var bytes = Data()

    /// Starts it.
    ///
    /// - Parameters:
    ///   - arguments: its command line.
    ///   - wrapper: a program and arguments that start it in turn, as in `timeout 1`.
    init(_ arguments: [String], under wrapper: [String] = []) throws {
        let words = wrapper + [Binary.path ?? ""] + arguments
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        process.standardError = messages
        try process.run()
    }

    /// Waits until a text has been printed on the error stream, or that stream has ended.
    func wait(for text: String) {
        while !error.contains(text) {
            let more = messages.fileHandleForReading.availableData
            if more.isEmpty { return }
            bytes += more
        }
    }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for its end.
    ///
    /// - Returns: the exit status; 128 and the signal's number where one ended it.
    func end() -> Int {
        bytes += messages.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let status = Int(process.terminationStatus)
        return process.terminationReason == .uncaughtSignal ? 128 + status : status
    }

    /// What was printed on the error stream so far.
    var error: String { String(decoding: bytes, as: UTF8.self) }
}
