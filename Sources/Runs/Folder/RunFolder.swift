import Native

/// The folder of a run, and what its files are called.
public struct RunFolder: Sendable, Hashable {
    /// Where it is.
    public let path: String

    /// Names a folder; nothing is made.
    public init(_ path: String) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The run's settings.
    public var config: String { "\(path)/config.yaml" }
    /// What was measured, one JSON object a line.
    public var metrics: String { "\(path)/metrics.jsonl" }
    /// The same as a table.
    public var table: String { "\(path)/metrics.csv" }
    /// The newest state of training.
    public var last: String { "\(path)/last.safetensors" }
    /// The state before that.
    public var previous: String { "\(path)/previous.safetensors" }
    /// The weights that did best on the validation pictures.
    public var best: String { "\(path)/best.safetensors" }
    /// The names of the classes, one a line.
    public var labels: String { "\(path)/labels.txt" }
    /// The pictures that could not be read, one JSON object a line.
    public var skipped: String { "\(path)/skipped.jsonl" }
    /// How well `best` does.
    public var evaluation: String { "\(path)/evaluation.json" }
    /// A sheet of training pictures as the network gets them.
    public var augmented: String { "\(path)/augmented.png" }
    /// The page about the run.
    public var report: String { "\(path)/report.html" }

    /// Whether there is a run in it.
    public var holdsRun: Bool { FileSystem.byteCount(of: config) != nil }

    /// Removes the files of a run, and nothing else.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func removeRun() throws(RunError) {
        let files = [
            metrics, table, last, previous, best, labels, skipped, evaluation, augmented, report,
        ]
        try removeAll { name in
            files.contains("\(path)/\(name)") || name.hasPrefix("events.out.tfevents.")
        }
        if FileKind(atPath: worst) == .folder { try writeWorst([]) }
        // At the end, since without it there is no run.
        try removeAll { $0 == "config.yaml" }
    }

    /// Removes what a killed process had not finished writing.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func removeUnfinished() throws(RunError) {
        try removeAll { $0.hasPrefix(".") && $0.hasSuffix(".part") }
    }

    private func removeAll(_ isWanted: (String) -> Bool) throws(RunError) {
        do {
            for (name, kind) in try folderContents(atPath: path)
            where kind == .regular && isWanted(name) {
                try FileSystem.removeFile("\(path)/\(name)")
            }
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
    }

    /// Makes the folder and keeps other processes out while the result lives.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func lock() throws(RunError) -> FileLock {
        do {
            try FileSystem.makeFolder(path)
            let impatience = Cancellation()
            return try FileLock(
                "\(path)/.lock", cancellation: impatience, onWait: { impatience.cancel() })
        } catch {
            if error.code == .cancelled {
                throw RunError(
                    .cannotWrite,
                    "\(path): another process trains here; wait for it, or choose another folder")
            }
            throw RunError(.cannotWrite, error.message)
        }
    }

    /// Writes a small file that is never seen half-written.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func write(_ text: String, to file: String) throws(RunError) {
        try write(Memory(copying: Array(text.utf8)), to: file)
    }

    /// Writes a small file that is never seen half-written.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func write(_ bytes: Memory, to file: String) throws(RunError) {
        do {
            try writeFile(bytes, toPath: file)
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
    }
}
