package import Native
import Synchronization

/// What a command prints to and reads from.
///
/// Results go to the output, everything else to the error stream, each piece written at once.
package struct Console: Sendable {
    /// The console that commands use; tests put their own in its place.
    @TaskLocal package static var current = Console.process

    /// The process's own streams.
    package static let process = Console(
        isOutputTerminal: StandardStream.output.isTerminal,
        isErrorTerminal: StandardStream.error.isTerminal,
        columns: (StandardStream.error.terminalSize ?? StandardStream.output.terminalSize)?.columns,
        environment: { environmentVariable($0) },
        write: { text, stream throws(NativeError) in try stream.write(text) },
        readInput: { limit throws(NativeError) in
            try StandardStream.input.readToEnd(limit: limit)
        })

    /// Whether a person reads the results.
    package let isOutputTerminal: Bool
    /// Whether a person reads the messages.
    package let isErrorTerminal: Bool
    /// The width of the terminal, if there is one.
    package let columns: Int?
    /// An environment variable's value.
    package let environment: @Sendable (String) -> String?
    private let write: @Sendable (String, StandardStream) throws(NativeError) -> Void
    private let readInput: @Sendable (Int) throws(NativeError) -> Memory

    /// Makes a console of functions.
    package init(
        isOutputTerminal: Bool, isErrorTerminal: Bool, columns: Int?,
        environment: @escaping @Sendable (String) -> String?,
        write: @escaping @Sendable (String, StandardStream) throws(NativeError) -> Void,
        readInput: @escaping @Sendable (Int) throws(NativeError) -> Memory
    ) {
        self.isOutputTerminal = isOutputTerminal
        self.isErrorTerminal = isErrorTerminal
        self.columns = columns
        self.environment = environment
        self.write = write
        self.readInput = readInput
    }

    /// Prints a part of the result, as it is.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    package func output(_ text: String) throws(NativeError) { try write(text, .output) }

    /// Prints a message as a line; one that cannot be printed is lost.
    package func note(_ message: String) { try? write(printable(message) + "\n", .error) }

    /// Prints to the error stream, as it is.
    package func status(_ text: String) { try? write(text, .error) }

    /// Reads the standard input to its end.
    ///
    /// - Throws: `NativeError` with code `.limitExceeded` or `.inputOutput`.
    package func input(limit: Int) throws(NativeError) -> Memory { try readInput(limit) }

    /// Whether the output shows 24-bit colours: a terminal that says so, and nobody who asks for none.
    package var showsPictures: Bool {
        guard isOutputTerminal, (environment("NO_COLOR") ?? "").isEmpty else { return false }
        let term = environment("TERM") ?? ""
        let colors = environment("COLORTERM") ?? ""
        guard !term.isEmpty, term != "dumb" else { return false }
        return ["truecolor", "24bit"].contains(colors) || term.hasSuffix("-direct")
            || ["xterm-kitty", "xterm-ghostty", "alacritty", "wezterm", "foot"].contains(term)
    }
}
