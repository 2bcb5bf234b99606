/// One published file of weights: where it is, how to tell that it is the right one, and what it can do.
public struct PretrainedWeights: Sendable, Hashable {
    /// What the publisher says of the file's bytes.
    public enum Checksum: Sendable, Hashable {
        /// All 64 hexadecimal digits of the SHA-256.
        case sha256(String)
        /// Its first digits, as the file's name carries them.
        case sha256Prefix(String)
        /// Nothing; the connection's encryption is all there is.
        case unpublished

        /// Whether a file with this SHA-256 may be the published one.
        public func accepts(sha256: String) -> Bool {
            switch self {
            case .sha256(let whole): whole == sha256
            case .sha256Prefix(let prefix): sha256.hasPrefix(prefix)
            case .unpublished: true
            }
        }
    }

    /// How pictures were prepared when the accuracy was measured.
    public struct Evaluation: Sendable, Hashable {
        /// The short side after resizing, in pixels.
        public let resize: Int
        /// The side of the centre crop, in pixels.
        public let crop: Int
        /// `bilinear` or `bicubic`, antialiased.
        public let interpolation: String

        /// Makes a description.
        public init(resize: Int, crop: Int, interpolation: String = "bilinear") {
            self.resize = resize
            self.crop = crop
            self.interpolation = interpolation
        }
    }

    /// The name, in timm's form: architecture, dot, tag.
    public let name: String
    /// 18, 34, 50, 101 or 152.
    public let depth: Int
    /// Where a down-sampling bottleneck has its stride; all of these have it on the 3x3 convolution.
    public let variant: String
    /// Who published the file.
    public let publisher: String
    /// Where the file is.
    public let url: String
    /// The exact length in bytes, where it is known.
    public let byteCount: Int?
    /// About the length in bytes, for display and for limits.
    public let approximateByteCount: Int
    /// What tells the right file from others.
    public let checksum: Checksum
    /// The licence as an SPDX identifier, where the publisher states one for the weights.
    public let licence: String?
    /// The published share of ImageNet validation pictures named right, in percent.
    public let publishedTop1: Double?
    /// The same with five guesses, in percent.
    public let publishedTop5: Double?
    /// How the pictures were prepared for that.
    public let evaluation: Evaluation

    /// Describes a file; the catalogue is made of these, and so are tests' own.
    package init(
        name: String, depth: Int, publisher: String, url: String, byteCount: Int?,
        approximateByteCount: Int, checksum: Checksum, licence: String?, publishedTop1: Double?,
        publishedTop5: Double?, evaluation: Evaluation
    ) {
        self.name = name
        self.depth = depth
        variant = "v1.5"
        self.publisher = publisher
        self.url = url
        self.byteCount = byteCount
        self.approximateByteCount = approximateByteCount
        self.checksum = checksum
        self.licence = licence
        self.publishedTop1 = publishedTop1
        self.publishedTop5 = publishedTop5
        self.evaluation = evaluation
    }

    /// The file's name, in the cache and on a mirror: the last part of the URL.
    public var fileName: String { url.split(separator: "/").last.map(String.init) ?? name }

    /// Finds weights by name.
    ///
    /// - Throws: `PretrainedError` with code `.unknownName`, naming what may have been meant.
    public static func named(_ name: String) throws(PretrainedError) -> PretrainedWeights {
        if let found = catalogue.first(where: { $0.name == name }) { return found }
        let candidates = suggestions(for: name, among: catalogue.map(\.name))
        let hint =
            candidates.isEmpty
            ? "`resnet weights list` shows all"
            : "did you mean \(candidates.joined(separator: ", "))?"
        throw PretrainedError(.unknownName, "\(name): no pretrained weights of this name; \(hint)")
    }
}
