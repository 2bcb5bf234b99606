import Native

/// Pictures that are files of their own.
struct FileSource: SampleSource {
    /// The folder below which the samples' names are paths.
    let folder: String

    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        try content(of: sample, maximumByteCount: .max)
    }

    func content(
        of sample: Sample, maximumByteCount: Int
    ) throws(DatasetError) -> SampleContent {
        let path = path(of: sample)
        do {
            return .encoded(try Memory(reading: path, limit: maximumByteCount))
        } catch {
            throw DatasetError(reading: sample.name, at: path, error)
        }
    }

    func lazyContent(of sample: Sample) throws(DatasetError) -> SampleContent {
        let path = path(of: sample)
        do {
            return .encoded(try Memory(mapping: path))
        } catch {
            throw DatasetError(reading: sample.name, at: path, error)
        }
    }

    func byteCount(of sample: Sample) -> Int? { FileSystem.byteCount(of: path(of: sample)) }

    /// Where a sample's picture lies.
    func path(of sample: Sample) -> String {
        sample.name.hasPrefix("/") ? sample.name : joined(folder, sample.name)
    }
}

/// A name in a folder.
func joined(_ folder: String, _ name: some StringProtocol) -> String {
    folder.isEmpty ? String(name) : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
}

/// The bytes of a file that is small beside the data, copied.
///
/// - Throws: `DatasetError` with code `.notFound`, `.unreadable` or `.limitExceeded`.
func readFile(_ path: String, limit: Int) throws(DatasetError) -> Memory {
    do {
        return try Memory(reading: path, limit: limit)
    } catch {
        throw DatasetError(reading: path, error)
    }
}

/// The bytes of a shard or a record file, of which parts are read when they are needed.
///
/// - Throws: `DatasetError` with code `.notFound` or `.unreadable`.
func mapFile(_ path: String) throws(DatasetError) -> Memory {
    do {
        return try Memory(mapping: path)
    } catch {
        throw DatasetError(reading: path, error)
    }
}
