/// What a data set may have at most; checked before memory is taken for it.
enum DatasetLimits {
    /// Samples in all parts together.
    static let sampleCount = 100_000_000
    /// Classes, and one more than the largest label.
    static let classCount = 1_000_000
    /// Bytes of a sample's name, and of a path in a list or an archive.
    static let nameByteCount = 4096
    /// Folders within each other, below the data set's own.
    static let folderDepth = 32
    /// Folders, shards or other places in which samples are looked for.
    static let placeCount = 1_000_000
    /// Bytes of a list of samples.
    static let listByteCount = 4 << 30
    /// Bytes of a text beside the data: a list of class names, a label in an archive.
    static let textByteCount = 64 << 20

    /// Refuses a number that is too large.
    ///
    /// - Throws: `DatasetError` with code `.limitExceeded`.
    static func check(
        _ count: Int, _ limit: Int, _ what: String, in name: String
    ) throws(DatasetError) {
        guard count <= limit else {
            throw DatasetError(
                .limitExceeded, "\(name): expected at most \(limit) \(what), found \(count) or more"
            )
        }
    }
}
