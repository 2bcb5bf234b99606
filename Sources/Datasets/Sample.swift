public import Images
public import Native

/// One labelled picture of a data set, by reference: its pixels are read when they are asked for.
public struct Sample: Sendable, Hashable {
    /// What reports call it, unique in its data set: the path below the data set's folder, or `shard.tar/member`.
    public let name: String
    /// Its class, from 0.
    public let label: Int
    /// What its source finds it by; the source alone knows what it means.
    package let place: Int

    /// Makes a sample.
    package init(name: String, label: Int, place: Int) {
        self.name = name
        self.label = label
        self.place = place
    }
}

/// A sample's picture, as its source has it.
public enum SampleContent: Sendable {
    /// The bytes of a JPEG, PNG or WebP file.
    case encoded(Memory)
    /// Pixels, from sources that draw or store them.
    case pixels(Image)
}

/// Where the pictures of a data set come from: folders, lists, shards, records, or a drawing program.
public protocol SampleSource: Sendable {
    /// Reads a sample's picture; several threads may ask at a time.
    ///
    /// - Parameter sample: one of the data set's.
    /// - Throws: `DatasetError` with code `.notFound`, `.unreadable` or `.badSample`, or `.resourceExhausted` where another
    ///   try may succeed.
    func content(of sample: Sample) throws(DatasetError) -> SampleContent

    /// Reads a sample's picture unless it is too large; several threads may ask at a time.
    ///
    /// A source whose bytes lie in memory anyhow may give more than asked for: decoders look again.
    ///
    /// - Parameters:
    ///   - sample: one of the data set's.
    ///   - maximumByteCount: bytes of an encoded picture, above which no memory is taken for it.
    /// - Throws: as `content(of:)`, and `DatasetError` with code `.limitExceeded`.
    func content(of sample: Sample, maximumByteCount: Int) throws(DatasetError) -> SampleContent

    /// Gives a sample's picture to somebody who looks at few of its bytes; those not looked at need not be read.
    ///
    /// The bytes are not verified, and must not be changed by others while they are looked at.
    ///
    /// - Throws: as `content(of:)`.
    func lazyContent(of sample: Sample) throws(DatasetError) -> SampleContent

    /// The bytes of a sample's encoded picture, without reading it; `nil` where it has none, or nobody knows.
    func byteCount(of sample: Sample) -> Int?
}

extension SampleSource {
    /// The same as `content(of:)`, for sources that take no memory of their own for a picture's bytes.
    public func content(
        of sample: Sample, maximumByteCount: Int
    ) throws(DatasetError) -> SampleContent {
        try content(of: sample)
    }

    /// The same as `content(of:)`.
    public func lazyContent(of sample: Sample) throws(DatasetError) -> SampleContent {
        try content(of: sample)
    }

    /// Unknown.
    public func byteCount(of sample: Sample) -> Int? { nil }
}

extension DatasetError {
    /// The error of a sample or a file that the system does not give.
    ///
    /// - Parameters:
    ///   - name: how messages call it.
    ///   - path: where it is, if that is another text.
    ///   - error: what the system says.
    init(reading name: String, at path: String? = nil, _ error: NativeError) {
        let prefix = "\(path ?? name): "
        let reason =
            error.message.hasPrefix(prefix)
            ? String(error.message.dropFirst(prefix.count)) : error.message
        let message = "\(name): \(reason)"
        switch error.code {
        case .notFound: self.init(.notFound, message)
        case .limitExceeded: self.init(.limitExceeded, message)
        case .resourceExhausted: self.init(.resourceExhausted, message)
        default: self.init(.unreadable, message)
        }
    }
}

extension DatasetError {
    /// The error of a sample whose picture cannot be made.
    init(_ error: ImageError) {
        self.init(
            error.code == .resourceExhausted ? .resourceExhausted : .badSample, error.message)
    }
}
