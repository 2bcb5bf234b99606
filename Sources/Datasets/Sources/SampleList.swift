import Native

/// A list of pictures: a CSV or TSV file with a path and a label in each row.
///
/// With a header, the columns are found by name: `file`, `path`, `filename` or `image`; `index` for the class's number and
/// `label` or `class` for its name, or either of the two; `split` for the part. Without one, they are path, label and, if
/// there is a third, the part. Paths are below the list's folder. The list's order is kept.
struct SampleList {
    /// The list's path.
    let path: String
    /// Whether a row may name a file outside the list's folder.
    let allowsOutsidePaths: Bool

    private struct Columns {
        var path = 0
        var label: Int?
        var index: Int?
        var part: Int?
        var hasHeader = false
    }

    private struct Row {
        var path: String
        var label: String
        var part: DatasetPart?
        var line: Int
    }

    /// Reads the list.
    ///
    /// - Throws: `DatasetError` with code `.notFound`, `.unreadable`, `.malformed`, `.notRecognised` or
    ///   `.limitExceeded`.
    func open() throws(DatasetError) -> LabelledSamples {
        try read(try readFile(path, limit: DatasetLimits.listByteCount))
    }

    /// Reads the list's bytes.
    func read(_ memory: Memory) throws(DatasetError) -> LabelledSamples {
        var text = DelimitedText(memory, name: path)
        guard let first = try text.next() else {
            throw DatasetError(
                .notRecognised, "\(path): expected rows of path and label, found nothing")
        }
        let columns = try columns(first)
        var rows: [Row] = []
        // What `index` calls `label`, where both are there.
        var names: [Int: String] = [:]
        var fields: [String]? = columns.hasHeader ? try text.next() : first
        while let row = fields {
            rows.append(try self.row(row, columns, line: text.line, &names))
            try DatasetLimits.check(rows.count, DatasetLimits.sampleCount, "rows", in: path)
            fields = try text.next()
        }
        let texts = rows.map { $0.label }
        let table: LabelTable
        if columns.index != nil {
            guard let numbers = LabelTable.numbers(texts) else {
                let row = rows.first { LabelTable.number($0.label) == nil }
                throw DatasetError(
                    .malformed,
                    "\(path), line \(row?.line ?? 0): expected a class's number in the column index, "
                        + "found \"\(row?.label ?? "")\"")
            }
            table = try LabelTable(numbers: numbers, names: names, name: path)
        } else {
            table = try LabelTable(texts, name: path)
        }
        return try put(rows, table)
    }

    private func put(_ rows: [Row], _ table: LabelTable) throws(DatasetError) -> LabelledSamples {
        var samples: [Sample] = []
        var parts: [DatasetPart?] = []
        var places: [ExactText: Int] = [:]
        var repeats = 0
        for (row, label) in zip(rows, table.labels) {
            if let place = places[ExactText(row.path)] {
                guard samples[place].label == label, parts[place] == row.part else {
                    throw DatasetError(
                        .malformed,
                        "\(path), line \(row.line): \(row.path) comes twice, with another label or "
                            + "part; a picture has one of each")
                }
                repeats += 1
                continue
            }
            places[ExactText(row.path)] = samples.count
            samples.append(Sample(name: row.path, label: label, place: samples.count))
            parts.append(row.part)
        }
        guard !samples.isEmpty else {
            throw DatasetError(
                .notRecognised, "\(path): expected rows of path and label, found a header alone")
        }
        return LabelledSamples(
            name: path, classNames: table.classNames, samples: samples, parts: parts,
            source: FileSource(folder: ShardNames.folder(of: path)),
            notes: repeats > 0 ? ["\(repeats) rows repeat earlier ones: left out"] : [])
    }

    private func columns(_ first: [String]) throws(DatasetError) -> Columns {
        let names = first.map { trimmed($0).lowercased() }
        func column(_ candidates: [String]) -> Int? {
            candidates.lazy.compactMap { names.firstIndex(of: $0) }.first
        }
        let pathColumn = column(["file", "path", "filename", "filepath", "image"])
        let index = column(["index"])
        let label = column(["label", "class", "category"])
        if let pathColumn {
            guard index != nil || label != nil else {
                throw DatasetError(
                    .notRecognised,
                    "\(path): expected a column label or index beside \(names[pathColumn]), found "
                        + names.joined(separator: ", "))
            }
            return Columns(
                path: pathColumn, label: label, index: index, part: column(["split", "part"]),
                hasHeader: true)
        }
        guard first.count >= 2, index == nil, label == nil else {
            throw DatasetError(
                .notRecognised,
                "\(path): expected a header with file (or path) and label (or index), or rows of "
                    + "path and label, found \(first.count) fields in the first line: "
                    + names.prefix(8).joined(separator: ", "))
        }
        return Columns(path: 0, label: 1, part: first.count > 2 ? 2 : nil)
    }

    private func row(
        _ fields: [String], _ columns: Columns, line: Int, _ names: inout [Int: String]
    ) throws(DatasetError) -> Row {
        func field(_ column: Int?, _ what: String) throws(DatasetError) -> String {
            guard let column, column < fields.count, !trimmed(fields[column]).isEmpty else {
                throw DatasetError(
                    .malformed,
                    "\(path), line \(line): expected a \(what), found \(fields.count) fields")
            }
            return trimmed(fields[column])
        }
        let file = try file(field(columns.path, "path"), line: line)
        let label = try field(columns.index ?? columns.label, "label")
        if let index = columns.index, let column = columns.label, index != column,
            column < fields.count, let number = LabelTable.number(label), names[number] == nil
        {
            names[number] = trimmed(fields[column])
        }
        var part: DatasetPart?
        if let column = columns.part, column < fields.count {
            let word = trimmed(fields[column])
            part = DatasetPart(word: word)
            guard part != nil || word.isEmpty else {
                throw DatasetError(
                    .malformed,
                    "\(path), line \(line): expected train, val or test as the part, found \"\(word)\""
                )
            }
        }
        return Row(path: file, label: label, part: part, line: line)
    }

    /// A path as samples are named, without `.` and inner `..`.
    private func file(_ text: String, line: Int) throws(DatasetError) -> String {
        // By bytes, as the system reads it: a slash with an accent over it is a slash to the system.
        let bytes = Array(text.utf8)
        let slash = UInt8(ascii: "/")
        let fits =
            bytes.count <= DatasetLimits.nameByteCount && !bytes.contains(0) && bytes.last != slash
        guard fits else {
            throw DatasetError(
                .malformed,
                "\(path), line \(line): expected the path of a file, of at most "
                    + "\(DatasetLimits.nameByteCount) bytes")
        }
        let here = Array(".".utf8)
        let outer = Array("..".utf8)
        var parts: [ArraySlice<UInt8>] = []
        var isInside = bytes.first != slash
        for part in bytes.split(separator: slash) where !part.elementsEqual(here) {
            if part.elementsEqual(outer) {
                if let last = parts.last, !last.elementsEqual(outer) {
                    parts.removeLast()
                    continue
                }
                isInside = false
            }
            parts.append(part)
        }
        guard !parts.isEmpty, isInside || allowsOutsidePaths else {
            throw DatasetError(
                .malformed,
                "\(path), line \(line): expected a path below the list's folder, found \(text); "
                    + "paths outside must be allowed explicitly")
        }
        let start: [UInt8] = bytes.first == slash ? [slash] : []
        return String(decoding: start + Array(parts.joined(separator: [slash])), as: UTF8.self)
    }
}
