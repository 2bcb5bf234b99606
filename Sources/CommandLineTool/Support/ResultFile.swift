import Native

/// Writes a result's file, which is never seen half-written.
///
/// - Throws: `CommandError` with status `.cannotCreate` where its folder does not exist, else `.inputOutput`.
func writeResult(_ bytes: Memory, to path: String) throws(CommandError) {
    do {
        try writeFile(bytes, toPath: path)
    } catch {
        throw CommandError.output(path, error)
    }
}

/// Writes a result's file, which is never seen half-written.
///
/// - Throws: as for bytes.
func writeResult(_ text: String, to path: String) throws(CommandError) {
    try writeResult(Memory(copying: Array(text.utf8)), to: path)
}

/// Looks whether a result can be made at a path, before the work for it begins.
///
/// - Parameters:
///   - path: the file or folder that is asked for.
///   - files: the files that come to be there, or the folder.
///   - input: the model that is read.
/// - Throws: `CommandError` with status `.cannotCreate` where the folder around it does not exist, or where a file would
///   take the place of one that is read.
func checkResult(
    _ path: String, _ files: [String], madeOf input: String
) throws(CommandError) {
    try checkFolder(ofResult: path)
    // A folder of TensorFlow's, or what the names of a checkpoint's files begin with, stands for its files.
    var read = [input, input + ".index", input + ".data-00000-of-00001"]
    for folder in [input, input + "/variables"] {
        let contents = (try? folderContents(atPath: folder)) ?? []
        read += contents.map { "\(folder)/\($0.name)" }
    }
    let identities = Set(read.compactMap { FileIdentity(atPath: $0) })
    for file in files {
        if let identity = FileIdentity(atPath: file), identities.contains(identity),
            FileKind(atPath: file) == .regular
        {
            throw CommandError(.cannotCreate, "\(file): is the file that is read; name another")
        }
    }
}

/// Looks whether there is a folder for a result.
///
/// - Throws: `CommandError` with status `.cannotCreate`.
func checkFolder(ofResult path: String) throws(CommandError) {
    let trimmed = String(path.reversed().drop { $0 == "/" }.reversed())
    let folder = trimmed.lastIndex(of: "/").map { String(trimmed[...$0]) } ?? "."
    guard FileKind(atPath: folder) == .folder else {
        throw CommandError(
            .cannotCreate, "\(path): cannot be created; is there a folder \(folder)?")
    }
}
