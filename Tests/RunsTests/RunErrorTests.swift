import Runs
import Testing

@Suite("Errors of runs")
struct RunErrorTests {
    @Test("read as their message")
    func readAsMessage() {
        #expect("\(RunError(.notARun, "runs/a: holds no run"))" == "runs/a: holds no run")
    }
}
