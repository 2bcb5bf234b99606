import ArgumentParser

/// An amount of memory as users write it: `1500000000`, `800MB`, `2GiB`, `1.5G`.
struct ByteCount: ExpressibleByArgument, Sendable, Hashable {
    /// The number of bytes.
    let value: Int

    /// Reads an amount; `nil` where it is none, or more than fits.
    init?(argument: String) {
        let number = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let units: [String: Double] = [
            "": 1, "b": 1, "k": 0x1p10, "kib": 0x1p10, "kb": 1e3, "m": 0x1p20, "mib": 0x1p20,
            "mb": 1e6, "g": 0x1p30, "gib": 0x1p30, "gb": 1e9, "t": 0x1p40, "tib": 0x1p40,
            "tb": 1e12,
        ]
        guard let amount = Double(number), amount > 0,
            let unit = units[argument.dropFirst(number.count).lowercased()],
            amount * unit < 0x1p62
        else { return nil }
        value = Int(amount * unit)
    }
}
