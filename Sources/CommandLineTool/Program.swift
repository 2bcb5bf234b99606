import ArgumentParser
import Native
import Synchronization

/// The version that `--version` prints.
package let programVersion = "0.1.0"

/// The program that a process is.
///
/// Ctrl-C and SIGTERM stop its work between two batches, so that what was computed is printed; a second one,
/// or three seconds, end the process on the spot. Training takes its time to save: see `TrainingSignals`.
public struct Program: Sendable {
    private let stopper = Stopper()

    /// Begins; once in a process.
    ///
    /// Where signals cannot be taken over, they end the process as they do any other.
    public init() {
        let stopper = stopper
        try? handleInterrupts { signal in
            if let response = TrainingSignals.shared.handle(signal) { return response }
            stopper.stop(signal)
            return .ending(grace: .seconds(3))
        }
    }

    /// Runs a command line and returns the exit status.
    public func run(arguments: [String]) async -> Int32 {
        let task = Task { await runCommand(arguments: arguments) }
        stopper.watch { task.cancel() }
        let status = await task.value
        guard let signal = stopper.signal, status == .interrupted else { return status.rawValue }
        return signal.exitStatus
    }
}

/// Runs one command line, on the console that is current.
package func runCommand(arguments: [String]) async -> ExitStatus {
    let console = Console.current
    do {
        var command = try ResNetCommand.parseAsRoot(arguments)
        if var command = command as? any AsyncParsableCommand {
            try await command.run()
        } else {
            try command.run()
        }
        return .success
    } catch {
        return report(error, on: console)
    }
}

private func report(_ error: any Error, on console: Console) -> ExitStatus {
    let parserStatus = ResNetCommand.exitCode(for: error).rawValue
    let isOurs = !(ExitStatus(error) == .failure && isOfParser(error))
    if isOurs {
        let message = error is CancellationError ? "stopped" : "\(error)"
        if !message.isEmpty { console.note("resnet: \(oneLine(message))") }
        return ExitStatus(error)
    }
    let message = ResNetCommand.fullMessage(for: error)
    if parserStatus == 0 {
        try? console.output(message + "\n")
        return .success
    }
    console.status(message + "\n")
    return ExitStatus(rawValue: parserStatus) ?? .usage
}

/// Whether the parser made an error: help, version, and wrong command lines.
private func isOfParser(_ error: any Error) -> Bool {
    String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
}

/// An error is one line, whatever file names are in it.
private func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
}

/// Carries a signal to the work that shall stop.
private final class Stopper: Sendable {
    private struct State {
        var signal: InterruptSignal?
        var cancel: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    var signal: InterruptSignal? { state.withLock { $0.signal } }

    func stop(_ signal: InterruptSignal) {
        let cancel = state.withLock { state in
            state.signal = signal
            return state.cancel
        }
        cancel?()
    }

    func watch(_ cancel: @escaping @Sendable () -> Void) {
        let isStopped = state.withLock { state in
            state.cancel = cancel
            return state.signal != nil
        }
        if isStopped { cancel() }
    }
}
