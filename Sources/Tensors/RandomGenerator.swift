import Glibc

/// A sequence of random numbers that its seed and stream determine, on any machine and in any order of use.
///
/// Streams of one seed are independent: give each sample, parameter or replica its own, and results do not
/// depend on the number of workers. Not for secrets.
public struct RandomGenerator: RandomNumberGenerator, Sendable {
    private let key: SIMD2<UInt32>
    private let stream: SIMD2<UInt32>
    private var counter: UInt64 = 0
    private var block = SIMD4<UInt32>()
    private var usedHalves = 2
    private var spareNormal: Double?

    /// Starts a sequence.
    public init(seed: UInt64, stream: UInt64 = 0) {
        key = Self.words(seed)
        self.stream = Self.words(stream)
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        if usedHalves == 2 {
            let words = Self.words(counter)
            block = Philox4x32.block(
                counter: SIMD4(lowHalf: words, highHalf: stream), key: key)
            counter &+= 1
            usedHalves = 0
        }
        let half = usedHalves == 0 ? block.lowHalf : block.highHalf
        usedHalves += 1
        return UInt64(half.y) << 32 | UInt64(half.x)
    }

    /// The next number, uniform in `0..<1`, of 53 random bits.
    public mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// The next number, uniform in a range.
    public mutating func nextUniform(in range: Range<Double>) -> Double {
        range.lowerBound + nextUniform() * (range.upperBound - range.lowerBound)
    }

    /// The next number of the standard normal distribution.
    ///
    /// Source: Box and Muller 1958.
    public mutating func nextNormal() -> Double {
        if let spare = spareNormal {
            spareNormal = nil
            return spare
        }
        // In (0, 1], so that the logarithm is finite.
        let radius = (-2 * log(1 - nextUniform())).squareRoot()
        let angle = 2 * Double.pi * nextUniform()
        spareNormal = radius * sin(angle)
        return radius * cos(angle)
    }

    /// The next number of the standard normal distribution cut to less than two deviations from its mean.
    ///
    /// Its own standard deviation is 0.8796.
    public mutating func nextTruncatedNormal() -> Double {
        while true {
            let value = nextNormal()
            if abs(value) < 2 { return value }
        }
    }

    private static func words(_ value: UInt64) -> SIMD2<UInt32> {
        SIMD2(UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
    }
}
