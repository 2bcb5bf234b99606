/// A path as the folder that something lies in, and its name there.
///
/// Splits at the last slash whatever follows it, also a character that would combine with it.
package struct PathParts: Sendable, Hashable {
    /// The folder: `.` where the path names none, `/` for the root's.
    package let folder: String
    /// The name; empty for a path that ends with a slash.
    package let name: String

    /// Splits a path.
    package init(_ path: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            (folder, name) = (".", path)
            return
        }
        folder = slash == path.startIndex ? "/" : String(path[..<slash])
        name = String(path[path.utf8.index(after: slash)...])
    }
}
