import Native
package import Tensors

/// Mixes each picture of a batch with the one before it, and their classes likewise.
///
/// Labels become distributions over classes, without smoothing: that is the loss's business.
/// Source: torchvision 0.28, `references/classification/transforms.py`, `RandomMixUp` and `RandomCutMix`: one share for the
/// whole batch, partners rolled by one. Pictures are mixed as bytes and rounded once.
public struct BatchMixing: Sendable, Hashable {
    /// Mix-up's share is of the beta distribution of this parameter; 0 for no mix-up.
    ///
    /// Source: Zhang et al. 2018, "mixup: Beyond empirical risk minimization".
    public var mixUpAlpha: Double
    /// Cut-mix's share is of the beta distribution of this parameter; 0 for no cut-mix.
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

    func check() throws(DatasetError) {
        for (name, value, most) in [
            ("mix-up alpha", mixUpAlpha, 1000.0), ("cut-mix alpha", cutMixAlpha, 1000),
            ("mixing probability", probability, 1), ("share of cut-mix", cutMixShare, 1),
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

    /// Mixes a batch by what is drawn.
    ///
    /// - Parameters:
    ///   - batch: uint8 `[N, S, S, 3]`.
    ///   - classCount: how many classes the distributions have.
    ///   - random: where the numbers come from.
    /// - Returns: the batch with distributions, float32 `[N, classCount]`, also where nothing is mixed.
    /// - Throws: `NativeError` where memory is short.
    package func apply(
        to batch: LoadedBatch, classCount: Int, random: inout RandomGenerator
    ) throws -> LoadedBatch {
        let draw = draw(size: batch.images.shape[1], random: &random)
        return try Self.apply(draw, to: batch, classCount: classCount)
    }

    /// Mixes a batch.
    package static func apply(
        _ draw: Draw, to batch: LoadedBatch, classCount: Int
    ) throws -> LoadedBatch {
        let (count, size) = (batch.labels.count, batch.images.shape[1])
        var images = batch.images
        var own: Float = 1
        switch draw {
        case .none: break
        case .mixUp(let share):
            own = Float(share) / 65536
            images = try mixed(batch.images, count: count, share: share)
        case .cutMix(let columns, let rows):
            own = 1 - Float(columns.count * rows.count) / Float(size * size)
            images = try cut(
                batch.images, count: count, size: size, columns: columns, rows: rows)
        }
        let labels = batch.labels
        let share = own
        let distributions = HostTensor(shape: [count, classCount]) { target in
            for index in 0..<count {
                target[index * classCount + labels[index]] += share
                target[index * classCount + labels[(index + count - 1) % count]] += 1 - share
            }
        }
        return LoadedBatch(
            images: images, labels: batch.labels, distributions: distributions,
            positions: batch.positions)
    }

    private static func mixed(
        _ images: HostTensor, count: Int, share: Int
    ) throws -> HostTensor {
        var memory = try MutableMemory(uncleared: images.memory.byteCount)
        var target = memory.mutableSpan(of: UInt8.self)
        let source = images.memory.bytes
        let stride = source.count / count
        let (own, other) = (Int32(share), Int32(65536 - share))
        for index in 0..<count {
            let start = index * stride
            let partner = (index + count - 1) % count * stride
            for place in 0..<stride {
                let sum =
                    own * Int32(source[start + place]) + other * Int32(source[partner + place])
                target[start + place] = UInt8(truncatingIfNeeded: (sum + 32768) >> 16)
            }
        }
        return try HostTensor(elementType: .uint8, shape: images.shape, memory: memory.finish())
    }

    private static func cut(
        _ images: HostTensor, count: Int, size: Int, columns: Range<Int>, rows: Range<Int>
    ) throws -> HostTensor {
        var memory = try MutableMemory(uncleared: images.memory.byteCount)
        memory.copy(images.memory, to: 0)
        var target = memory.mutableSpan(of: UInt8.self)
        let source = images.memory.bytes
        let stride = source.count / count
        for index in 0..<count {
            let partner = (index + count - 1) % count
            for y in rows {
                let first = 3 * (y * size + columns.lowerBound)
                for place in first..<first + 3 * columns.count {
                    target[index * stride + place] = source[partner * stride + place]
                }
            }
        }
        return try HostTensor(elementType: .uint8, shape: images.shape, memory: memory.finish())
    }
}
