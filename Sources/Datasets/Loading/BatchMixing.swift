package import Native
package import Tensors

/// Mixes each picture of a batch with the one before it, and their classes likewise.
///
/// Labels become distributions over classes, without smoothing: that is the loss's business.
/// Source: torchvision 0.28, `references/classification/transforms.py`, `RandomMixUp` and `RandomCutMix`: one share for the
/// whole batch, partners rolled by one. Pictures are mixed as bytes and rounded once.
public struct BatchMixing: Sendable, Hashable {
    /// Mix-up's share is of the beta distribution of this parameter, 1e-6 to 1000; 0 for no mix-up.
    ///
    /// Source: Zhang et al. 2018, "mixup: Beyond empirical risk minimization".
    public var mixUpAlpha: Double
    /// Cut-mix's share is of the beta distribution of this parameter, 1e-6 to 1000; 0 for no cut-mix.
    ///
    /// Source: Yun et al. 2019, "CutMix".
    public var cutMixAlpha: Double
    /// How often a batch is mixed at all.
    public var probability: Double
    /// How often cut-mix is taken where there are both.
    public var cutMixShare: Double

    /// Describes a mixing.
    public init(
        mixUpAlpha: Double = 0, cutMixAlpha: Double = 0, probability: Double = 1,
        cutMixShare: Double = 0.5
    ) {
        self.mixUpAlpha = mixUpAlpha
        self.cutMixAlpha = cutMixAlpha
        self.probability = probability
        self.cutMixShare = cutMixShare
    }

    /// Refuses numbers that make no sense.
    ///
    /// - Throws: `DatasetError` with code `.invalidOption`.
    package func check() throws(DatasetError) {
        let least = RandomGenerator.smallestBetaAlpha
        for (name, value) in [("mix-up alpha", mixUpAlpha), ("cut-mix alpha", cutMixAlpha)]
        where value != 0 && !(least...1000).contains(value) {
            throw DatasetError(
                .invalidOption, "\(name): expected 0, or \(least) to 1000, found \(value)")
        }
        for (name, value, most) in [
            ("mixing probability", probability, 1.0), ("share of cut-mix", cutMixShare, 1),
        ] where !(0...most).contains(value) {
            throw DatasetError(.invalidOption, "\(name): expected 0 to \(most), found \(value)")
        }
    }

    /// What is drawn for a batch.
    package enum Draw: Sendable, Hashable {
        /// Pictures stay as they are.
        case none
        /// The share of each picture itself, in units of 2^-16.
        case mixUp(share: Int)
        /// The rectangle that comes from the partner, possibly empty.
        case cutMix(columns: Range<Int>, rows: Range<Int>)
    }

    /// Draws what happens to a batch of pictures of a size.
    package func draw(size: Int, random: inout RandomGenerator) -> Draw {
        guard mixUpAlpha > 0 || cutMixAlpha > 0, random.nextEvent(probability: probability) else {
            return .none
        }
        let isCut =
            cutMixAlpha > 0 && (mixUpAlpha == 0 || random.nextEvent(probability: cutMixShare))
        guard isCut else {
            let share = random.nextBeta(alpha: mixUpAlpha)
            return .mixUp(share: Int((share * 65536).rounded()))
        }
        let share = random.nextBeta(alpha: cutMixAlpha)
        let (x, y) = (random.nextIndex(below: size), random.nextIndex(below: size))
        let half = Int(0.5 * (1 - share).squareRoot() * Double(size))
        return .cutMix(
            columns: max(x - half, 0)..<min(x + half, size),
            rows: max(y - half, 0)..<min(y + half, size))
    }

    /// Mixes pictures in their place.
    ///
    /// - Parameters:
    ///   - draw: what is done.
    ///   - images: uint8 `[count, size, size, 3]`.
    ///   - count: pictures, at least 1.
    ///   - size: both sides of a picture.
    package static func apply(
        _ draw: Draw, to images: inout MutableMemory, count: Int, size: Int
    ) {
        switch draw {
        case .none: break
        case .mixUp(let share): mix(&images, count: count, size: size, share: share)
        case .cutMix(let columns, let rows):
            cut(&images, count: count, size: size, columns: columns, rows: rows)
        }
    }

    /// The shares of the classes after mixing.
    ///
    /// - Parameters:
    ///   - draw: what is done.
    ///   - labels: the pictures' classes.
    ///   - size: both sides of a picture.
    ///   - classCount: how many classes there are.
    /// - Returns: float32 `[N, classCount]`, also where nothing is mixed.
    package static func distributions(
        _ draw: Draw, labels: [Int], size: Int, classCount: Int
    ) -> HostTensor {
        let count = labels.count
        let share: Float =
            switch draw {
            case .none: 1
            case .mixUp(let units): Float(units) / 65536
            case .cutMix(let columns, let rows):
                1 - Float(columns.count * rows.count) / Float(size * size)
            }
        return HostTensor(shape: [count, classCount]) { target in
            for index in 0..<count {
                target[index * classCount + labels[index]] += share
                target[index * classCount + labels[(index + count - 1) % count]] += 1 - share
            }
        }
    }

    // Both go from the last picture to the first, so that the one before is still what it was; the first one's partner,
    // the last, is kept.

    private static func mix(
        _ images: inout MutableMemory, count: Int, size: Int, share: Int
    ) {
        let byteCount = size * size * 3
        var pixels = images.mutableSpan(of: UInt8.self)
        let end = (count - 1) * byteCount
        var last: [UInt8] = []
        last.reserveCapacity(byteCount)
        for place in 0..<byteCount { last.append(pixels[end + place]) }
        let (own, other) = (Int32(share), Int32(65536 - share))
        for index in stride(from: count - 1, to: 0, by: -1) {
            let (start, partner) = (index * byteCount, (index - 1) * byteCount)
            for place in 0..<byteCount {
                let sum =
                    own * Int32(pixels[start + place]) + other * Int32(pixels[partner + place])
                pixels[start + place] = UInt8(truncatingIfNeeded: (sum + 32768) >> 16)
            }
        }
        for place in 0..<byteCount {
            let sum = own * Int32(pixels[place]) + other * Int32(last[place])
            pixels[place] = UInt8(truncatingIfNeeded: (sum + 32768) >> 16)
        }
    }

    private static func cut(
        _ images: inout MutableMemory, count: Int, size: Int, columns: Range<Int>,
        rows: Range<Int>
    ) {
        let byteCount = size * size * 3
        var pixels = images.mutableSpan(of: UInt8.self)
        let end = (count - 1) * byteCount
        var last: [UInt8] = []
        for y in rows {
            let first = 3 * (y * size + columns.lowerBound)
            for place in first..<first + 3 * columns.count { last.append(pixels[end + place]) }
        }
        for index in stride(from: count - 1, through: 0, by: -1) {
            var kept = 0
            for y in rows {
                let first = 3 * (y * size + columns.lowerBound)
                for place in first..<first + 3 * columns.count {
                    pixels[index * byteCount + place] =
                        index == 0 ? last[kept] : pixels[(index - 1) * byteCount + place]
                    kept += 1
                }
            }
        }
    }
}
