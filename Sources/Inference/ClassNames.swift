import FoundationEssentials
import ModelFormats
package import Native

/// What the classes are called.
public struct ClassNames: Sendable, Hashable {
    /// One name a class, by index; two classes may share one, as ImageNet's two called "crane" do.
    public let names: [String]

    /// Takes names, in the order of the classes.
    public init(_ names: [String]) { self.names = names }

    /// ImageNet's 1,000 classes (ILSVRC 2012).
    public static let imageNet = ClassNames(
        imageNetClassTable.split(separator: "\n").map { line in
            String(line.drop { $0 != " " }.dropFirst())
        })

    /// The numbers of ImageNet's classes in WordNet, as in `n01440764`, in the order of `imageNet`.
    package static let imageNetSynsets = imageNetClassTable.split(separator: "\n").map { line in
        String(line.prefix { $0 != " " })
    }

    /// WordNet's number of each class, where these are ImageNet's; one of TensorFlow's thousand and one has none.
    package var synsets: [(synset: String, index: Int)] {
        guard let offset = Self.imageNetOffset(names) else { return [] }
        return Self.imageNetSynsets.enumerated().map { ($0.element, $0.offset + offset) }
    }

    /// How many classes stand before ImageNet's thousand; `nil` where the names are others.
    private static func imageNetOffset(_ names: [String]) -> Int? {
        switch names.count {
        case 1000 where names == imageNet.names: 0
        case 1001 where names.dropLast().elementsEqual(imageNet.names): 0
        case 1001 where names.dropFirst().elementsEqual(imageNet.names): 1
        default: nil
        }
    }

    /// `class 0`, `class 1` and so on.
    public static func numbered(_ count: Int) -> ClassNames {
        ClassNames((0..<count).map { "class \($0)" })
    }

    /// Reads names from a file: a JSON array of texts, a JSON object from index to text, or one name a line.
    ///
    /// - Throws: `InferenceError` with code `.invalidClassNames`, or `NativeError`.
    public init(contentsOf path: String) throws {
        let memory = try Memory(mapping: path)
        try self.init(decoding: memory, name: path)
    }

    /// Reads names, as `init(contentsOf:)` does.
    ///
    /// - Throws: `InferenceError` with code `.invalidClassNames`.
    package init(decoding memory: Memory, name: String) throws(InferenceError) {
        guard memory.byteCount <= 1 << 26 else {
            throw InferenceError(
                .invalidClassNames,
                "\(name): expected class names, found \(memory.byteCount) bytes")
        }
        let bytes = memory.bytes
        let text = String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
        let first = text.first { !$0.isWhitespace }
        if first == "[" || first == "{" {
            guard let names = Self.names(ofJSON: text) else {
                throw InferenceError(
                    .invalidClassNames,
                    "\(name): expected a JSON array of names, or an object from \"0\", \"1\", … to "
                        + "names, found other JSON")
            }
            self.names = names
        } else {
            var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
            while lines.last?.allSatisfy(\.isWhitespace) ?? false { lines.removeLast() }
            names = lines.map { Self.trimmed($0) }
            guard !names.isEmpty else {
                throw InferenceError(
                    .invalidClassNames, "\(name): expected one class name a line, found nothing")
            }
        }
    }

    /// The names that suit a model: those given, else those in its file, else ImageNet's for 1,000 classes (or the
    /// 1,001 of a file that says where the thousand begin), else numbers.
    ///
    /// - Throws: `InferenceError` with code `.classNameCount` where those given are more or fewer.
    package static func choose(
        given: ClassNames?, metadata: [String: String], count: Int
    ) throws(InferenceError) -> ClassNames {
        if let given {
            guard given.names.count == count else {
                throw InferenceError(
                    .classNameCount,
                    "class names: expected \(count), one a class of the model, found "
                        + "\(given.names.count)")
            }
            return given
        }
        return named(in: metadata, count: count) ?? imageNet(in: metadata, count: count)
            ?? .numbered(count)
    }

    /// ImageNet's names for a thousand classes, and for the thousand and one of TensorFlow's networks whose file says
    /// under `class_offset` at which index the first of the thousand is: at 0 as NVIDIA's, or at 1.
    private static func imageNet(in metadata: [String: String], count: Int) -> ClassNames? {
        switch (count, metadata["class_offset"]) {
        case (1000, _): imageNet
        case (1001, "0"): ClassNames(imageNet.names + ["unused"])
        case (1001, "1"): ClassNames(["background"] + imageNet.names)
        default: nil
        }
    }

    /// The names that a weight file gives its classes under `class_names`; `nil` where it gives none, or others than
    /// `count`.
    package static func named(in metadata: [String: String], count: Int) -> ClassNames? {
        guard let text = metadata["class_names"], let names = names(ofJSON: text),
            names.count == count
        else { return nil }
        return ClassNames(names)
    }

    /// Names in a JSON array, or in an object from index to name; `nil` for anything else.
    static func names(ofJSON text: String) -> [String]? {
        let data = Data(text.utf8)
        if let names = try? JSONDecoder().decode([String].self, from: data) { return names }
        guard let table = try? JSONDecoder().decode([String: String].self, from: data) else {
            return nil
        }
        let names = (0..<table.count).compactMap { table[String($0)] }
        return names.count == table.count ? names : nil
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace ?? false { text.removeFirst() }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
