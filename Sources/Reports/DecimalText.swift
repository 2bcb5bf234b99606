/// A number with a fixed count of decimal places, as in `12.50`; `?` where it is not finite.
package func decimalText(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return "?" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 1e15 else { return "\(value)" }
    let digits = String(Int64(scaled))
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + padded }
    return "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
}

/// A share as a percentage, as in `85.0 %`, whose space no line breaks at.
package func percentText(_ share: Double, places: Int = 1) -> String {
    decimalText(share * 100, places: places) + "\u{A0}%"
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
