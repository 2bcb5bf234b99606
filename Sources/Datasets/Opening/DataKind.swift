import Native

/// The forms of data that are told apart by names and first bytes.
enum DataKind: Hashable {
    /// A folder of class folders.
    case folder(String)
    /// A CSV or TSV file.
    case list(String)
    /// Tar archives.
    case tar([String])
    /// TFRecord files.
    case tfRecord([String])
    /// A record file.
    case records(String)

    /// Finds out what a path leads to.
    ///
    /// - Throws: `DatasetError` with code `.notFound`, `.unreadable`, `.notRecognised`, `.invalidOption` or
    ///   `.limitExceeded`.
    static func find(_ path: String) throws(DatasetError) -> DataKind {
        switch FileKind(atPath: path) {
        case .folder: return try inFolder(path)
        case .some: return try ofFiles([path], name: path)
        case nil where path.contains("{"): return try ofFiles(ShardNames.expand(path), name: path)
        case nil:
            throw DatasetError(
                .notFound,
                "\(path): no such file or folder; data is a folder of class folders, a CSV or TSV "
                    + "list, tar or TFRecord shards, a record file, or \"shapes\"")
        }
    }

    /// What files are, by their first bytes, and lists by their names.
    private static func ofFiles(
        _ paths: [String], name: String
    ) throws(DatasetError) -> DataKind {
        guard let first = paths.first else {
            throw DatasetError(.notFound, "\(name): the pattern stands for no file")
        }
        let memory = try mapFile(first)
        let bytes = memory.bytes
        if TarIndex.recognises(bytes) || first.lowercased().hasSuffix(".tar") { return .tar(paths) }
        if RecordFile.recognises(bytes), paths.count == 1 { return .records(first) }
        if TFRecordIndex.recognises(bytes) { return .tfRecord(paths) }
        if paths.count == 1, isList(first) { return .list(first) }
        let found =
            bytes.isEmpty
            ? "an empty file"
            : PictureNames.isPicture(first)
                ? "a picture; give the folder around its class's folder"
                : bytes.littleEndian(UInt16.self, at: 0) == 0x8B1F
                    ? "a compressed file; unpack it first" : "bytes of another kind"
        throw DatasetError(
            .notRecognised,
            "\(first): expected a CSV or TSV list, a tar archive, a TFRecord file or a record file, "
                + "found \(found)")
    }

    private static func inFolder(_ path: String) throws(DatasetError) -> DataKind {
        let top = try contents(path)
        var tars: [String] = []
        var tfRecords: [String] = []
        try collectShards(path, top, &tars, &tfRecords)
        for folder in top.folders where DatasetPart(word: folder) != nil {
            let inner = joined(path, folder)
            try collectShards(inner, try contents(inner), &tars, &tfRecords)
        }
        let records = top.others.filter { $0.hasSuffix(".records") }
        let lists = top.others.filter(isList)
        let kinds = [!tars.isEmpty, !tfRecords.isEmpty, !records.isEmpty].count { $0 }
        guard kinds <= 1, records.count <= 1 else {
            throw DatasetError(
                .notRecognised,
                "\(path): expected one form of data, found \(tars.count) tar archives, "
                    + "\(tfRecords.count) TFRecord files and \(records.count) record files; name the "
                    + "files")
        }
        if kinds == 1, let name = try classFolder(path, top) {
            let file = tars.first ?? tfRecords.first ?? records.first ?? ""
            throw DatasetError(
                .notRecognised,
                "\(path): expected one form of data, found \(file) beside the folder \(name) of "
                    + "pictures; name the file or files, or move them elsewhere")
        }
        if !tars.isEmpty { return .tar(tars) }
        if !tfRecords.isEmpty { return .tfRecord(tfRecords) }
        if let file = records.first { return .records(joined(path, file)) }
        // Pictures in one folder beside a list are what the list is about.
        let classes = top.folders.count { DatasetPart(word: $0) == nil }
        if let list = lists.first, lists.count == 1, classes <= 1, top.folders.count == classes {
            throw DatasetError(
                .notRecognised,
                "\(path): expected one folder a class, found \(classes) beside the list \(list); give "
                    + "the list itself: \(joined(path, list))")
        }
        return .folder(path)
    }

    /// A folder that directly holds pictures, within train and val or beside them; `nil` where there is none.
    private static func classFolder(
        _ path: String, _ top: FolderScan.Contents
    ) throws(DatasetError) -> String? {
        for folder in top.folders {
            let inside = try contents(joined(path, folder))
            if !inside.pictures.isEmpty { return folder }
            guard DatasetPart(word: folder) != nil else { continue }
            for name in inside.folders {
                let inner = joined(folder, name)
                if try !contents(joined(path, inner)).pictures.isEmpty { return inner }
            }
        }
        return nil
    }

    private static func collectShards(
        _ folder: String, _ contents: FolderScan.Contents, _ tars: inout [String],
        _ tfRecords: inout [String]
    ) throws(DatasetError) {
        for name in contents.others {
            let path = joined(folder, name)
            if name.lowercased().hasSuffix(".tar") {
                tars.append(path)
            } else if isTFRecord(name), try holdsTFRecords(path) {
                tfRecords.append(path)
            }
        }
    }

    private static func holdsTFRecords(_ path: String) throws(DatasetError) -> Bool {
        let memory = try mapFile(path)
        return TFRecordIndex.recognises(memory.bytes)
    }

    private static func contents(_ path: String) throws(DatasetError) -> FolderScan.Contents {
        do {
            return try FolderScan.contents(of: path)
        } catch {
            throw DatasetError(reading: path, error)
        }
    }

    /// Whether a name is one of TFRecord files: `train-00000-of-01024`, or one that says so.
    private static func isTFRecord(_ name: String) -> Bool {
        let lower = name.lowercased()
        if lower.hasSuffix(".tfrecord") || lower.hasSuffix(".tfrecords") { return true }
        let words = lower.split(separator: "-")
        return words.count >= 4 && words[words.count - 2] == "of"
            && words[words.count - 1].allSatisfy { $0.isNumber }
            && words[words.count - 3].allSatisfy { $0.isNumber }
    }

    private static func isList(_ name: String) -> Bool {
        let lower = name.lowercased()
        return lower.hasSuffix(".csv") || lower.hasSuffix(".tsv") || lower.hasSuffix(".txt")
    }
}

extension LabelledSamples {
    /// Opens what a path leads to.
    ///
    /// - Throws: `DatasetError`.
    static func open(
        _ path: String, options: DatasetOptions
    ) throws(DatasetError) -> LabelledSamples {
        try options.check()
        switch try DataKind.find(path) {
        case .folder(let path): return try ClassFolders(root: path).open()
        case .list(let path):
            return try SampleList(path: path, allowsOutsidePaths: options.allowsOutsidePaths).open()
        case .tar(let paths): return try TarShards(name: path, paths: paths).open()
        case .tfRecord(let paths):
            return try TFRecordShards(
                name: path, paths: paths, firstLabel: options.firstRecordLabel
            ).open()
        case .records(let path):
            return try RecordFile(try mapFile(path), name: path).open()
        }
    }
}
