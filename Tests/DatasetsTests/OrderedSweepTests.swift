import Datasets
import Synchronization
import Testing

@Suite("Ordered sweeps")
struct OrderedSweepTests {
    @Test("give results in order, with a few ahead and no more", arguments: [1, 3])
    func isOrdered(workers: Int) throws {
        let begun = Mutex(0)
        let sweep = try OrderedSweep(count: 100, workers: workers) {
            (position: Int) throws(DatasetError) -> Int in
            begun.withLock { $0 += 1 }
            return position * 2
        }
        for position in 0..<100 {
            let result = try sweep.next()
            #expect(result == position * 2)
            let ahead = begun.withLock { $0 }
            #expect(ahead <= position + 4 * workers)
        }
        let end = try sweep.next()
        #expect(end == nil)
    }

    @Test("throw what a position throws when it is its turn")
    func fails() throws {
        let sweep = try OrderedSweep(count: 10, workers: 2) {
            (position: Int) throws(DatasetError) -> Int in
            guard position != 3 else { throw DatasetError(.resourceExhausted, "three") }
            return position
        }
        for position in 0..<3 {
            let result = try sweep.next()
            #expect(result == position)
        }
        #expect(code { _ = try sweep.next() } == .resourceExhausted)
    }
}
