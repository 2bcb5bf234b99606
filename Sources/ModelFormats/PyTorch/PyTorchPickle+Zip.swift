import Native

/// The form of PyTorch's files since 1.6: a zip archive of a pickle and one entry per storage.
extension PyTorchPickle {
    private static let maximumPickleByteCount = 16 << 20

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
        guard archive.entry("\(folder)/constants.pkl") == nil else {
            throw ModelFormatError(
                .unsupported,
                "\(file): a TorchScript program; save the state_dict of the model instead")
        }
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
        var machine = PickleMachine(file: file, at: 0)
        let root = try machine.run(source.bytes)
        self.init(
            container: .pytorchZip, root: root, heap: machine.heap,
            storages: .archive(archive, folder: folder), file: file)
    }
}
