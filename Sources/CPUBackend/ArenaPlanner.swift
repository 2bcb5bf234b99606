/// Places buffers in one arena so that buffers alive at the same time never overlap.
struct ArenaPlanner {
    private struct Block {
        var offset: Int
        var byteCount: Int
    }

    /// Buffers start on cache lines, and not at the same place of every page.
    private static let alignment = 64
    private var live: [Int: Block] = [:]
    private var nextKey = 0

    /// Bytes the arena needs.
    private(set) var byteCount = 0

    /// Finds the lowest place where a buffer fits.
    ///
    /// - Returns: a key to free it by, and its offset.
    mutating func allocate(byteCount wanted: Int) -> (key: Int, offset: Int) {
        let size = (max(wanted, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
        var offset = 0
        for block in live.values.sorted(by: { $0.offset < $1.offset }) {
            if offset + size <= block.offset { break }
            offset = max(offset, block.offset + block.byteCount)
        }
        let key = nextKey
        nextKey += 1
        live[key] = Block(offset: offset, byteCount: size)
        byteCount = max(byteCount, offset + size)
        return (key, offset)
    }

    /// Gives a buffer's place back.
    mutating func free(_ key: Int) { live[key] = nil }
}
