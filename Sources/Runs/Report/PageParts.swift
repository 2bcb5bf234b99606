import Native
import Reports

// Pieces that pages about runs and evaluations have in common.

/// A number with its name, and something to know of it.
func pageFact(_ name: String, _ value: String, note: String? = nil) -> HTML {
    var parts = [HTML.text(value)]
    if let note { parts.append(.element("small", text: " " + note)) }
    return .element("div", children: [.element("dt", text: name), .element("dd", [:], parts)])
}

/// A headline with what follows.
func pageSection(_ title: String, _ parts: [HTML]) -> HTML {
    .element("section", [:], [.element("h2", text: title)] + parts)
}

/// A table whose first columns are names and the others numbers.
func pageTable(_ columns: [String], nameColumns: Int, rows: [HTML]) -> HTML {
    let header = columns.enumerated().map { index, column in
        index < nameColumns
            ? HTML.element("th", ["class": "name"], text: column)
            : HTML.element("th", text: column)
    }
    return .element(
        "table",
        children: [
            .element("thead", children: [.element("tr", [:], header)]),
            .element("tbody", [:], rows),
        ])
}

/// A share as a bar.
func pageBar(_ share: Double) -> HTML {
    let percent = decimalText(max(0, min(1, share.isFinite ? share : 0)) * 100, places: 1)
    return .element(
        "span", ["class": "track"],
        [.element("span", ["class": "bar", "style": "width:\(percent)%"])])
}

/// A picture that the page holds itself.
///
/// - Parameter type: `jpeg` or `png`.
func pageImage(
    _ bytes: Memory, type: String, alternative: String, style: String? = nil
) -> HTML {
    let source = "data:image/\(type);base64,\(base64(bytes.bytes))"
    if let style {
        return .element("img", ["class": style, "src": source, "alt": alternative])
    }
    return .element("img", ["src": source, "alt": alternative, "loading": "lazy"])
}
