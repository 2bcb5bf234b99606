/// Reads JSON from bytes one token at a time, as strictly as serde_json 1.0 does.
///
/// The bytes are UTF-8, checked before; every method takes them, since a scanner cannot hold a span.
struct JSONScanner {
    /// A number, as far as its kind matters to a reader of sizes.
    enum Number: Equatable {
        case unsigned(UInt64)
        case other
    }

    /// Containers that may be open at once.
    static let maximumDepth = 127

    /// Where the next byte is read.
    private(set) var position: Int
    private let file: String
    private var depth = 0

    init(at position: Int, file: String) {
        self.position = position
        self.file = file
    }

    /// An error at the current byte.
    func malformed(_ problem: String) -> ModelFormatError {
        ModelFormatError(.malformed, "\(file): header byte \(position): \(problem)")
    }

    /// The next byte that is not white space, not consumed.
    mutating func peek(_ bytes: Span<UInt8>) -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Consumes one character after white space.
    mutating func expect(
        _ character: Unicode.Scalar, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        guard let byte = peek(bytes), UInt32(byte) == character.value else {
            throw malformed("expected \"\(character)\"")
        }
        position += 1
    }

    /// Consumes an object, calling `member` at each value.
    mutating func object(
        _ bytes: Span<UInt8>,
        member: (inout JSONScanner, Span<UInt8>, String) throws(ModelFormatError) -> Void
    ) throws(ModelFormatError) {
        try expect("{", bytes)
        try enter()
        if peek(bytes) == UInt8(ascii: "}") {
            position += 1
        } else {
            while true {
                guard peek(bytes) == UInt8(ascii: "\"") else {
                    throw malformed("expected a key in quotes")
                }
                let key = try string(bytes)
                try expect(":", bytes)
                try member(&self, bytes, key)
                guard try another(until: "}", bytes) else { break }
            }
        }
        depth -= 1
    }

    /// Consumes an array, calling `element` at each value with its index.
    mutating func array(
        _ bytes: Span<UInt8>,
        element: (inout JSONScanner, Span<UInt8>, Int) throws(ModelFormatError) -> Void
    ) throws(ModelFormatError) {
        try expect("[", bytes)
        try enter()
        if peek(bytes) == UInt8(ascii: "]") {
            position += 1
        } else {
            var index = 0
            while true {
                try element(&self, bytes, index)
                guard try another(until: "]", bytes) else { break }
                index += 1
            }
        }
        depth -= 1
    }

    /// Consumes a value of any kind.
    mutating func skipValue(_ bytes: Span<UInt8>) throws(ModelFormatError) {
        switch peek(bytes) {
        case UInt8(ascii: "{"):
            try object(bytes) { (scanner, bytes, _) throws(ModelFormatError) in
                try scanner.skipValue(bytes)
            }
        case UInt8(ascii: "["):
            try array(bytes) { (scanner, bytes, _) throws(ModelFormatError) in
                try scanner.skipValue(bytes)
            }
        case UInt8(ascii: "\""): _ = try string(bytes)
        case UInt8(ascii: "t"): try word("true", bytes)
        case UInt8(ascii: "f"): try word("false", bytes)
        case UInt8(ascii: "n"): try word("null", bytes)
        default: _ = try number(bytes)
        }
    }

    /// Consumes `null` if it is next.
    mutating func null(_ bytes: Span<UInt8>) throws(ModelFormatError) -> Bool {
        guard peek(bytes) == UInt8(ascii: "n") else { return false }
        try word("null", bytes)
        return true
    }

    /// Checks that only white space is left.
    mutating func end(_ bytes: Span<UInt8>) throws(ModelFormatError) {
        guard peek(bytes) == nil else { throw malformed("expected the end of the header") }
    }

    private mutating func enter() throws(ModelFormatError) {
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): header byte \(position): expected at most \(Self.maximumDepth) open brackets"
            )
        }
    }

    private mutating func another(
        until close: Unicode.Scalar, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) -> Bool {
        guard let byte = peek(bytes) else { throw malformed("expected \",\" or \"\(close)\"") }
        position += 1
        if byte == UInt8(ascii: ",") { return true }
        guard UInt32(byte) == close.value else {
            position -= 1
            throw malformed("expected \",\" or \"\(close)\"")
        }
        return false
    }

    private mutating func word(
        _ word: StaticString, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        guard bytes.holds(word, at: position) else { throw malformed("expected \(word)") }
        position += word.utf8CodeUnitCount
    }
}

// MARK: - Strings

