/// What names of files say before the files are opened.
package enum PictureNames {
    private static let suffixes = ["jpg", "jpeg", "jpe", "jfif", "png", "webp"]

    /// What a folder is expected to hold, for messages.
    static let description = "jpg, jpeg, png or webp"

    /// Whether a file is taken for a picture by the end of its name, in capitals or not.
    package static func isPicture(_ name: some StringProtocol) -> Bool {
        guard let dot = name.lastIndex(of: ".") else { return false }
        return isPictureSuffix(name[name.index(after: dot)...])
    }

    /// Whether an ending, without the dot, is that of pictures.
    static func isPictureSuffix(_ suffix: some StringProtocol) -> Bool {
        suffixes.contains(suffix.lowercased())
    }

    /// Whether a file or folder is of no interest: hidden, or left by an archiver.
    package static func isIgnored(_ name: some StringProtocol) -> Bool {
        name.hasPrefix(".") || name == "__MACOSX"
    }
}
