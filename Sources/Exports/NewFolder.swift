import FoundationEssentials
import Native

/// A folder that is being filled beside the place where it will be.
///
/// Until `commit()` there is nothing at its path, or the empty folder that was there; after it the folder is there
/// whole. One that is let go before is removed, with what is in it.
final class NewFolder {
    /// Where the folder will be.
    let path: String
    /// Where it is until then: beside, under a hidden name that nobody else has.
    let temporaryPath: String

    /// Makes the folder, and those around it where they are not there.
    ///
    /// - Throws: `ExportError` with code `.exists` where there is something at its path, other than an empty folder;
    ///   `NativeError` with code `.inputOutput`.
    init(at path: String) throws {
        let trimmed = String(path.reversed().drop { $0 == "/" }.reversed())
        let name = trimmed.split(separator: "/").last.map(String.init) ?? ""
        guard !name.isEmpty, name != ".", name != ".." else {
            throw ExportError(
                .exists, "\(path): expected the name of a folder to make, found one that is there")
        }
        switch FileKind.unfollowed(trimmed) {
        case nil: break
        case .folder:
            let count = try folderContents(atPath: trimmed).count
            guard count == 0 else {
                throw ExportError(
                    .exists,
                    "\(trimmed): expected no folder, or an empty one, found \(count) files; remove it, or "
                        + "name another")
            }
        default:
            throw ExportError(
                .exists, "\(trimmed): expected nothing there yet, found a file; name a folder")
        }
        let mark = String(UInt64.random(in: .min ... .max), radix: 36)
        self.path = trimmed
        temporaryPath = "\(trimmed.dropLast(name.count)).\(name).\(mark).part"
        try createFolder(atPath: temporaryPath)
    }

    /// Puts the folder in its place.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`, where something has come there since.
    func commit() throws(NativeError) {
        try FileSystem.replace(path, with: temporaryPath)
    }

    deinit {
        // After a commit there is nothing of this name.
        try? FileManager.default.removeItem(atPath: temporaryPath)
    }
}
