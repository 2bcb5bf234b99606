import Native

/// Finds the files that a set of shards consists of.
enum ShardNames {
    /// A text with braces as the texts it stands for: `shard-{000..009}.tar`, `{train,val}-{0..3}.tar`.
    ///
    /// Source: Bash's brace expansion of numbers and lists, as WebDataset users write it; leading zeros are kept.
    ///
    /// - Throws: `DatasetError` with code `.invalidOption` or `.limitExceeded`.
    static func expand(_ pattern: String) throws(DatasetError) -> [String] {
        guard let open = pattern.firstIndex(of: "{") else { return [pattern] }
        guard let close = pattern[open...].firstIndex(of: "}") else {
            throw DatasetError(.invalidOption, "\(pattern): the brace is not closed")
        }
        let inner = String(pattern[pattern.index(after: open)..<close])
        let prefix = pattern[..<open]
        var expanded: [String] = []
        let choices = try choices(inner, pattern)
        for rest in try expand(String(pattern[pattern.index(after: close)...])) {
            for choice in choices { expanded.append(prefix + choice + rest) }
            try DatasetLimits.check(
                expanded.count, DatasetLimits.placeCount, "shards", in: pattern)
        }
        // The first brace varies slowest, as in Bash.
        return expanded.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func choices(
        _ inner: String, _ pattern: String
    ) throws(DatasetError) -> [String] {
        if let dots = inner.firstRange(of: "..") {
            let (first, last) = (inner[..<dots.lowerBound], inner[dots.upperBound...])
            guard let low = LabelTable.number(String(first)),
                let high = LabelTable.number(String(last)), low <= high
            else {
                throw DatasetError(
                    .invalidOption,
                    "\(pattern): expected two numbers as in {000..009}, found {\(inner)}")
            }
            try DatasetLimits.check(high - low, DatasetLimits.placeCount, "shards", in: pattern)
            let width =
                first.hasPrefix("0") || last.hasPrefix("0") ? max(first.count, last.count) : 0
            return (low...high).map { number in
                let digits = String(number)
                return String(repeating: "0", count: max(0, width - digits.count)) + digits
            }
        }
        return inner.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    }

    /// Class names in a file beside shards, one a line; empty where there is no such file.
    ///
    /// - Throws: `DatasetError` with code `.unreadable`, `.malformed` or `.limitExceeded`.
    static func classNames(in folder: String) throws(DatasetError) -> [String] {
        for name in ["classnames.txt", "classes.txt", "labels.txt"] {
            let path = joined(folder, name)
            guard FileKind(atPath: path) == .regular else { continue }
            let bytes = try readFile(path, limit: DatasetLimits.textByteCount)
            guard let text = bytes.bytes.text(0..<bytes.byteCount) else {
                throw DatasetError(.malformed, "\(path): expected UTF-8, found other bytes")
            }
            var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
                .map { trimmed($0) }
            while lines.last == "" { lines.removeLast() }
            try DatasetLimits.check(lines.count, DatasetLimits.classCount, "class names", in: path)
            return lines
        }
        return []
    }

    /// Shards, mapped, with the names by which samples call them, and what a file beside them calls the classes.
    ///
    /// - Throws: `DatasetError` with code `.notFound`, `.unreadable`, `.malformed` or `.limitExceeded`.
    static func mapped(
        _ paths: [String]
    ) throws(DatasetError) -> (shards: [(name: String, memory: Memory)], classNames: [String]) {
        let (root, names) = shortened(paths)
        var shards: [(name: String, memory: Memory)] = []
        for (path, name) in zip(paths, names) { shards.append((name, try mapFile(path))) }
        return (shards, try classNames(in: root))
    }

    /// The folder of a path.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Paths without the folders that they have in common, and what that is.
    static func shortened(_ paths: [String]) -> (root: String, names: [String]) {
        let folders = Set(paths.map { folder(of: $0) })
        guard var root = folders.first else { return ("", []) }
        while root != ".", root != "/",
            folders.contains(where: { $0 != root && !$0.hasPrefix(root + "/") })
        {
            root = folder(of: root)
        }
        let names = paths.map { path in
            path.hasPrefix(root + "/") ? String(path.dropFirst(root.count + 1)) : path
        }
        return (root, names)
    }
}
