/// Finds the temperature at which probabilities fit labels best: the one of least cross-entropy.
///
/// Cross-entropy is convex in the temperature's inverse, so there is one minimum and its slope's sign says on which
/// side it is: Newton's steps on the slope, kept within a bracket that halves where they would leave it.
/// Source: Guo et al. 2017, "On calibration of modern neural networks", section 4.2.
package struct TemperatureFit: Sendable, Hashable {
    /// What logits are to be divided by.
    package let temperature: Double
    /// Whether the best temperature is beyond the range, of which `temperature` is then an end: all labels or
    /// none are predicted, so that no confidence is too large or too small.
    package let isAtEnd: Bool

    /// The temperatures considered.
    package static let range = 0.05...20.0

    /// Fits.
    ///
    /// Precision: float64.
    ///
    /// - Parameters:
    ///   - logits: float32 `[N, C]`, row by row.
    ///   - labels: the class of each row; at least one.
    package init(logits: [Float], labels: [Int]) {
        precondition(!labels.isEmpty && logits.count % labels.count == 0)
        let classCount = logits.count / labels.count
        func slope(_ inverse: Double) -> (value: Double, curvature: Double) {
            Self.slope(logits, labels, classCount: classCount, inverse: inverse)
        }
        var low = 1 / Self.range.upperBound
        var high = 1 / Self.range.lowerBound
        if slope(low).value >= 0 {
            (temperature, isAtEnd) = (Self.range.upperBound, true)
            return
        }
        if slope(high).value <= 0 {
            (temperature, isAtEnd) = (Self.range.lowerBound, true)
            return
        }
        var inverse = 1.0
        for _ in 0..<100 {
            let (value, curvature) = slope(inverse)
            if value == 0 { break }
            if value < 0 { low = inverse } else { high = inverse }
            let step = inverse - value / curvature
            // Halfway by ratio, as the range is one of ratios.
            let next = step > low && step < high ? step : (low * high).squareRoot()
            let change = abs(next - inverse)
            inverse = next
            if change <= 1e-12 * inverse { break }
        }
        temperature = 1 / inverse
        isAtEnd = false
    }

    /// The derivative of the mean cross-entropy by the temperature's inverse, and its derivative.
    private static func slope(
        _ logits: [Float], _ labels: [Int], classCount: Int, inverse: Double
    ) -> (value: Double, curvature: Double) {
        var (value, curvature) = (CompensatedSum(), CompensatedSum())
        for (row, label) in labels.enumerated() {
            let range = row * classCount..<(row + 1) * classCount
            var largest = -Float.infinity
            for index in range { largest = max(largest, logits[index]) }
            // Logits from the largest down, so that no power overflows; sums of their first two moments.
            var (zeroth, first, second) = (0.0, 0.0, 0.0)
            for index in range {
                let score = Double(logits[index]) - Double(largest)
                let power = exponential(score * inverse)
                zeroth += power
                first += power * score
                second += power * score * score
            }
            let mean = first / zeroth
            value.add(mean - (Double(logits[range.lowerBound + label]) - Double(largest)))
            curvature.add(max(0, second / zeroth - mean * mean))
        }
        let count = Double(labels.count)
        return (value.value / count, curvature.value / count)
    }
}
