import Native
import Pretrained
import Yams

extension Recipe {
    /// The largest recipe file that is read.
    static let maximumByteCount = 1 << 20

    /// The recipes that the program holds.
    public static var names: [String] { shippedRecipes.keys.sorted() }

    /// One of the recipes that the program holds, or that of a file whose name ends in `.yaml` or `.yml`.
    ///
    /// - Throws: `RunError` with code `.invalidRecipe`; `NativeError` where a file cannot be read.
    public static func named(_ name: String) throws -> Recipe {
        if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            return try Recipe(contentsOf: name)
        }
        return try shipped(name)
    }

    /// Reads a file.
    ///
    /// - Throws: `RunError` with code `.invalidRecipe`; `NativeError` with code `.notFound` or `.inputOutput`.
    public init(contentsOf path: String) throws {
        if let count = FileSystem.byteCount(of: path), count > Self.maximumByteCount {
            throw RunError(
                .invalidRecipe,
                "\(path): expected at most \(Self.maximumByteCount) bytes, found \(count)")
        }
        try self.init(yaml: try FileSystem.text(of: path), name: path)
    }

    /// Reads the text of a file.
    ///
    /// Keys that are not there keep the values of the recipe that `extends` names, or of `Recipe()`.
    ///
    /// - Parameters:
    ///   - yaml: plain keys and values, at most a mebibyte; anchors and aliases are refused.
    ///   - name: what messages call it.
    /// - Throws: `RunError` with code `.invalidRecipe`.
    public init(yaml: String, name: String) throws(RunError) {
        let entries = try FlatYAML.entries(of: yaml, name: name)
        var recipe = Recipe()
        if let base = entries.first(where: { $0.key == "extends" }) {
            recipe = try Self.shipped(base.value.text)
        }
        recipe.name = name
        recipe.description = ""
        recipe.source = ""
        for (key, value) in entries where key != "extends" {
            switch key {
            case "description": recipe.description = value.text
            case "source": recipe.source = value.text
            default: try recipe.set(key, value, place: name)
            }
        }
        self = recipe
    }

    /// Changes a value.
    ///
    /// - Parameters:
    ///   - key: one of those of `settings`.
    ///   - text: the value as recipe files write it.
    ///   - place: what the message names before the key.
    /// - Throws: `RunError` with code `.invalidRecipe`.
    public mutating func set(_ key: String, _ text: String, place: String) throws(RunError) {
        try set(key, FlatYAML.value(of: text), place: place)
    }

    private mutating func set(
        _ key: String, _ value: RecipeValue, place: String
    ) throws(RunError) {
        guard let setting = Self.settings.first(where: { $0.key == key }) else {
            let keys = Self.settings.map(\.key) + ["description", "source", "extends"]
            let near = suggestions(for: key, among: keys).first
            throw RunError(
                .invalidRecipe,
                "\(place): there is no key \(key)" + (near.map { "; did you mean \($0)?" } ?? ""))
        }
        do {
            try setting.write(&self, value)
        } catch {
            throw RunError(
                .invalidRecipe,
                "\(place): \(key): expected \(error.expected), found \(value.text)")
        }
    }

    /// The recipe as a file that reads back as the same.
    public var yaml: String {
        var lines: [String] = []
        if !description.isEmpty { lines.append("description: \(FlatYAML.quoted(description))") }
        if !source.isEmpty { lines.append("source: \(FlatYAML.quoted(source))") }
        lines += values.map { "\($0.key): \($0.text)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func shipped(_ name: String) throws(RunError) -> Recipe {
        guard let yaml = shippedRecipes[name] else {
            let near = suggestions(for: name, among: names).first
            throw RunError(
                .invalidRecipe,
                "recipe \(name): there is none of this name"
                    + (near.map { "; did you mean \($0)?" } ?? "")
                    + " Known: \(names.joined(separator: ", ")); or give a .yaml file")
        }
        return try Recipe(yaml: yaml, name: name)
    }
}

/// YAML of plain keys and values.
enum FlatYAML {
    /// The keys with their values, in the text's order.
    ///
    /// - Throws: `RunError` with code `.invalidRecipe`.
    static func entries(
        of text: String, name: String
    ) throws(RunError) -> [(key: String, value: RecipeValue)] {
        guard text.utf8.count <= Recipe.maximumByteCount else {
            throw RunError(
                .invalidRecipe,
                "\(name): expected at most \(Recipe.maximumByteCount) bytes, "
                    + "found \(text.utf8.count)")
        }
        // Aliases could make a short text mean a huge one.
        if let mark = firstReference(in: text) {
            throw RunError(
                .invalidRecipe,
                "\(name): anchors and aliases are not read, found \(mark); quote text that starts so"
            )
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw RunError(.invalidRecipe, "\(name): no YAML: \(oneLine("\(error)"))")
        }
        guard let node else { return [] }
        guard case .mapping(let mapping) = node else {
            throw RunError(.invalidRecipe, "\(name): expected keys with values, as in epochs: 90")
        }
        var entries: [(key: String, value: RecipeValue)] = []
        var keys: Set<String> = []
        for (keyNode, valueNode) in mapping {
            guard case .scalar(let key) = keyNode, keys.insert(key.string).inserted else {
                throw RunError(
                    .invalidRecipe, "\(name): expected each key once, as a plain word")
            }
            switch valueNode {
            case .scalar(let scalar): entries.append((key.string, .word(scalar.string)))
            case .sequence(let sequence):
                var words: [String] = []
                for element in sequence {
                    guard case .scalar(let scalar) = element else {
                        throw unexpected(key.string, name)
                    }
                    words.append(scalar.string)
                }
                entries.append((key.string, .list(words)))
            default: throw unexpected(key.string, name)
            }
        }
        return entries
    }

    /// A value as it stands behind a key.
    static func value(of text: String) -> RecipeValue {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return .word(text) }
        let parts = text.dropFirst().dropLast().split(separator: ",")
        return .list(parts.map { part in String(part.filter { letter in letter != " " }) })
    }

    /// A text in double quotes, as YAML and JSON read it.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\0"..<" ", "\u{7F}"..<"\u{A0}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func unexpected(_ key: String, _ name: String) -> RunError {
        RunError(
            .invalidRecipe, "\(name): \(key): expected a value or a list of values, found more")
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// The first word outside quotes and comments that begins with `&` or `*` where a value could begin.
    private static func firstReference(in text: String) -> String? {
        for line in text.split(whereSeparator: \.isNewline) {
            var quote: Character?
            var before: Character = " "
            var rest = line[...]
            while let letter = rest.first {
                if let open = quote {
                    if letter == "\\", open == "\"" {
                        rest = rest.dropFirst()
                    } else if letter == open {
                        quote = nil
                    }
                } else {
                    let isStart = " \t[{,:".contains(before)
                    if letter == "#", isStart { break }
                    if isStart, letter == "\"" || letter == "'" { quote = letter }
                    if isStart, letter == "&" || letter == "*" {
                        let word = rest.prefix { !$0.isWhitespace }
                        if word.count > 1 { return String(word.prefix(40)) }
                    }
                }
                before = letter
                rest = rest.dropFirst()
            }
        }
        return nil
    }
}
