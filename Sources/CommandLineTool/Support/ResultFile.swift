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
