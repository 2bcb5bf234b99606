/// Reads words, numbers and marks of a graph's text form, and knows where it is.
///
/// Spaces before each are skipped; line ends are not.
struct GraphTextReader {
    /// A place in the text.
    struct Position {
        var offset: Int
        var line: Int
        var lineStart: Int

        var column: Int { offset - lineStart + 1 }
    }

    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var lineStart = 0

    init(text: String) { bytes = Array(text.utf8) }

    /// Where the next thing begins.
    var position: Position {
        mutating get {
            skipSpaces()
            return Position(offset: offset, line: line, lineStart: lineStart)
        }
    }

    var isAtEnd: Bool { offset == bytes.count }

    /// The next byte that is not a space; `nil` at the end of the line or text.
    mutating func peek() -> UInt8? {
        skipSpaces()
        guard offset < bytes.count, bytes[offset] != Self.newline else { return nil }
        return bytes[offset]
    }

    /// Takes a mark if it is next.
    mutating func consume(_ mark: Unicode.Scalar) -> Bool {
        guard let byte = peek(), byte == UInt8(truncatingIfNeeded: mark.value) else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ mark: Unicode.Scalar) throws(GraphError) {
        guard consume(mark) else { throw error("expected \(mark), found \(nextText())") }
    }

    mutating func expectWord(_ expected: String) throws(GraphError) {
        let start = position
        let found = try word()
        guard found == expected else {
            throw error("expected \(expected), found \(found)", at: start)
        }
    }

    /// Letters, digits and the marks that names may have without quotes.
    mutating func word() throws(GraphError) -> String {
        skipSpaces()
        let start = offset
        while offset < bytes.count, GraphText.isWordByte(bytes[offset]) { offset += 1 }
        guard offset > start else { throw error("expected a word, found \(nextText())") }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// A word, or any text in quotes.
    mutating func name() throws(GraphError) -> String {
        peek() == Self.quote ? try quoted() : try word()
    }

    /// What follows `#`, if that is next: text in quotes, or the rest of the line.
    mutating func label() throws(GraphError) -> String {
        guard consume("#") else { return "" }
        if peek() == Self.quote { return try quoted() }
        let start = offset
        while offset < bytes.count, bytes[offset] != Self.newline { offset += 1 }
        var end = offset
        while end > start, Self.isSpace(bytes[end - 1]) { end -= 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    mutating func integer() throws(GraphError) -> Int {
        let start = position
        var value = 0
        var digitCount = 0
        while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) {
            let (product, productOverflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = product.addingReportingOverflow(Int(bytes[offset]) - 0x30)
            guard !productOverflow, !sumOverflow else {
                throw error("expected a whole number of at most 63 bits", at: start)
            }
            value = sum
            digitCount += 1
            offset += 1
        }
        guard digitCount > 0 else { throw error("expected a whole number, found \(nextText())") }
        return value
    }

    mutating func number() throws(GraphError) -> Double {
        let start = position
        while offset < bytes.count, Self.isNumberByte(bytes[offset]) { offset += 1 }
        let text = String(decoding: bytes[start.offset..<offset], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            offset = start.offset
            throw error("expected a finite number, found \(nextText())", at: start)
        }
        return value
    }

    /// Takes the end of the line and any empty lines after it.
    mutating func endLine() throws(GraphError) {
        guard peek() == nil else {
            throw error("expected the end of the line, found \(nextText())")
        }
        guard !isAtEnd else { throw error("expected } before the end of the text") }
        skipEmptyLines()
        guard !isAtEnd else { throw error("expected } before the end of the text") }
    }

    mutating func skipEmptyLines() {
        skipSpaces()
        while offset < bytes.count, bytes[offset] == Self.newline {
            offset += 1
            line += 1
            lineStart = offset
            skipSpaces()
        }
    }

    /// A mistake at a place, or here.
    func error(_ message: String, at position: Position? = nil) -> GraphError {
        let place = position ?? Position(offset: offset, line: line, lineStart: lineStart)
        return located(GraphError(.syntax, message), at: place)
    }

    /// The same error, telling where.
    func located(_ error: GraphError, at position: Position) -> GraphError {
        GraphError(
            error.code, "line \(position.line), column \(position.column): \(error.message)")
    }

    private mutating func quoted() throws(GraphError) -> String {
        let start = position
        offset += 1
        var text = ""
        var run = offset
        while offset < bytes.count, bytes[offset] != Self.newline {
            switch bytes[offset] {
            case Self.quote:
                text += String(decoding: bytes[run..<offset], as: UTF8.self)
                offset += 1
                return text
            case Self.backslash:
                text += String(decoding: bytes[run..<offset], as: UTF8.self)
                offset += 1
                text.unicodeScalars.append(try escaped())
                run = offset
            default: offset += 1
            }
        }
        throw error("expected a closing quote before the end of the line", at: start)
    }

    /// What follows a backslash: a quote, a backslash, `n`, or `u{hexadecimal}`.
    private mutating func escaped() throws(GraphError) -> Unicode.Scalar {
        let byte = offset < bytes.count ? bytes[offset] : 0
        offset = min(offset + 1, bytes.count)
        switch byte {
        case Self.quote: return "\""
        case Self.backslash: return "\\"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "u"):
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "{") else { break }
            let start = offset + 1
            var end = start
            while end < bytes.count, end - start <= 6, bytes[end] != UInt8(ascii: "}") { end += 1 }
            guard end < bytes.count, bytes[end] == UInt8(ascii: "}") else { break }
            let digits = String(decoding: bytes[start..<end], as: UTF8.self)
            guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else {
                break
            }
            offset = end + 1
            return scalar
        default: break
        }
        throw error(#"expected \", \\, \n or \u{...} after a backslash"#)
    }

    /// What a message says was found.
    private func nextText() -> String {
        guard offset < bytes.count else { return "the end of the text" }
        guard bytes[offset] != Self.newline else { return "the end of the line" }
        let rest = bytes[offset...].prefix(16)
        let text = rest.prefix { $0 > 0x20 && $0 != 0x7F }
        return text.isEmpty ? "byte \(bytes[offset])" : String(decoding: text, as: UTF8.self)
    }

    private mutating func skipSpaces() {
        while offset < bytes.count, Self.isSpace(bytes[offset]) { offset += 1 }
    }

    private static let newline = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x65, 0x45: true
        default: false
        }
    }
}
