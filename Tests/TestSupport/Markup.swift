/// Reads a page tag by tag and finds what a browser would have to mend.
///
/// A page of this project closes every element but the void ones, quotes every attribute, and escapes every `<`.
package struct Markup {
    /// What is wrong; none in a page that is well-formed.
    package private(set) var problems: [String] = []
    /// How often each element occurs.
    package private(set) var counts: [String: Int] = [:]
    /// The texts outside of tags and styles, joined by spaces.
    package private(set) var text = ""

    /// Reads a page.
    package init(_ page: String) {
        var rest = Substring(page)
        var open: [String] = []
        while let start = rest.firstIndex(of: "<") {
            if open.last != "style" {
                add(text: rest[..<start])
            }
            guard let end = rest[start...].firstIndex(of: ">") else {
                problems.append("a tag without an end")
                return
            }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("!") { continue }
            if tag.hasPrefix("/") {
                let name = String(tag.dropFirst())
                if open.last == name {
                    open.removeLast()
                } else {
                    problems.append("</\(name)> closes <\(open.last ?? "nothing")>")
                }
                continue
            }
            let name = String(tag.prefix { $0 != " " })
            counts[name, default: 0] += 1
            checkAttributes(tag.dropFirst(name.count), of: name)
            if !["img", "meta", "br"].contains(name) { open.append(name) }
        }
        add(text: rest)
        if !open.isEmpty { problems.append("not closed: \(open)") }
    }

    private mutating func add(text: Substring) {
        if text.contains(">") { problems.append("a bare > in \(text.prefix(40))") }
        let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if !trimmed.isEmpty { self.text += trimmed + " " }
    }

    private mutating func checkAttributes(_ text: Substring, of name: String) {
        var rest = text
        while let first = rest.first {
            guard first == " " else {
                problems.append("<\(name): expected a space before \(rest.prefix(20))")
                return
            }
            rest.removeFirst()
            let key = rest.prefix { $0.isLetter || $0 == "-" || $0.isNumber }
            rest = rest.dropFirst(key.count)
            guard !key.isEmpty, rest.hasPrefix("=\""),
                let end = rest.dropFirst(2).firstIndex(of: "\"")
            else {
                problems.append("<\(name): attribute \(key) without quotes")
                return
            }
            let value = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
            if value.contains("<") { problems.append("<\(name) \(key): a bare <") }
            if key.hasPrefix("on") { problems.append("<\(name) \(key): a script") }
            rest = rest[rest.index(after: end)...]
        }
    }
}
