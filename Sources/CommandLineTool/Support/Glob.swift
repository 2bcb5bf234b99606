/// A pattern for paths: `*` and `?` within a name, `[a-z]` and `[!a-z]` for one letter, `**` for any folders.
package struct Glob: Sendable, Hashable {
    private enum Token: Sendable, Hashable {
        case letter(Character)
        case any
        case run
        case set([ClosedRange<Character>], negated: Bool)
    }

    private enum Component: Sendable, Hashable {
        case folders
        case name([Token])
    }

    /// The folder in which the search starts: the part of the pattern before its first special letter.
    package let root: String
    private let components: [Component]

    /// Whether a text is meant as a pattern rather than as a path.
    package static func isPattern(_ text: String) -> Bool {
        text.contains { "*?[".contains($0) }
    }

    /// Reads a pattern.
    package init(_ pattern: String) {
        var folders: [Substring] = []
        var parts = pattern.split(separator: "/", omittingEmptySubsequences: true)[...]
        while parts.count > 1, let first = parts.first, !Self.isPattern(String(first)) {
            folders.append(first)
            parts.removeFirst()
        }
        let prefix = pattern.hasPrefix("/") ? "/" : ""
        root = prefix + folders.joined(separator: "/")
        components = parts.map { part in
            part == "**" ? .folders : .name(Self.tokens(of: part))
        }
    }

    /// Whether the names below the root, outermost first, fit the pattern.
    ///
    /// Names that begin with a dot are hidden and fit only a pattern that begins with one.
    package func matches(_ names: [String]) -> Bool { matches(names[...], components[...]) }

    /// How many folders deep the pattern reaches; `nil` where it has no limit.
    package var depth: Int? { components.contains(.folders) ? nil : components.count }

    private func matches(
        _ names: ArraySlice<String>, _ components: ArraySlice<Component>
    ) -> Bool {
        // One row of the usual table a component: which prefixes of the names fit the components so far.
        var fits = [Bool](repeating: false, count: names.count + 1)
        fits[0] = true
        let names = Array(names)
        for component in components {
            var next = [Bool](repeating: false, count: fits.count)
            switch component {
            case .folders:
                var reached = false
                for index in fits.indices {
                    reached = reached || fits[index]
                    if index > 0, names[index - 1].hasPrefix("."), !fits[index] { reached = false }
                    next[index] = reached
                }
            case .name(let tokens):
                for index in names.indices where fits[index] {
                    if Self.matches(Array(names[index]), tokens) { next[index + 1] = true }
                }
            }
            fits = next
        }
        return fits[names.count]
    }

    private static func matches(_ name: [Character], _ tokens: [Token]) -> Bool {
        if name.first == ".", tokens.first != .letter(".") { return false }
        // Greedy with one point to come back to: linear in practice, quadratic at worst.
        var (letter, token) = (0, 0)
        var back: (letter: Int, token: Int)?
        while letter < name.count {
            if token < tokens.count, tokens[token] == .run {
                back = (letter, token)
                token += 1
            } else if token < tokens.count, fits(name[letter], tokens[token]) {
                letter += 1
                token += 1
            } else if let point = back {
                back = (point.letter + 1, point.token)
                letter = point.letter + 1
                token = point.token + 1
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy { $0 == .run }
    }

    private static func fits(_ letter: Character, _ token: Token) -> Bool {
        switch token {
        case .letter(let wanted): letter == wanted
        case .any: true
        case .run: false
        case .set(let ranges, let negated): ranges.contains { $0.contains(letter) } != negated
        }
    }

    private static func tokens(of text: Substring) -> [Token] {
        var tokens: [Token] = []
        var rest = text
        while let letter = rest.popFirst() {
            switch letter {
            case "*": if tokens.last != .run { tokens.append(.run) }
            case "?": tokens.append(.any)
            case "[": tokens.append(set(&rest) ?? .letter("["))
            default: tokens.append(.letter(letter))
            }
        }
        return tokens
    }

    /// What follows a `[`; `nil`, with nothing taken, where no `]` closes it.
    private static func set(_ rest: inout Substring) -> Token? {
        var probe = rest
        var ranges: [ClosedRange<Character>] = []
        let negated = probe.first == "!" || probe.first == "^"
        if negated { probe.removeFirst() }
        while let low = probe.popFirst() {
            if low == "]", !ranges.isEmpty {
                rest = probe
                return .set(ranges, negated: negated)
            }
            let after = probe.dropFirst().first
            if probe.first == "-", let high = after, high != "]" {
                probe = probe.dropFirst(2)
                if low <= high { ranges.append(low...high) }
            } else {
                ranges.append(low...low)
            }
        }
        return nil
    }
}
