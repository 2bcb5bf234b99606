import ArgumentParser

/// A share as users write it: `1%`, or `0.01`.
struct Percentage: ExpressibleByArgument, Sendable, Hashable {
    /// The share, 0 to 1.
    let share: Double

    /// Takes a share.
    init(share: Double) { self.share = share }

    /// Reads a share; `nil` where it is none.
    init?(argument: String) {
        let isPercent = argument.hasSuffix("%")
        guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else {
            return nil
        }
        let share = isPercent ? number / 100 : number
        guard (0...1).contains(share) else { return nil }
        self.share = share
    }

    /// What help shows as the default.
    var defaultValueDescription: String { "\(fixed(share * 100, places: 0))%" }
}
