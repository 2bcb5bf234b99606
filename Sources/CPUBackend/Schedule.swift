/// How a batch is spread over threads.
///
/// Threads form groups. A group takes one chunk of the batch after another and runs the whole network on it, so
/// that no thread waits for another between layers and a chunk's activations stay in the cache. Only where there
/// are fewer images than threads do several threads share a layer. See docs/decisions/001-cpu-schedule.md.
struct Schedule: Sendable, Hashable {
    /// Images in a chunk.
    let chunk: Int
    /// Chunks in the batch.
    let chunkCount: Int
    /// Groups of threads.
    let groups: Int
    /// Threads in a group.
    let members: Int

    /// Images that are worth having together: enough for the late layers to use a filter several times, and few
    /// enough for the early layers' activations to stay in the cache.
    static func preferredChunk(elementByteCount: Int) -> Int { elementByteCount <= 2 ? 4 : 2 }

    /// Spreads a batch.
    ///
    /// - Parameters:
    ///   - batch: images a run; `nil` where the graph's values do not share a first axis.
    ///   - threads: compute threads.
    ///   - chunkLimit: the most images in a chunk.
    init(batch: Int?, threads: Int, chunkLimit: Int) {
        guard let batch else {
            chunk = 1
            chunkCount = 1
            groups = 1
            members = threads
            return
        }
        groups = max(1, min(threads, batch))
        members = threads / groups
        let most = max(1, min(chunkLimit, batch / groups))
        chunk = (1...most).last { batch % $0 == 0 } ?? 1
        chunkCount = batch / chunk
    }
}
