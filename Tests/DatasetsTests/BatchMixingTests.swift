import Datasets
import Images
import Native
import Tensors
import Testing

@Suite("Mixing of batches")
struct BatchMixingTests {
    /// Two pictures of 4 x 4 pixels: 10 everywhere and 201 everywhere.
    private static func batch() -> LoadedBatch {
        let pixels = [UInt8](repeating: 10, count: 48) + [UInt8](repeating: 201, count: 48)
        return LoadedBatch(
            images: HostTensor(pixels, shape: [2, 4, 4, 3]), labels: [0, 2], positions: [5, 6])
    }

    private static func mixed(
        _ draw: BatchMixing.Draw, _ batch: LoadedBatch = BatchMixingTests.batch()
    ) throws -> LoadedBatch {
        let (count, size) = (batch.labels.count, batch.images.shape[1])
        var memory = try MutableMemory(uncleared: batch.images.memory.byteCount)
        memory.copy(batch.images.memory, to: 0)
        BatchMixing.apply(draw, to: &memory, count: count, size: size)
        return LoadedBatch(
            images: try HostTensor(
                elementType: .uint8, shape: batch.images.shape, memory: memory.finish()),
            labels: batch.labels,
            distributions: BatchMixing.distributions(
                draw, labels: batch.labels, size: size, classCount: 3),
            positions: batch.positions)
    }

    @Test("takes each picture's partner as it was, however many there are")
    func chains() throws {
        let pixels = ([10, 60, 110, 160] as [UInt8]).flatMap { [UInt8](repeating: $0, count: 48) }
        let four = LoadedBatch(
            images: HostTensor(pixels, shape: [4, 4, 4, 3]), labels: [0, 1, 2, 0],
            positions: [0, 1, 2, 3])
        // Halves; the first one's partner is the last.
        let up = try Self.mixed(.mixUp(share: 32768), four).images.elements(UInt8.self)
        let cut = try Self.mixed(.cutMix(columns: 0..<4, rows: 1..<2), four)
            .images.elements(UInt8.self)
        for (index, (half, partner)) in [(85, 160), (35, 10), (85, 60), (135, 110)].enumerated() {
            #expect(Int(up[index * 48 + 47]) == half)
            #expect(Int(cut[index * 48 + 12]) == partner)
            #expect(cut[index * 48 + 24] == pixels[index * 48])
        }
        let alone = LoadedBatch(
            images: HostTensor([UInt8](repeating: 7, count: 48), shape: [1, 4, 4, 3]),
            labels: [2], positions: [0])
        let same = try Self.mixed(.mixUp(share: 1000), alone)
        #expect(same.images.elements(UInt8.self) == [UInt8](repeating: 7, count: 48))
        let shares = try #require(same.distributions).floats()
        #expect(shares == [0, 0, 1])
    }

    @Test("mix-up takes the share of each picture and the rest of the one before it")
    func mixesUp() throws {
        // Three quarters: 57.75 and 153.25, rounded.
        let mixed = try Self.mixed(.mixUp(share: 49152))
        let pixels = mixed.images.elements(UInt8.self)
        #expect(pixels == [UInt8](repeating: 58, count: 48) + [UInt8](repeating: 153, count: 48))
        let shares = try #require(mixed.distributions).floats()
        #expect(shares == [0.75, 0, 0.25, 0.25, 0, 0.75])
        #expect(mixed.labels == [0, 2])
        #expect(mixed.positions == [5, 6])
    }

    @Test("cut-mix takes a rectangle of the one before it, and its area as the share")
    func cuts() throws {
        let mixed = try Self.mixed(.cutMix(columns: 1..<3, rows: 2..<4))
        let pixels = mixed.images.elements(UInt8.self)
        for y in 0..<4 {
            for x in 0..<4 {
                let isCut = (1..<3).contains(x) && (2..<4).contains(y)
                #expect(pixels[3 * (y * 4 + x)] == (isCut ? 201 : 10))
                #expect(pixels[48 + 3 * (y * 4 + x) + 2] == (isCut ? 10 : 201))
            }
        }
        let shares = try #require(mixed.distributions).floats()
        #expect(shares == [0.75, 0, 0.25, 0.25, 0, 0.75])
    }

    @Test("nothing mixed gives distributions all the same")
    func keeps() throws {
        let mixed = try Self.mixed(.none)
        #expect(mixed.images.elements(UInt8.self) == Self.batch().images.elements(UInt8.self))
        let shares = try #require(mixed.distributions).floats()
        #expect(shares == [1, 0, 0, 0, 0, 1])
    }

    @Test("all of a picture and none of it are exact")
    func keepsExtremes() throws {
        let own = try Self.mixed(.mixUp(share: 65536))
        #expect(own.images.elements(UInt8.self) == Self.batch().images.elements(UInt8.self))
        let other = try Self.mixed(.mixUp(share: 0))
        #expect(other.images.elements(UInt8.self)[0] == 201)
    }

    @Test("refuses shares of distributions that cannot be drawn from, and draws from the others")
    func limitsAlpha() throws {
        let wrong: [Double] = [
            -1, 1e-300, .leastNonzeroMagnitude, 1e-7, 1001, .infinity, .nan,
        ]
        for alpha in wrong {
            for mixing in [BatchMixing(mixUpAlpha: alpha), BatchMixing(cutMixAlpha: alpha)] {
                #expect(code { try mixing.check() } == .invalidOption, "\(alpha)")
            }
        }
        var random = RandomGenerator(seed: 3)
        for alpha in [0, 1e-6, 1000] as [Double] {
            let mixing = BatchMixing(mixUpAlpha: alpha)
            try mixing.check()
            for _ in 0..<1000 {
                guard case .mixUp(let share) = mixing.draw(size: 4, random: &random) else {
                    #expect(alpha == 0)
                    continue
                }
                #expect((0...65536).contains(share))
            }
        }
    }

    @Test("draws as often as asked for, both kinds as often as asked for")
    func draws() {
        var random = RandomGenerator(seed: 1)
        let mixing = BatchMixing(
            mixUpAlpha: 0.2, cutMixAlpha: 1, probability: 0.8, cutMixShare: 0.25)
        var (none, ups, cuts) = (0, 0, 0)
        var area = 0.0
        for _ in 0..<10_000 {
            switch mixing.draw(size: 64, random: &random) {
            case .none: none += 1
            case .mixUp(let share):
                ups += 1
                #expect((0...65536).contains(share))
            case .cutMix(let columns, let rows):
                cuts += 1
                area += Double(columns.count * rows.count) / 4096
                #expect(columns.lowerBound >= 0 && columns.upperBound <= 64)
                #expect(rows.lowerBound >= 0 && rows.upperBound <= 64)
            }
        }
        // Five standard deviations.
        #expect(abs(none - 2000) < 200)
        #expect(abs(ups - 6000) < 250)
        #expect(abs(cuts - 2000) < 200)
        // Half of the picture less what is cut off at its borders.
        #expect((0.2...0.5).contains(area / Double(cuts)))
    }
}
