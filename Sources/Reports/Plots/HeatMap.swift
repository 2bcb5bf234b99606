/// How often each class was taken for each, as SVG: rows are what pictures show, columns what they were taken for.
package struct HeatMap: Sendable {
    private let title: String
    private let names: [String]
    private let counts: [[Int]]
    private let rowTotals: [Int]

    /// Makes a map.
    ///
    /// - Parameters:
    ///   - title: what it shows.
    ///   - names: the classes, of rows and of columns.
    ///   - counts: for each row one count a column.
    ///   - rowTotals: how many pictures each row's class has; shares are of these.
    package init(title: String, names: [String], counts: [[Int]], rowTotals: [Int]) {
        precondition(counts.count == names.count && rowTotals.count == names.count)
        precondition(counts.allSatisfy { $0.count == names.count })
        self.title = title
        self.names = names
        self.counts = counts
        self.rowTotals = rowTotals
    }

    /// The map with its caption.
    package func figure() -> HTML {
        .element(
            "figure", ["class": "plot heat"],
            [.element("figcaption", text: title), svg()])
    }

    private func svg() -> HTML {
        let count = max(1, names.count)
        let labels = names.map { Self.shortened($0, to: 16) }
        // As wide as the longest label at the size of its letters, which shrink with the cells.
        let cell = max(9, min(34, 360 / Double(count)))
        let letter = max(6, min(11, cell * 0.75))
        let margin = 8 + Double(labels.map { $0.count }.max() ?? 0) * letter * 0.64
        let side = margin + Double(count) * cell + 4
        let size = decimalText(letter, places: 1)
        var parts = [HTML.element("title", text: title)]
        for (row, label) in labels.enumerated() {
            let middle = coordinate(margin + (Double(row) + 0.5) * cell)
            let edge = coordinate(margin - 4)
            parts.append(
                .element(
                    "text",
                    [
                        "x": edge, "y": middle, "dy": "0.33em", "text-anchor": "end",
                        "font-size": size,
                    ], [.text(label), .element("title", text: names[row])]))
            parts.append(
                .element(
                    "text",
                    [
                        "transform": "translate(\(middle) \(edge)) rotate(-90)", "dy": "0.33em",
                        "font-size": size,
                    ], [.text(label), .element("title", text: names[row])]))
        }
        for row in counts.indices {
            for column in counts[row].indices {
                parts += self.cell(row, column, size: cell, margin: margin)
            }
        }
        let box = decimalText(side, places: 0)
        return .element(
            "svg", ["viewBox": "0 0 \(box) \(box)", "role": "img", "aria-label": title], parts)
    }

    private func cell(_ row: Int, _ column: Int, size: Double, margin: Double) -> [HTML] {
        let count = counts[row][column]
        let share = Double(count) / Double(max(1, rowTotals[row]))
        let (x, y) = (margin + Double(column) * size, margin + Double(row) * size)
        let label =
            "\(names[row]) taken for \(names[column]): \(count), \(percentText(share))"
        // Empty cells show the ground; the square root lets rare mistakes be seen.
        let opacity = count == 0 ? 0.05 : 0.12 + 0.88 * share.squareRoot()
        var parts: [HTML] = [
            .element(
                "rect",
                [
                    "class": row == column ? "cell c0" : count == 0 ? "cell" : "cell wrong",
                    "x": coordinate(x + 0.5), "y": coordinate(y + 0.5),
                    "width": coordinate(size - 1), "height": coordinate(size - 1),
                    "fill-opacity": decimalText(opacity, places: 2),
                ], [.element("title", text: label)])
        ]
        if size >= 18, count > 0 {
            parts.append(
                .element(
                    "text",
                    [
                        "class": opacity > 0.6 ? "count strong" : "count",
                        "x": coordinate(x + size / 2), "y": coordinate(y + size / 2),
                        "dy": "0.33em", "text-anchor": "middle",
                        "font-size": decimalText(
                            count < 1000 ? size * 0.36 : size * 0.28, places: 1),
                    ], text: String(count)))
        }
        return parts
    }

    /// A name's beginning: the first of several, cut where it is too long.
    private static func shortened(_ name: String, to count: Int) -> String {
        let first = String(name.prefix { $0 != "," })
        return first.count <= count ? first : first.prefix(count - 1) + "…"
    }
}
