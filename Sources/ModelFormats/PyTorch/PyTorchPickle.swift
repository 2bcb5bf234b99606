import Native
import Tensors

/// What a PyTorch file holds, before one dictionary of weights is chosen.
struct PyTorchPickle {
    /// Where the elements of storages are.
    enum Storages {
        /// One entry each, in a folder of an archive.
        case archive(ZipArchive, folder: String)
        /// Parts of the file, by key.
        case memory([String: Memory])
    }

    let container: WeightFile.Container
    let root: PickleValue
    let heap: PickleHeap
    let storages: Storages
    let file: String
    /// Texts by name that `PyTorchFile` puts beside the pickle.
    var metadata: [String: String] = [:]
    /// What a person may want to know of those.
    var notes: [String] = []

    /// A storage's bytes, checked: as many as its elements take.
    ///
    /// - Throws: `ModelFormatError` with code `.missingEntry`, `.sizeMismatch`, or what an archive gives.
    func bytes(of storage: PickleStorage) throws(ModelFormatError) -> Memory {
        let found: Memory?
        switch storages {
        case .archive(let archive, let folder):
            if let entry = archive.entry("\(folder)/data/\(storage.key)") {
                try check(byteCount: entry.byteCount, of: storage)
                found = try archive.read(entry)
            } else {
                found = nil
            }
        case .memory(let parts): found = parts[storage.key]
        }
        guard let found else {
            throw ModelFormatError(
                .missingEntry, "\(file): storage \(storage.key.debugDescription) is not in the file"
            )
        }
        try check(byteCount: found.byteCount, of: storage)
        return found
    }

    /// A rest too short for an element is accepted: one storage may serve several element types.
    private func check(byteCount: Int, of storage: PickleStorage) throws(ModelFormatError) {
        let width = storage.elementType.elementType.byteCount
        let (needed, overflow) = storage.count.multipliedReportingOverflow(by: width)
        guard !overflow, byteCount >= needed, byteCount - needed < width else {
            throw ModelFormatError(
                .sizeMismatch,
                "\(file): storage \(storage.key.debugDescription): expected \(storage.count) elements "
                    + "of \(width) bytes, found \(byteCount) bytes")
        }
    }
}
