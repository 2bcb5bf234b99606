/// What classes count in the loss where some have more pictures than others.
public enum ClassWeighting: String, Sendable, Hashable, CaseIterable {
    /// All the same.
    case none
    /// As `inverse` where the largest class has more than twice the pictures of the smallest, else all the same.
    case auto
    /// One over the class's number of pictures.
    case inverse
    /// One over the effective number `(1 - β^n) / (1 - β)` with `β = 0.9999`.
    ///
    /// Source: Cui et al. 2019, "Class-balanced loss based on effective number of samples", equation 2.
    case effective

    /// The weights, by label; their mean over the classes with pictures is 1, and classes without any weigh nothing.
    ///
    /// - Parameter counts: pictures of each class.
    /// - Returns: `nil` where all weigh the same.
    public func weights(counts: [Int]) -> [Double]? {
        var weighting = self
        if weighting == .auto {
            let most = counts.max() ?? 0
            let least = counts.filter { $0 > 0 }.min() ?? 0
            weighting = most > 2 * least ? .inverse : .none
        }
        if weighting == .none { return nil }
        var weights: [Double] = []
        for count in counts {
            guard count > 0 else {
                weights.append(0)
                continue
            }
            if weighting == .inverse {
                weights.append(1 / Double(count))
            } else {
                weights.append((1 - 0.9999) / (1 - power(0.9999, count)))
            }
        }
        let present = weights.count { $0 > 0 }
        let mean = weights.reduce(0, +) / Double(max(1, present))
        return mean > 0 ? weights.map { $0 / mean } : nil
    }

    /// A power with a whole exponent, by squaring.
    private func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        var factor = base
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }
}
