import Native

/// Pictures in one folder a class, with `train` and `val` folders around them or without.
///
/// Classes are numbered in the order of their names' bytes, as by torchvision's `ImageFolder`; each one's pictures come in
/// the order of their paths' bytes. Folders without pictures are no classes.
struct ClassFolders {
    /// The data set's folder.
    let root: String

    /// Looks through the folders.
    ///
    /// - Throws: `DatasetError` with code `.notFound`, `.unreadable`, `.notRecognised` or `.limitExceeded`.
    func open() throws(DatasetError) -> LabelledSamples {
        let top = try contents(of: "")
        var notes: [String] = []
        let partFolders = try partFolders(top)
        var scan = FolderScan()
        scan.noteUnreachable(top, in: "")
        var pictures: [(part: DatasetPart?, name: String, paths: [String])] = []
        for (folder, part) in partFolders.isEmpty ? [("", nil)] : partFolders {
            let inside = folder.isEmpty ? top : try contents(of: folder)
            if !folder.isEmpty { scan.noteUnreachable(inside, in: folder) }
            for name in inside.folders {
                let paths = try scan.pictures(in: joined(folder, name), below: root)
                if paths.isEmpty {
                    notes.append("\(joined(folder, name)) holds no picture and is no class")
                } else {
                    pictures.append((part, name, paths))
                }
            }
            if !inside.pictures.isEmpty {
                notes.append(
                    "\(inside.pictures.count) pictures lie in "
                        + "\(folder.isEmpty ? "the folder itself" : folder) and in no class's "
                        + "folder: left out")
            }
        }
        if !partFolders.isEmpty {
            let names = Set(partFolders.map { $0.0 })
            for name in top.folders where !names.contains(name) {
                notes.append("\(name) is neither of train, val and test: left out")
            }
        }
        return try put(
            pictures, scan, notes, otherFileCount: scan.otherFileCount + top.others.count, top)
    }

    private func put(
        _ pictures: [(part: DatasetPart?, name: String, paths: [String])], _ scan: FolderScan,
        _ notes: [String], otherFileCount: Int, _ top: FolderScan.Contents
    ) throws(DatasetError) -> LabelledSamples {
        let classNames = Set(pictures.map { ExactText($0.name) }).map { $0.text }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard !classNames.isEmpty else { throw nothingFound(top) }
        try DatasetLimits.check(classNames.count, DatasetLimits.classCount, "classes", in: root)
        var labels: [ExactText: Int] = [:]
        for (label, name) in classNames.enumerated() { labels[ExactText(name)] = label }
        var samples: [Sample] = []
        var parts: [DatasetPart?] = []
        for (part, name, paths) in pictures {
            let label = labels[ExactText(name)] ?? 0
            for path in paths {
                samples.append(Sample(name: path, label: label, place: samples.count))
                parts.append(part)
            }
        }
        var notes = notes
        if otherFileCount > 0 {
            notes.append("\(otherFileCount) files are no pictures by their names: left out")
        }
        for link in scan.repeatedLinks {
            notes.append("\(link) leads back to a folder that was looked through: not followed")
        }
        return LabelledSamples(
            name: root, classNames: classNames, samples: samples, parts: parts,
            source: FileSource(folder: root), leftOut: scan.unreadable, notes: notes)
    }

    /// The folders that are parts of the data rather than classes; empty where there are none.
    ///
    /// A folder called `train` may as well show trains: it is a part where folders, and no pictures, lie in it.
    private func partFolders(
        _ top: FolderScan.Contents
    ) throws(DatasetError) -> [(String, DatasetPart?)] {
        var parts: [(String, DatasetPart?)] = []
        var partOf: [DatasetPart: String] = [:]
        for name in top.folders {
            guard let part = DatasetPart(word: name) else { continue }
            let inside = try contents(of: name)
            guard inside.pictures.isEmpty, !inside.folders.isEmpty else { continue }
            if let other = partOf[part] {
                throw DatasetError(
                    .notRecognised,
                    "\(root): \(other) and \(name) both stand for the \(part.rawValue) pictures; "
                        + "rename one")
            }
            partOf[part] = name
            parts.append((name, part))
        }
        return parts
    }

    private func contents(of folder: String) throws(DatasetError) -> FolderScan.Contents {
        do {
            return try FolderScan.contents(of: folder.isEmpty ? root : joined(root, folder))
        } catch {
            throw DatasetError(reading: root, error)
        }
    }

    private func nothingFound(_ top: FolderScan.Contents) -> DatasetError {
        let expected =
            "expected one folder a class with \(PictureNames.description) files in it"
        let found =
            switch (top.folders.count, top.pictures.count, top.others.count) {
            case (0, 0, 0): "found nothing"
            case (0, 0, let others): "found \(others) other files, as \(top.others[0])"
            case (0, let pictures, _): "found \(pictures) pictures without such folders"
            case (let folders, _, _): "found \(folders) folders without pictures"
            }
        return DatasetError(.notRecognised, "\(root): \(expected), \(found)")
    }
}