extension JSONScanner {
    /// Consumes a string in quotes.
    mutating func string(_ bytes: Span<UInt8>) throws(ModelFormatError) -> String {
        guard peek(bytes) == UInt8(ascii: "\"") else { throw malformed("expected a string") }
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape(bytes)).utf8)
            case 0..<0x20: throw malformed("control character in a string")
            default: text.append(byte)
            }
        }
        throw malformed("string without an end")
    }

    private mutating func escape(_ bytes: Span<UInt8>) throws(ModelFormatError) -> Unicode.Scalar {
        guard position < bytes.count else { throw malformed("string without an end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(bytes)
        default: throw malformed("unknown escape in a string")
        }
    }

    private mutating func unicodeEscape(
        _ bytes: Span<UInt8>
    ) throws(ModelFormatError) -> Unicode.Scalar {
        let first = try fourHexDigits(bytes)
        if let scalar = Unicode.Scalar(first) { return scalar }
        // Half of a pair: the second half must follow, as another escape.
        guard first < 0xDC00, bytes.holds("\\u", at: position) else {
            throw malformed("half of a surrogate pair in a string")
        }
        position += 2
        let second = try fourHexDigits(bytes)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw malformed("half of a surrogate pair in a string") }
        return scalar
    }

    private mutating func fourHexDigits(_ bytes: Span<UInt8>) throws(ModelFormatError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw malformed("escape without an end") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch bytes[position] {
            case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"):
                digit = byte - UInt8(ascii: "0")
            case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"):
                digit = byte - UInt8(ascii: "a") + 10
            case let byte where byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"):
                digit = byte - UInt8(ascii: "A") + 10
            default: throw malformed("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}

// MARK: - Numbers

extension JSONScanner {
    /// Consumes a number.
    ///
    /// A number beyond the range of float64 is an error. Which ones those are follows serde_json's own
    /// arithmetic (19 digits, then a power of ten), so that verdicts agree to the last digit.
    mutating func number(_ bytes: Span<UInt8>) throws(ModelFormatError) -> Number {
        let isNegative = peek(bytes) == UInt8(ascii: "-")
        if isNegative { position += 1 }
        guard let first = digit(bytes) else { throw malformed("expected a value") }
        var significand = UInt64(first)
        var exponent = 0
        if first == 0, digit(bytes) != nil { throw malformed("number with a leading zero") }
        if first != 0 {
            while let digit = digit(bytes, consuming: false) {
                if exponent > 0 || !append(digit, to: &significand) { exponent += 1 }
                position += 1
            }
        }
        var isInteger = exponent == 0
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            isInteger = false
            guard digit(bytes, consuming: false) != nil else {
                throw malformed("expected a digit after the point")
            }
            var isFull = false
            while let digit = digit(bytes) {
                isFull = isFull || !append(digit, to: &significand)
                if !isFull { exponent -= 1 }
            }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            isInteger = false
            try applyExponent(bytes, significand: significand, exponent: &exponent)
        }
        if isInteger { return isNegative ? .other : .unsigned(significand) }
        guard Self.isFinite(significand: significand, exponent: exponent) else {
            throw malformed("number out of range")
        }
        return .other
    }

    private mutating func applyExponent(
        _ bytes: Span<UInt8>, significand: UInt64, exponent: inout Int
    ) throws(ModelFormatError) {
        var isPositive = true
        if position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "+"): position += 1
            case UInt8(ascii: "-"):
                position += 1
                isPositive = false
            default: break
            }
        }
        guard let first = digit(bytes) else { throw malformed("expected a digit in the exponent") }
        var value = Int(first)
        while let digit = digit(bytes) {
            value = min(value * 10 + Int(digit), Int(Int32.max))
        }
        if value == Int(Int32.max), significand != 0, isPositive {
            throw malformed("number out of range")
        }
        exponent += isPositive ? value : -value
    }

    private mutating func digit(_ bytes: Span<UInt8>, consuming: Bool = true) -> UInt8? {
        guard position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 else { return nil }
        let digit = bytes[position] - UInt8(ascii: "0")
        if consuming { position += 1 }
        return digit
    }

    private func append(_ digit: UInt8, to significand: inout UInt64) -> Bool {
        let (tens, overflow) = significand.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
        if overflow || carry { return false }
        significand = sum
        return true
    }

    private static func isFinite(significand: UInt64, exponent: Int) -> Bool {
        if significand == 0 || exponent <= 0 { return true }
        guard exponent <= 308, let power = Double("1e\(exponent)") else { return false }
        return (Double(significand) * power).isFinite
    }
}
