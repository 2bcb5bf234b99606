/// A piece of HTML in which every text from outside is escaped.
///
/// Names of elements and attributes can only come from the program's own source; texts and attribute values
/// may be anything and cannot leave their place.
package struct HTML: Sendable, Hashable {
    /// What a browser reads.
    package let markup: String

    private init(markup: String) { self.markup = markup }

    /// A text.
    package static func text(_ text: String) -> HTML { HTML(markup: escape(text)) }

    /// Pieces one after the other.
    package static func group(_ pieces: [HTML]) -> HTML {
        HTML(markup: pieces.map(\.markup).joined())
    }

    /// An element with what it holds; void elements, such as `img`, take no children.
    package static func element(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:],
        _ children: [HTML] = []
    ) -> HTML {
        var markup = "<\(name)"
        for (key, value) in attributes { markup += " \(key)=\"\(escape(value))\"" }
        markup += ">"
        guard !["img", "meta", "br"].contains("\(name)") else { return HTML(markup: markup) }
        for child in children { markup += child.markup }
        return HTML(markup: markup + "</\(name)>")
    }

    /// An element that holds one text.
    package static func element(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:],
        text: String
    ) -> HTML {
        element(name, attributes, [.text(text)])
    }

    /// A style sheet of the program's own.
    package static func style(_ sheet: StaticString) -> HTML {
        HTML(markup: "<style>\(sheet)</style>")
    }

    /// A whole page.
    ///
    /// The page may load nothing but pictures that it holds itself, and runs no script.
    package static func page(title: String, style: StaticString, body: [HTML]) -> String {
        let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        let head = element(
            "head",
            children: [
                element("meta", ["charset": "utf-8"]),
                element("meta", ["http-equiv": "Content-Security-Policy", "content": policy]),
                element(
                    "meta",
                    ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
                element("meta", ["name": "color-scheme", "content": "light dark"]),
                element("title", text: title), .style(style),
            ])
        return "<!doctype html>\n"
            + element("html", ["lang": "en"], [head, element("body", children: body)]).markup
            + "\n"
    }

    /// An element without attributes.
    package static func element(_ name: StaticString, children: [HTML]) -> HTML {
        element(name, [:], children)
    }

    /// The five characters that mean something in HTML become entities; control characters that HTML
    /// forbids become the replacement character.
    static func escape(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n": result.unicodeScalars.append(scalar)
            case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
