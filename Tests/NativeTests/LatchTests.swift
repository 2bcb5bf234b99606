import Native
import Synchronization
import Testing

@Suite("A latch")
struct LatchTests {
    @Test("lets everybody pass once it is open, who came before and who comes after")
    func opens() throws {
        let latch = Latch()
        let passed = Mutex(0)
        let done = (0..<3).map { _ in Latch() }
        let queue = try WorkQueue(name: "waiting", threadCount: 3, isBackground: true)
        for index in 0..<3 {
            queue.submit {
                latch.wait()
                passed.withLock { $0 += 1 }
                done[index].open()
            }
        }
        let before = passed.withLock { $0 }
        #expect(before == 0)
        latch.open()
        for latch in done { latch.wait() }
        let after = passed.withLock { $0 }
        #expect(after == 3)
        latch.wait()
    }
}
