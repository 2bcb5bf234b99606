/// A text that equals another one where all its bytes do.
///
/// Strings are equal however their letters are put together: as file names they may be of two files.
struct ExactText: Hashable, Sendable {
    /// The text.
    let text: String

    /// Takes a text.
    init(_ text: String) { self.text = text }

    static func == (first: ExactText, second: ExactText) -> Bool {
        first.text.utf8.elementsEqual(second.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        // No byte of UTF-8, so that texts in a row cannot run together.
        hasher.combine(0xFF as UInt8)
    }
}
