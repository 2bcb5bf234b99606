import Native

/// Looks through folders for pictures, in the order of the names' bytes.
///
/// Links are followed. A folder is entered once below the same start, so loops of links end.
struct FolderScan {
    /// Files that are no pictures by their names.
    private(set) var otherFileCount = 0
    /// Names of links that lead back to a folder that was looked through already.
    private(set) var repeatedLinks: [String] = []
    /// Folders that cannot be read, and what no path leads to, as what has to be left out.
    private(set) var unreadable: [SkippedSample] = []
    private var folderCount = 0

    /// What lies directly in a folder, hidden things left out; links count as what they lead to.
    struct Contents {
        /// Names of folders.
        var folders: [String] = []
        /// Names of files that are pictures, by their endings; a broken link with such a name is one too.
        var pictures: [String] = []
        /// Names of other files.
        var others: [String] = []
        /// Names that are not UTF-8, repaired.
        var unreachable: [String] = []
    }

    /// Looks into one folder.
    ///
    /// - Throws: `NativeError` with code `.notFound` or `.inputOutput`.
    static func contents(of path: String) throws(NativeError) -> Contents {
        var contents = Contents()
        for (name, kind) in try folderContents(atPath: path)
        where !PictureNames.isIgnored(name) {
            let isFolder =
                kind == .folder || kind == .link && FileKind(atPath: joined(path, name)) == .folder
            if kind == .unreachable {
                contents.unreachable.append(name)
            } else if isFolder {
                contents.folders.append(name)
            } else if PictureNames.isPicture(name) {
                contents.pictures.append(name)
            } else {
                contents.others.append(name)
            }
        }
        return contents
    }

    /// Notes what lies in a folder and no path leads to.
    mutating func noteUnreachable(_ contents: Contents, in folder: String) {
        for name in contents.unreachable {
            unreadable.append(
                SkippedSample(
                    name: joined(folder, name), reason: "its name is not UTF-8; rename it"))
        }
    }

    /// The pictures in a folder and below.
    ///
    /// - Parameters:
    ///   - start: the folder, below `root`.
    ///   - root: the data set's folder.
    /// - Returns: their paths below `root`.
    /// - Throws: `DatasetError` with code `.limitExceeded`.
    mutating func pictures(
        in start: String, below root: String
    ) throws(DatasetError) -> [String] {
        var found: [String] = []
        var visited: Set<FileIdentity> = []
        try collect(start, root, depth: 0, visited: &visited, into: &found)
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private mutating func collect(
        _ folder: String, _ root: String, depth: Int, visited: inout Set<FileIdentity>,
        into found: inout [String]
    ) throws(DatasetError) {
        let path = joined(root, folder)
        if let identity = FileIdentity(atPath: path), !visited.insert(identity).inserted {
            repeatedLinks.append(folder)
            return
        }
        folderCount += 1
        try DatasetLimits.check(folderCount, DatasetLimits.placeCount, "folders", in: root)
        try DatasetLimits.check(
            depth, DatasetLimits.folderDepth, "folders within each other", in: path)
        let contents: Contents
        do {
            contents = try Self.contents(of: path)
        } catch {
            unreadable.append(
                SkippedSample(name: folder, reason: "the folder cannot be read: \(error.message)"))
            return
        }
        otherFileCount += contents.others.count
        noteUnreachable(contents, in: folder)
        for name in contents.pictures {
            let inner = joined(folder, name)
            try DatasetLimits.check(
                inner.utf8.count, DatasetLimits.nameByteCount, "bytes in a path", in: root)
            found.append(inner)
        }
        for name in contents.folders {
            try collect(
                joined(folder, name), root, depth: depth + 1, visited: &visited, into: &found)
        }
        try DatasetLimits.check(found.count, DatasetLimits.sampleCount, "pictures", in: root)
    }
}
