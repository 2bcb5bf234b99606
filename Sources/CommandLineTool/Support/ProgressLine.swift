import Native
import Reports
import Synchronization

/// How far a long job is: in a terminal one line that is drawn anew, else a line every ten seconds.
package final class ProgressLine: Sendable {
    private struct State {
        var lastShown: Duration = .zero
        var isDrawn = false
    }

    private let console: Console
    private let label: String
    private let unit: String
    private let total: Int?
    private let isBytes: Bool
    private let isQuiet: Bool
    private let clock: @Sendable () -> Duration
    private let state = Mutex(State())

    /// Starts a job.
    ///
    /// - Parameters:
    ///   - label: what is being done, as in `classify`.
    ///   - unit: what is counted, as in `images`; `nil` where it is bytes.
    ///   - total: how many there are, if that is known.
    ///   - isQuiet: whether nothing is shown.
    ///   - console: where it is shown.
    ///   - clock: the time since the start.
    package init(
        _ label: String, unit: String?, total: Int? = nil, isQuiet: Bool,
        console: Console = .current,
        clock: (@Sendable () -> Duration)? = nil
    ) {
        self.label = label
        self.unit = unit.map { " " + $0 } ?? ""
        isBytes = unit == nil
        self.total = total
        self.isQuiet = isQuiet
        self.console = console
        let start = ContinuousClock.now
        self.clock = clock ?? { ContinuousClock.now - start }
    }

    /// Says how many are done.
    ///
    /// - Parameters:
    ///   - done: how many, those that failed included.
    ///   - failed: how many of these failed.
    ///   - total: how many there are, where that has become known.
    ///   - rate: how many a second; the mean since the start where `nil`.
    ///   - detail: what is shown in place of the rate.
    package func update(
        done: Int, failed: Int = 0, of total: Int? = nil, rate: Double? = nil,
        detail: String? = nil
    ) {
        guard !isQuiet else { return }
        let now = clock()
        let interval: Duration = console.isErrorTerminal ? .milliseconds(100) : .seconds(10)
        let isDue = state.withLock { state in
            guard now - state.lastShown >= interval else { return false }
            state.lastShown = now
            state.isDrawn = true
            return true
        }
        guard isDue else { return }
        let seconds = now.inSeconds
        let mean = seconds > 0 ? Double(done) / seconds : 0
        let text = line(
            done: done, failed: failed, total: total ?? self.total, rate: rate ?? mean,
            detail: detail)
        console.status(console.isErrorTerminal ? "\r\(text)\u{1B}[K" : text + "\n")
    }

    /// Takes the line away, so that something else can be printed in its place.
    package func clear() {
        let wasDrawn = state.withLock { state in
            defer { state.isDrawn = false }
            return state.isDrawn
        }
        if wasDrawn, console.isErrorTerminal { console.status("\r\u{1B}[K") }
    }

    /// The line, cut to the terminal's width.
    private func line(
        done: Int, failed: Int, total: Int?, rate: Double, detail: String?
    ) -> String {
        func count(_ value: Int) -> String { isBytes ? byteText(value) : grouped(value) }
        var parts = ["\(label) \(count(done))\(total.map { "/" + count($0) } ?? "")\(unit)"]
        if let total, total > 0 {
            parts.append("\(fixed(100 * Double(done) / Double(total), places: 0)) %")
        }
        if let detail { parts.append(detail) }
        if rate > 0 {
            let bounded = min(rate, 1e15)
            if detail == nil {
                parts.append(
                    isBytes ? "\(byteText(Int(bounded)))/s" : "\(fixed(rate, places: 1))/s")
            }
            if let total, done < total {
                parts.append("\(durationText(seconds: Double(total - done) / rate)) left")
            }
        }
        if failed > 0 { parts.append("\(grouped(failed)) failed") }
        let text = parts.joined(separator: "  ")
        guard console.isErrorTerminal, let columns = console.columns, text.count >= columns else {
            return text
        }
        return String(text.prefix(max(1, columns - 1)))
    }
}
