import Tensors
import Testing

@Suite("Random numbers")
struct RandomGeneratorTests {
    /// Counter, key and words of Random123's `kat_vectors` for `philox4x32 10`.
    static let knownAnswers: [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)] = [
        (
            SIMD4(0, 0, 0, 0), SIMD2(0, 0),
            SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
        ),
        (
            SIMD4(repeating: .max), SIMD2(repeating: .max),
            SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
        ),
        (
            SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
            SIMD2(0xA409_3822, 0x299F_31D0),
            SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
        ),
    ]

    @Test("are those of the published Philox4x32-10 vectors", arguments: knownAnswers.indices)
    func knownAnswer(index: Int) {
        let (counter, key, words) = Self.knownAnswers[index]
        #expect(Philox4x32.block(counter: counter, key: key) == words)
    }

    @Test("take words of counter 0, then 1, with the stream in the counter's upper half")
    func sequence() {
        var random = RandomGenerator(seed: 0x299F_31D0_A409_3822, stream: 7)
        let key = SIMD2<UInt32>(0xA409_3822, 0x299F_31D0)
        for counter in 0..<2 as Range<UInt32> {
            let block = Philox4x32.block(counter: SIMD4(counter, 0, 7, 0), key: key)
            #expect(random.next() == UInt64(block.y) << 32 | UInt64(block.x))
            #expect(random.next() == UInt64(block.w) << 32 | UInt64(block.z))
        }
    }

    @Test("differ between seeds and between streams, and repeat for the same")
    func independence() {
        var sequences: Set<[UInt64]> = []
        for (seed, stream) in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 1 << 40), (1 << 40, 0)] {
            var random = RandomGenerator(seed: UInt64(seed), stream: UInt64(stream))
            var again = RandomGenerator(seed: UInt64(seed), stream: UInt64(stream))
            let words = (0..<4).map { _ in random.next() }
            #expect(words == (0..<4).map { _ in again.next() })
            sequences.insert(words)
        }
        #expect(sequences.count == 6)
    }

    @Test("are uniform: mean 1/2 and variance 1/12 within five standard errors")
    func uniform() {
        var random = RandomGenerator(seed: 3)
        let count = 20_000.0
        let values = (0..<Int(count)).map { _ in random.nextUniform() }
        #expect(values.allSatisfy { (0..<1).contains($0) })
        let mean = values.reduce(0, +) / count
        #expect(abs(mean - 0.5) <= 5 * (1 / 12 / count).squareRoot())
        let variance = values.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / count
        // The variance of (x - 1/2)^2 is 1/80 - 1/144.
        #expect(abs(variance - 1.0 / 12) <= 5 * ((1.0 / 80 - 1.0 / 144) / count).squareRoot())
    }

    @Test("are normal: mean, variance and fourth moment within five standard errors")
    func normal() {
        var random = RandomGenerator(seed: 4)
        let count = 20_000.0
        let values = (0..<Int(count)).map { _ in random.nextNormal() }
        let mean = values.reduce(0, +) / count
        #expect(abs(mean) <= 5 / count.squareRoot())
        let variance = values.reduce(0) { $0 + $1 * $1 } / count
        #expect(abs(variance - 1) <= 5 * (2 / count).squareRoot())
        let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / count
        // The variance of x^4 is 105 - 9.
        #expect(abs(fourth - 3) <= 5 * (96 / count).squareRoot())
    }

    @Test("are cut at two deviations, with deviation 0.8796")
    func truncatedNormal() {
        var random = RandomGenerator(seed: 5)
        let count = 20_000.0
        let values = (0..<Int(count)).map { _ in random.nextTruncatedNormal() }
        #expect(values.allSatisfy { abs($0) < 2 })
        let variance = values.reduce(0) { $0 + $1 * $1 } / count
        #expect(abs(variance.squareRoot() - 0.87963) <= 0.015)
    }

    @Test("choose every index about equally often")
    func indices() {
        var random = RandomGenerator(seed: 11)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<7000 { counts[random.nextIndex(below: 7)] += 1 }
        // Five standard deviations of 29.
        #expect(counts.allSatisfy { abs($0 - 1000) < 150 })
        #expect(random.nextIndex(below: 1) == 0)
    }

    @Test("follow the beta distribution", arguments: [0.05, 0.2, 1, 4])
    func beta(alpha: Double) {
        var random = RandomGenerator(seed: 12)
        let count = 20_000
        let values = (0..<count).map { _ in random.nextBeta(alpha: alpha) }
        #expect(values.allSatisfy { $0 >= 0 && $0 <= 1 })
        let mean = values.reduce(0, +) / Double(count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        // Of the distribution; a standard error of the mean is at most 0.0035.
        #expect(abs(mean - 0.5) < 0.015)
        let expected = 1 / (4 * (2 * alpha + 1))
        #expect(abs(variance - expected) < 0.03 * expected)
    }

    @Test("make events as often as their probability says, never at 0 and always at 1")
    func events() {
        var random = RandomGenerator(seed: 13)
        let often = (0..<10_000).filter { _ in random.nextEvent(probability: 0.3) }.count
        #expect(abs(often - 3000) < 250)
        let never = (0..<1000).filter { _ in random.nextEvent(probability: 0) }.count
        #expect(never == 0)
        let always = (0..<1000).filter { _ in random.nextEvent(probability: 1) }.count
        #expect(always == 1000)
    }
}
