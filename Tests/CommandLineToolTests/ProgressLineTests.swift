import CommandLineTool
import Native
import Synchronization
import Testing

@Suite("Progress")
struct ProgressLineTests {
    /// A clock that shows what it is set to.
    private final class Clock: Sendable {
        let time = Mutex(Duration.zero)

        func set(_ value: Duration) { time.withLock { $0 = value } }
    }

    private func progress(
        _ console: TestConsole, _ clock: Clock, unit: String? = "images", isQuiet: Bool = false
    ) -> ProgressLine {
        ProgressLine(
            "classify", unit: unit, total: 1000, isQuiet: isQuiet, console: console.console,
            clock: { clock.time.withLock { $0 } })
    }

    @Test("draws one line anew in a terminal, at most ten times a second")
    func redraws() {
        let (console, clock) = (TestConsole(isTerminal: true), Clock())
        let line = progress(console, clock)
        clock.set(.milliseconds(50))
        line.update(done: 1)
        #expect(console.error == "")
        clock.set(.seconds(10))
        line.update(done: 250, failed: 2)
        let text = "classify 250/1,000 images  25 %  25.0/s  30 s left  2 failed"
        #expect(console.error == "\r\(text)\u{1B}[K")
        line.clear()
        line.clear()
        #expect(console.error == "\r\(text)\u{1B}[K\r\u{1B}[K")
    }

    @Test("prints a line every ten seconds where there is no terminal")
    func printsLines() {
        let (console, clock) = (TestConsole(), Clock())
        let line = progress(console, clock)
        for second in 1...20 {
            clock.set(.seconds(second))
            line.update(done: second * 10)
        }
        line.clear()
        #expect(
            console.error == """
                classify 100/1,000 images  10 %  10.0/s  1 min 30 s left
                classify 200/1,000 images  20 %  10.0/s  1 min 20 s left

                """)
    }

    @Test("counts bytes in their units")
    func countsBytes() {
        let (console, clock) = (TestConsole(), Clock())
        let line = progress(console, clock, unit: nil)
        clock.set(.seconds(10))
        line.update(done: 1 << 20, of: 4 << 20, rate: Double(1 << 20))
        #expect(console.error == "classify 1.0 MiB/4.0 MiB  25 %  1.0 MiB/s  3 s left\n")
    }

    @Test("shows nothing when told to be quiet")
    func isQuiet() {
        let (console, clock) = (TestConsole(isTerminal: true), Clock())
        let line = progress(console, clock, isQuiet: true)
        clock.set(.seconds(60))
        line.update(done: 10)
        line.clear()
        #expect(console.error == "")
    }
}
