import Native

/// One thing to classify, as the user named it.
package struct InputItem: Sendable, Hashable {
    /// Where its bytes come from.
    package enum Source: Sendable, Hashable {
        /// A file.
        case file
        /// An address that begins with `http:` or `https:`.
        case url
        /// The standard input.
        case standardInput
        /// Nowhere: nothing is there, for this reason.
        case missing(String)
    }

    /// How results call it: the path, the address, or `-`.
    package let name: String
    /// Where its bytes come from.
    package let source: Source
}

/// Finds what a command line names: files, folders, patterns, addresses, `-`.
///
/// A folder gives the pictures in it and below, by the ends of their names, in the order of the names'
/// bytes; hidden names and linked folders are left out. A pattern gives the files that fit it; a name that
/// exists is never taken for a pattern. The order of the arguments is kept.
package func expandInputs(_ arguments: [String]) -> [InputItem] {
    arguments.flatMap(expandInput)
}

private func expandInput(_ argument: String) -> [InputItem] {
    func missing(_ reason: String) -> [InputItem] {
        [InputItem(name: argument, source: .missing(reason))]
    }
    if argument == "-" { return [InputItem(name: "-", source: .standardInput)] }
    let scheme = argument.prefix(8).lowercased()
    if scheme.hasPrefix("http://") || scheme.hasPrefix("https://") {
        return [InputItem(name: argument, source: .url)]
    }
    switch FileKind(atPath: argument) {
    case .folder:
        var found: [String] = []
        collect(in: argument, names: [], depth: nil, into: &found) { names in
            names.last.map(hasPictureSuffix) ?? false
        }
        return found.isEmpty
            ? missing("no picture in this folder (looked for \(pictureSuffixes.joined(separator: ", ")))")
            : found.map { InputItem(name: $0, source: .file) }
    case .some: return [InputItem(name: argument, source: .file)]
    case nil where Glob.isPattern(argument):
        let glob = Glob(argument)
        var found: [String] = []
        let root = glob.root.isEmpty ? "." : glob.root
        collect(in: root, names: [], depth: glob.depth, into: &found, where: glob.matches)
        if glob.root.isEmpty { found = found.map { String($0.dropFirst(2)) } }
        return found.isEmpty
            ? missing("no file fits this pattern")
            : found.map { InputItem(name: $0, source: .file) }
    case nil: return missing("no such file or folder")
    }
}

private let pictureSuffixes = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"]

private func hasPictureSuffix(_ name: String) -> Bool {
    let name = name.lowercased()
    return !name.hasPrefix(".") && pictureSuffixes.contains { name.hasSuffix($0) }
}

private func collect(
    in folder: String, names: [String], depth: Int?, into found: inout [String],
    where fits: ([String]) -> Bool
) {
    // A folder that cannot be read holds nothing for this user.
    guard let contents = try? folderContents(atPath: folder) else { return }
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    for (name, kind) in contents {
        let path = prefix + name
        let names = names + [name]
        switch kind {
        case .folder:
            guard !name.hasPrefix("."), depth.map({ names.count < $0 }) ?? true else { continue }
            collect(in: path, names: names, depth: depth, into: &found, where: fits)
        case .regular where fits(names):
            found.append(path)
        case .link where FileKind(atPath: path) == .regular && fits(names):
            found.append(path)
        default: continue
        }
    }
}
