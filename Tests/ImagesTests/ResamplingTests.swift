import Images
import Native
import Testing

@Suite("Resampling kernels")
struct ResamplingTests {
    @Test(
        "give the same bytes on every path",
        .enabled(if: Resampling.Path.avx2.isAvailable, "the processor has no AVX2"))
    func pathsAgree() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let width = Int.random(in: 1...70, using: &random)
            let height = Int.random(in: 1...20, using: &random)
            let count = Int.random(in: 1...40, using: &random)
            let across = windows(inputCount: width, outputCount: count, using: &random)
            let down = windows(inputCount: height, outputCount: count, using: &random)
            let source = Memory(
                copying: (0..<width * height * 3).map { _ in
                    // Whites test the sums' range.
                    Bool.random(using: &random) ? 255 : UInt8.random(in: 0...255, using: &random)
                })
            let first = Int.random(in: 0..<height, using: &random)
            let results = [Resampling.Path.plain, .avx2].map { path in
                var rows = MutableMemory(byteCount: (height - first) * count * 3)
                Resampling.resampleRows(
                    of: source, rows: first..<height, windows: across, into: &rows, path: path)
                let left = min(first, width - 1)
                var columns = MutableMemory(byteCount: count * (width - left) * 3)
                Resampling.resampleColumns(
                    of: source, columns: left..<width, width: width, windows: down,
                    into: &columns, path: path)
                return bytes(rows.finish()) + bytes(columns.finish())
            }
            #expect(results[0] == results[1], "\(width) x \(height) to \(count)")
        }
    }

    @Test("round halves up and clamp")
    func rounds() {
        let half = Int32(1 << 21)
        let windows = ResamplingWindows(
            inputCount: 2, weightStride: 2, starts: [0, 0, 1], counts: [2, 2, 1],
            weights: [half, half, 1 << 22, 1 << 22, 1 << 22, 0])
        let source = Memory(copying: [10, 0, 255, 11, 1, 255] as [UInt8])
        for path in Resampling.Path.allCases where path.isAvailable {
            var target = MutableMemory(byteCount: 9)
            Resampling.resampleRows(
                of: source, rows: 0..<1, windows: windows, into: &target, path: path)
            #expect(bytes(target.finish()) == [11, 1, 255, 21, 1, 255, 11, 1, 255])
        }
    }

    /// Windows anywhere in the input, with weights that add up to about 1.
    private func windows(
        inputCount: Int, outputCount: Int, using random: inout SeededGenerator
    ) -> ResamplingWindows {
        let stride = min(inputCount, 11)
        var starts: [Int32] = []
        var counts: [Int32] = []
        var weights: [Int32] = []
        for _ in 0..<outputCount {
            let count = Int.random(in: 1...stride, using: &random)
            starts.append(Int32.random(in: 0...Int32(inputCount - count), using: &random))
            counts.append(Int32(count))
            let shares = (0..<stride).map { _ in Int32.random(in: 0...1000, using: &random) + 1 }
            let sum = shares.prefix(count).reduce(0, +)
            weights += shares.map { Int32(min((Int($0) << 22) / Int(sum), 1 << 22)) }
        }
        return ResamplingWindows(
            inputCount: inputCount, weightStride: stride, starts: starts, counts: counts,
            weights: weights)
    }
}
