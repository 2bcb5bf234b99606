/// Names that someone who wrote `name` may have meant, best first, at most five.
///
/// Those that begin like it come first, then those that differ from it by a few letters.
package func suggestions(for name: String, among names: [String]) -> [String] {
    let wanted = Array(name.lowercased().utf8)
    guard !wanted.isEmpty else { return [] }
    let extended = names.filter { $0.lowercased().hasPrefix(name.lowercased()) }
    let near =
        names
        .map { (name: $0, distance: editDistance(wanted, Array($0.utf8))) }
        .filter { $0.distance <= max(2, wanted.count / 4) && !extended.contains($0.name) }
        .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
        .map(\.name)
    return Array((extended + near).prefix(5))
}

/// The least number of letters to add, take away or change to turn one text into the other.
private func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    var previous = Array(0...second.count)
    for (row, letter) in first.enumerated() {
        var current = [row + 1]
        for (column, other) in second.enumerated() {
            let change = previous[column] + (letter == other ? 0 : 1)
            current.append(min(change, previous[column + 1] + 1, current[column] + 1))
        }
        previous = current
    }
    return previous[second.count]
}
