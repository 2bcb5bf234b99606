/// One axis of a plot: a range of values whose ends are round, and the values that it names.
struct PlotAxis {
    /// The lower end.
    let lower: Double
    /// The upper end, above the lower.
    let upper: Double
    /// The values that are named.
    let ticks: [Double]
    /// How many decimal places these need.
    let places: Int

    /// Covers values.
    ///
    /// - Parameters:
    ///   - values: those that are not finite are left out; where none is left, the range is 0 to 1.
    ///   - tickCount: about how many values are named, at least 2.
    ///   - startsAtZero: whether the axis begins at 0, where no value is below it.
    init(covering values: [Double], tickCount: Int = 5, startsAtZero: Bool = false) {
        let finite = values.filter { $0.isFinite && abs($0) < 1e300 }
        var low = finite.min() ?? 0
        var high = finite.max() ?? 1
        if startsAtZero, low > 0 { low = 0 }
        if high - low <= max(abs(low), abs(high)) * 1e-9 || high - low < 1e-200 {
            // A single value, or what rounding made of one, stands in the middle.
            let margin = max(0.5, abs(low) * 0.05)
            (low, high) = (low - margin, high + margin)
        }
        let step = Self.roundStep((high - low) / Double(max(2, tickCount)))
        let first = (low / step).rounded(.down)
        let last = (high / step).rounded(.up)
        lower = first * step
        upper = last * step
        ticks = (0...Int(min(50, last - first))).map { (first + Double($0)) * step }
        var places = 0
        var unit = step
        while places < 9, abs(unit - unit.rounded()) > 1e-6 * unit {
            unit *= 10
            places += 1
        }
        self.places = places
    }

    /// 1, 2 or 5 times a power of ten, about as large as asked for.
    private static func roundStep(_ wanted: Double) -> Double {
        var power = 1.0
        while power * 10 <= wanted { power *= 10 }
        while power > wanted { power /= 10 }
        switch wanted / power {
        case ..<1.5: return power
        case ..<3: return 2 * power
        case ..<7: return 5 * power
        default: return 10 * power
        }
    }

    /// What a tick is called.
    func name(_ tick: Double) -> String {
        if abs(upper) >= 1e6, places == 0 { return "\(decimalText(tick / 1e6, places: 1))M" }
        if abs(upper) >= 1e4, places == 0 { return "\(decimalText(tick / 1e3, places: 0))k" }
        // A learning rate may need more places than there is room for.
        return places > 4 ? "\(Float(tick))" : decimalText(tick, places: places)
    }

    /// Where a value stands between two coordinates.
    func place(_ value: Double, from start: Double, to end: Double) -> Double {
        start + (value - lower) / (upper - lower) * (end - start)
    }
}
