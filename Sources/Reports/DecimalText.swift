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
