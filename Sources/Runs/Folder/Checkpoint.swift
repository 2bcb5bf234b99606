import ModelFormats
import Native
package import Tensors

/// The state of training in a file: `last.safetensors` and `previous.safetensors`.
package struct Checkpoint: Sendable {
    /// Weights, statistics, velocities, averages, loss scale, by name.
    package var tensors: [String: HostTensor]
    /// How far training had come.
    package var progress: RunProgress
    /// What the file says of the model: architecture, class names, preprocessing, recipe.
    package var description: [String: String]

    init(
        tensors: [String: HostTensor], progress: RunProgress, description: [String: String]
    ) {
        self.tensors = tensors
        self.progress = progress
        self.description = description
    }

    /// Writes a file; the old one becomes `previous` once the new one is on the disk.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`; the old files are then as they were.
    func write(to path: String, keepingOldAs previous: String?) throws(RunError) {
        var metadata = description
        let json = try progress.json()
        metadata["progress"] = json
        metadata["step"] = String(progress.step)
        let named = tensors.sorted { $0.key < $1.key }.map {
            NamedTensor(name: $0.key, tensor: $0.value)
        }
        do {
            metadata["digest"] = try Self.digest(named, progress: json)
        } catch {
            throw RunError(.cannotWrite, "\(path): \(error.message)")
        }
        do {
            try Safetensors.write(
                tensors: named, metadata: metadata, to: path, keepingOldAs: previous)
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
    }

    /// Reads a file and compares its bytes with the digest in it.
    ///
    /// - Throws: `RunError` with code `.badCheckpoint`.
    package init(contentsOf path: String) throws(RunError) {
        let contents: Safetensors.Contents
        do {
            contents = try Safetensors.read(try Memory(mapping: path), name: path)
        } catch {
            throw RunError(.badCheckpoint, "\(error)")
        }
        guard let text = contents.metadata["progress"], let progress = RunProgress(json: text),
            progress.step >= 0, let expected = contents.metadata["digest"]
        else {
            throw RunError(
                .badCheckpoint, "\(path): expected the state of a training run, found other tensors"
            )
        }
        let named = contents.tensors.sorted { $0.name < $1.name }
        guard let found = try? Self.digest(named, progress: text), found == expected else {
            throw RunError(
                .badCheckpoint, "\(path): the bytes do not have the digest that the file states")
        }
        tensors = Dictionary(named.map { ($0.name, $0.tensor) }) { first, _ in first }
        self.progress = progress
        description = contents.metadata
    }

    /// SHA-256 over progress, names, types, shapes and bytes.
    private static func digest(
        _ tensors: [NamedTensor], progress: String
    ) throws(NativeError) -> String {
        var hash = try SHA256()
        try hash.update(Array(progress.utf8).span)
        for (name, tensor) in tensors.map({ ($0.name, $0.tensor) }) {
            let line = "\n\(name) \(tensor.elementType.rawValue) \(tensor.shape)\n"
            try hash.update(Array(line.utf8).span)
            try hash.update(tensor.memory.bytes)
        }
        return try hash.finish()
    }
}

extension RunFolder {
    /// The newest state that can be read, and the name of its file; `nil` where there is none.
    ///
    /// Files stay as they are, also one that cannot be read: another time it may be. Where the state is that of
    /// `previous`, the next one has to be written in the place of `last` without keeping that: see `isLast`.
    ///
    /// - Throws: `RunError` with code `.badCheckpoint` where files are there and none can be read.
    func newestCheckpoint() throws(RunError) -> (checkpoint: Checkpoint, isLast: Bool)? {
        var failure: RunError?
        for path in [last, previous] where FileSystem.byteCount(of: path) != nil {
            do {
                return (try Checkpoint(contentsOf: path), path == last)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return nil
    }
}
