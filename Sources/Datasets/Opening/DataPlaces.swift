import Native

/// The files and folders that data consists of, onto and into which nothing is to be written.
struct DataPlaces {
    private let data: String
    private let kind: DataKind?
    /// Files that the data was named by, or that lie in the folder that it was named by.
    private var files: Set<FileIdentity> = []
    /// Folders of which everything in and below counts as the data's.
    private var folders: Set<FileIdentity> = []

    /// Finds out where the data lies that a path or name leads to; data that is drawn lies nowhere.
    ///
    /// - Throws: `DatasetError`, as opening the data does.
    init(of data: String) throws(DatasetError) {
        self.data = data
        kind = try Shapes.isName(data) ? nil : DataKind.find(data)
        switch kind {
        case .folder(let path): try addLinkedFolders(in: path)
        case .list(let path):
            add([path])
            try addOutsideFolders(ofList: path)
        case .tar(let paths), .tfRecord(let paths): add(paths)
        case .records(let path):
            if let identity = FileIdentity(atPath: path) { files.insert(identity) }
        case nil: break
        }
        if kind != nil, FileKind(atPath: data) == .folder { addFolder(data) }
    }

    /// Refuses a file or folder to be written that is the data's, or lies in or below one of its folders.
    ///
    /// - Throws: `DatasetError` with code `.invalidOption`.
    func check(_ output: String) throws(DatasetError) {
        guard kind != nil else { return }
        if FileKind(atPath: output) == .regular, let identity = FileIdentity(atPath: output),
            try isData(identity)
        {
            throw DatasetError(
                .invalidOption, "\(output): expected another file than those of the data \(data)")
        }
        var starts = [Self.existingFolder(output)]
        if let real = FileSystem.realPath(output) {
            starts.append(Self.existingFolder(real))
        } else if FileKind.unfollowed(output) == .link {
            throw DatasetError(
                .invalidOption, "\(output): expected a new place, found a link that leads nowhere")
        }
        for start in starts where !folders.isDisjoint(with: Self.foldersAround(start)) {
            throw DatasetError(
                .invalidOption,
                "\(output): expected a place outside the data's folders (\(data)), into which nothing "
                    + "is written; name another")
        }
    }

    /// Takes files, and the folders that they lie in.
    private mutating func add(_ paths: [String]) {
        // Who works where the data lies wants results there, or could have none below a home with data in it.
        let working = Self.foldersAround(".")
        var found: Set<String> = []
        for path in paths {
            if let identity = FileIdentity(atPath: path) { files.insert(identity) }
            found.insert(ShardNames.folder(of: path))
            if let real = FileSystem.realPath(path) { found.insert(ShardNames.folder(of: real)) }
        }
        for folder in found {
            if let identity = FileIdentity(atPath: folder), !working.contains(identity) {
                folders.insert(identity)
            }
        }
    }

    private mutating func addFolder(_ path: String) {
        if let identity = FileIdentity(atPath: path) { folders.insert(identity) }
    }

    /// Takes folders elsewhere that links stand for: classes, and train and val.
    private mutating func addLinkedFolders(in root: String) throws(DatasetError) {
        do throws(NativeError) {
            for name in try FolderScan.contents(of: root).folders {
                let path = joined(root, name)
                addFolder(path)
                guard DatasetPart(word: name) != nil else { continue }
                for inner in try FolderScan.contents(of: path).folders {
                    addFolder(joined(path, inner))
                }
            }
        } catch {
            throw DatasetError(reading: root, error)
        }
    }

    /// Takes the folders of pictures that a list names outside its own.
    private mutating func addOutsideFolders(ofList path: String) throws(DatasetError) {
        let list = try SampleList(path: path, allowsOutsidePaths: true).open()
        var outside: Set<String> = []
        for sample in list.samples
        where sample.name.utf8.starts(with: "/".utf8) || sample.name.utf8.starts(with: "..".utf8) {
            let folder = ShardNames.folder(of: path)
            outside.insert(
                ShardNames.folder(of: FileSource(folder: folder).path(of: sample)))
        }
        for folder in outside { addFolder(folder) }
    }

    /// Whether a file that is there is one of the data's, whatever path leads to it.
    private func isData(_ identity: FileIdentity) throws(DatasetError) -> Bool {
        if files.contains(identity) { return true }
        let (samples, folder): ([Sample], String)
        switch kind {
        case .folder(let path):
            (samples, folder) = (try ClassFolders(root: path).open().samples, path)
        case .list(let path):
            samples = try SampleList(path: path, allowsOutsidePaths: true).open().samples
            folder = ShardNames.folder(of: path)
        case .tar, .tfRecord, .records, nil: return false
        }
        let source = FileSource(folder: folder)
        return samples.contains { FileIdentity(atPath: source.path(of: $0)) == identity }
    }

    /// The path itself where it is a folder, else the nearest one around it that is there.
    private static func existingFolder(_ path: String) -> String {
        var path = path
        while FileKind(atPath: path) != .folder {
            let outer = ShardNames.folder(of: path)
            guard outer != path else { return path }
            path = outer
        }
        return path
    }

    /// A folder and all those around it.
    private static func foldersAround(_ folder: String) -> Set<FileIdentity> {
        var found: Set<FileIdentity> = []
        var path = folder
        // The root of the file system lies in itself.
        while let identity = FileIdentity(atPath: path), found.insert(identity).inserted {
            path += "/.."
        }
        return found
    }
}
