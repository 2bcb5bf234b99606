import CommandLineTool
import Native
import Synchronization

/// A console that keeps what is printed.
final class TestConsole: Sendable {
    private let texts = Mutex((output: "", error: ""))
    private let isTerminal: Bool
    private let variables: [String: String]
    private let input: [UInt8]

    init(isTerminal: Bool = false, variables: [String: String] = [:], input: [UInt8] = []) {
        self.isTerminal = isTerminal
        self.variables = variables
        self.input = input
    }

    var output: String { texts.withLock { $0.output } }
    var error: String { texts.withLock { $0.error } }

    var console: Console {
        Console(
            isOutputTerminal: isTerminal, isErrorTerminal: isTerminal, columns: 80,
            environment: { [variables] name in variables[name] },
            write: { [self] text, stream in
                texts.withLock { texts in
                    if stream == .output { texts.output += text } else { texts.error += text }
                }
            },
            readInput: { [input] _ in Memory(copying: input) })
    }

    /// Runs a command line.
    func run(_ arguments: String...) async -> ExitStatus {
        await Console.$current.withValue(console) { await runCommand(arguments: arguments) }
    }
}

/// The program's statuses, not those of Swift Testing's exit tests.
typealias ExitStatus = CommandLineTool.ExitStatus
