/// A number with a fixed count of decimal places, as in `12.50`.
package func fixed(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : (value < 0 ? "-inf" : "inf") }
    let rounded = value.rounded(toPlaces: places)
    guard abs(rounded) < 1e15 else { return "\(value)" }
    let whole = Int64(abs(rounded))
    let sign = rounded < 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(whole)" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let rest = Int64(((abs(rounded) - Double(whole)) * scale).rounded())
    let digits = String(rest)
    let zeros = String(repeating: "0", count: max(0, places - digits.count))
    return "\(sign)\(whole).\(zeros)\(digits)"
}

/// A count with a comma between each three digits, as in `25,557,032`.
package func grouped(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
        text.append(digit)
    }
    return text
}

/// A number of bytes in the unit that suits it, as in `97.8 MiB`.
package func byteText(_ byteCount: Int) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"]
    guard byteCount >= 1024 else { return "\(byteCount) B" }
    var value = Double(byteCount) / 1024
    var unit = 0
    while value >= 1023.95, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return "\(fixed(value, places: 1)) \(units[unit])"
}

/// A time span as people say it, as in `42 s`, `3 min 05 s`, `2 h 10 min`.
package func durationText(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600: return "\(whole / 60) min \(padded(whole % 60)) s"
    default: return "\(whole / 3600) h \(padded(whole / 60 % 60)) min"
    }
}

extension Duration {
    /// The span in seconds.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
