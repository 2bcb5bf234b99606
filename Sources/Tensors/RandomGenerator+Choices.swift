import Glibc

extension RandomGenerator {
    /// The next whole number, uniform in `0..<count`.
    ///
    /// The same on every machine, which the standard library does not promise of its own; numbers differ in
    /// probability by at most `count / 2^64`.
    ///
    /// - Precondition: `count` is at least 1.
    public mutating func nextIndex(below count: Int) -> Int {
        precondition(count >= 1, "a choice of nothing")
        return Int(next().multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Whether an event of this probability happens: never at 0, always at 1.
    public mutating func nextEvent(probability: Double) -> Bool { nextUniform() < probability }

    /// Below this, logarithms of gamma variates leave the range of numbers, and their difference is none.
    public static let smallestBetaAlpha = 1e-6

    /// The next number of the symmetric beta distribution, in `0...1`.
    ///
    /// Source: two gamma variates of Marsaglia and Tsang 2000, "A simple method for generating gamma variables",
    /// compared by their logarithms, so that small `alpha` gives 0 or 1 rather than not-a-number.
    ///
    /// - Precondition: `alpha` is at least `smallestBetaAlpha`.
    public mutating func nextBeta(alpha: Double) -> Double {
        precondition(alpha >= Self.smallestBetaAlpha, "a beta distribution of \(alpha)")
        let first = nextLogGamma(alpha)
        let second = nextLogGamma(alpha)
        return 1 / (1 + exp(second - first))
    }

    /// The logarithm of the next number of the gamma distribution of this shape and scale 1.
    private mutating func nextLogGamma(_ shape: Double) -> Double {
        // Below 1, by the gamma distribution of one more: Marsaglia and Tsang, section 6.
        let boost = shape < 1 ? log(1 - nextUniform()) / shape : 0
        let d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = nextNormal()
            let v = 1 + c * x
            guard v > 0 else { continue }
            let cube = v * v * v
            let u = 1 - nextUniform()
            if log(u) < x * x / 2 + d * (1 - cube + log(cube)) {
                return boost + log(d) + log(cube)
            }
        }
    }
}
