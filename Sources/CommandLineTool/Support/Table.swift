/// Rows under a header, for people (aligned columns) and for programs (CSV).
package struct Table: Sendable {
    /// At which side of its column a text stands.
    package enum Alignment: Sendable {
        /// Texts.
        case left
        /// Numbers.
        case right
    }

    private let header: [String]
    private let alignments: [Alignment]
    private(set) var rows: [[String]] = []

    /// Makes an empty table.
    package init(_ columns: KeyValuePairs<String, Alignment>) {
        header = columns.map(\.key)
        alignments = columns.map(\.value)
    }

    /// Makes an empty table whose columns come from data.
    package init(columns: [(name: String, alignment: Alignment)]) {
        header = columns.map { $0.name }
        alignments = columns.map { $0.alignment }
    }

    /// Adds a row.
    ///
    /// - Precondition: it has as many cells as the table has columns.
    package mutating func add(_ cells: [String]) {
        precondition(cells.count == header.count)
        rows.append(cells)
    }

    /// The rows in aligned columns, two spaces apart, each line ending with a line feed.
    package var text: String {
        let lines = [header] + rows
        let widths = header.indices.map { column in
            lines.map { displayWidth($0[column]) }.max() ?? 0
        }
        return lines.map { cells in
            var line = ""
            for (column, cell) in cells.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - displayWidth(cell))
                if column > 0 { line += "  " }
                line += alignments[column] == .left ? cell + gap : gap + cell
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// The rows as comma-separated values after RFC 4180, each line ending with a line feed.
    package var csv: String { ([header] + rows).map(csvLine).joined() }
}

/// One line of comma-separated values; a field with a comma, a quote or a line break is quoted.
package func csvLine(_ fields: [String]) -> String {
    fields.map { field in
        guard field.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
            return field
        }
        let doubled = field.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"")
        return "\"\(doubled)\""
    }.joined(separator: ",") + "\n"
}

/// The columns that a text takes in a terminal: two for East Asian wide letters and pictures.
package func displayWidth(_ text: String) -> Int {
    text.reduce(0) { width, character in
        guard let scalar = character.unicodeScalars.first else { return width }
        return width + (wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1)
    }
}

/// The blocks of Unicode 15 whose letters are wide (UAX 11), coarsely.
private let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE4F,
    0xFF00...0xFF60, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
]

/// A text as it can be shown in a terminal: control characters, which could drive it, are made visible.
package func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{202A}"..."\u{202E}",
            "\u{2066}"..."\u{2069}":
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
