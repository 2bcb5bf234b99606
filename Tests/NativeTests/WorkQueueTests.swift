import Native
import Synchronization
import Testing

@Suite("Work queue")
struct WorkQueueTests {
    @Test("runs work in the order in which it comes")
    func keepsOrder() async throws {
        let queue = try WorkQueue(name: "test")
        let seen = Seen()
        for index in 0..<500 { queue.submit { seen.add(index) } }
        let last = try await queue.run { seen.values.count }
        #expect(last == 500)
        #expect(seen.values == Array(0..<500))
    }

    @Test("gives results and errors back")
    func givesBack() async throws {
        let queue = try WorkQueue(name: "test")
        let value = try await queue.run { 42 }
        #expect(value == 42)
        let error = await #expect(throws: NativeError.self) {
            try await queue.run { throw NativeError(.malformed, "so") }
        }
        #expect(error?.message == "so")
    }

    @Test("runs as much at the same time as it has threads")
    func isConcurrent() async throws {
        let queue = try WorkQueue(name: "test", threadCount: 2)
        let seen = Seen()
        // Each waits until the other has begun: on one thread this would never end.
        async let first: Void = queue.run {
            seen.add(1)
            while !seen.values.contains(2) {}
        }
        async let second: Void = queue.run {
            seen.add(2)
            while !seen.values.contains(1) {}
        }
        _ = try await (first, second)
        #expect(seen.values.sorted() == [1, 2])
    }

    @Test("does what was submitted before it was released")
    func drains() async throws {
        let seen = Seen()
        let (stream, end) = AsyncStream<Void>.makeStream()
        do {
            let queue = try WorkQueue(name: "test")
            for index in 0..<100 { queue.submit { seen.add(index) } }
            queue.submit { end.finish() }
        }
        for await _ in stream {}
        #expect(seen.values == Array(0..<100))
    }

    @Test("lets go of what a piece of work held once that is done")
    func releases() async throws {
        let queue = try WorkQueue(name: "test")
        let ends = Seen()
        for index in 0..<10 { submitHolding(index, ends, queue) }
        // The one thread has let go of the work before when it begins this.
        let released = try await queue.run { ends.values }
        #expect(released == Array(0..<10))
    }

    private func submitHolding(_ number: Int, _ ends: Seen, _ queue: WorkQueue) {
        let held = Held(number, ends)
        queue.submit { held.use() }
    }
}

/// Something that tells of its end.
private final class Held: Sendable {
    private let number: Int
    private let ends: Seen

    init(_ number: Int, _ ends: Seen) {
        self.number = number
        self.ends = ends
    }

    deinit { ends.add(number) }

    func use() {}
}

private final class Seen: Sendable {
    private let list = Mutex<[Int]>([])

    var values: [Int] { list.withLock { $0 } }

    func add(_ value: Int) { list.withLock { $0.append(value) } }
}
