import Native

/// The form of PyTorch's files since 1.6: a zip archive of a pickle and one entry per storage.
extension PyTorchPickle {
    private static let maximumPickleByteCount = 16 << 20
    private static let maximumMetadataByteCount = 4 << 20

    init(zip memory: Memory, name file: String) throws(ModelFormatError) {
        let archive = try ZipArchive(memory, name: file)
        let pickles = archive.entries.filter { entry in
            let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2 && parts[1] == "data.pkl"
        }
        guard let pickle = pickles.first, pickles.count == 1 else {
            let names = archive.entries.prefix(3).map(\.name).joined(separator: ", ")
            throw ModelFormatError(
                pickles.isEmpty ? .missingEntry : .unsafeArchive,
                "\(file): expected a zip file with one data.pkl, as torch.save writes it, found "
                    + "\(pickles.count) among \(archive.entries.count) entries (\(names)); if it packs a "
                    + "file of weights, unpack it first")
        }
        let folder = String(pickle.name.dropLast("/data.pkl".count))
        // A program's code is never looked at: its modules hold the tensors by name.
        let isScript = archive.entry("\(folder)/constants.pkl") != nil
        if let order = archive.entry("\(folder)/byteorder") {
            let bytes = try archive.read(order)
            guard bytes.bytes.holds("little", at: 0) else {
                throw ModelFormatError(
                    .unsupported, "\(file): written on a big-endian machine; only little is read")
            }
        }
        guard pickle.byteCount <= Self.maximumPickleByteCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): \(pickle.name): expected at most \(Self.maximumPickleByteCount) bytes, "
                    + "found \(pickle.byteCount)")
        }
        let source = try archive.read(pickle)
        var machine = PickleMachine(file: file, at: 0, readsScript: isScript)
        let value = try machine.run(source.bytes)
        let root =
            isScript ? try machine.parameters(ofModule: value) : value
        let metadata = try Self.metadata(of: archive, folder: folder, file: file)
        self.init(
            container: isScript ? .torchScript : .pytorchZip, root: root, heap: machine.heap,
            storages: .archive(archive, folder: folder), file: file,
            metadata: metadata.texts, notes: metadata.notes)
    }

    /// The texts beside the pickle, and a note where something else is there.
    ///
    /// Anybody may give an extra file this name, so that what it holds is no reason to refuse the weights.
    private static func metadata(
        of archive: ZipArchive, folder: String, file: String
    ) throws(ModelFormatError) -> (texts: [String: String], notes: [String]) {
        let name = "extra/metadata.json"
        guard let entry = archive.entry("\(folder)/\(name)") else { return ([:], []) }
        guard entry.byteCount <= maximumMetadataByteCount else {
            return ([:], ["\(name) is too long to be read: \(entry.byteCount) bytes"])
        }
        let memory = try archive.read(entry)
        guard let texts = try? JSONScanner.texts(memory, name: "\(file): \(name)") else {
            return ([:], ["\(name) is no JSON object and was passed over"])
        }
        return (texts, [])
    }
}
