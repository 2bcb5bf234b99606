public import FoundationEssentials
public import Native

/// The folder that downloaded weights are kept in.
///
/// A file has its final name only once it is complete and verified; until then it is `NAME.partial`.
/// Several processes may use one folder at the same time.
public struct WeightCache: Sendable {
    /// What is in the cache of one file.
    public struct Entry: Sendable, Hashable {
        /// How much of it is there.
        public enum State: Sendable, Hashable {
            /// Nothing.
            case absent
            /// An interrupted download, with so many bytes.
            case partial(byteCount: Int)
            /// The whole file, as far as its length tells.
            case present(byteCount: Int)
            /// A file of the wrong length.
            case wrongLength(byteCount: Int)
        }

        /// The weights.
        public let weights: PretrainedWeights
        /// Where the file is, or would be.
        public let path: String
        /// How much of it is there.
        public let state: State
    }

    /// Where files are kept.
    public let folder: String
    /// The folder URL that stands for all publishers, where one is set.
    public let mirror: WebAddress?
    /// Whether the network may not be used.
    public let isOffline: Bool
    /// The weights that names stand for.
    package var catalogue = PretrainedWeights.catalogue
    /// How often a transfer that broke off after some progress is taken up again by itself.
    package var resumptionCount = 4

    /// Finds the folder and the mirror.
    ///
    /// - Parameters:
    ///   - folder: where to keep files; without it `RESNET_CACHE`, else `swift-resnet` in `XDG_CACHE_HOME`,
    ///     else `.cache/swift-resnet` in the home folder.
    ///   - mirror: the URL of a folder that holds the same file names; without it `RESNET_WEIGHTS_MIRROR`,
    ///     else the publishers are asked.
    ///   - isOffline: forbids to use the network.
    ///   - environment: the variables.
    /// - Throws: `PretrainedError` with code `.inputOutput` where there is no folder to use, or
    ///   `.refusedURL` where the mirror is no URL.
    public init(
        folder: String? = nil, mirror: String? = nil, isOffline: Bool = false,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(PretrainedError) {
        if let folder { self.folder = folder } else { self.folder = try Self.folder(environment) }
        let mirrorText = mirror ?? environment["RESNET_WEIGHTS_MIRROR"] ?? ""
        do throws(NativeError) {
            self.mirror = mirrorText.isEmpty ? nil : try WebAddress(mirrorText)
        } catch {
            throw PretrainedError(error, advice: "set the mirror to the URL of a folder")
        }
        self.isOffline = isOffline
    }

    private static func folder(_ environment: [String: String]) throws(PretrainedError) -> String {
        if let folder = cacheFolder(environment) { return folder }
        throw PretrainedError(
            .inputOutput, "cache folder: neither RESNET_CACHE nor HOME is set; set RESNET_CACHE")
    }

    /// What the cache holds, for all weights in the order of the catalogue.
    public func list() -> [Entry] { catalogue.map(entry) }

    /// Where the file of these weights is.
    ///
    /// Only its length is looked at; it was verified when it was downloaded, and `verify` does it again.
    ///
    /// - Throws: `PretrainedError` with code `.unknownName`, `.offline` where the file is not there, or
    ///   `.verification` where it has the wrong length.
    public func path(of name: String) throws(PretrainedError) -> String {
        let entry = entry(try weights(named: name))
        switch entry.state {
        case .present: return entry.path
        case .wrongLength(let byteCount):
            throw PretrainedError(
                .verification,
                "\(entry.path): expected \(entry.weights.byteCount ?? 0) bytes, found \(byteCount); "
                    + "remove the file or run `resnet weights download \(name)`")
        case .absent, .partial:
            throw PretrainedError(.offline, absence(of: entry))
        }
    }

    /// Reads the file of these weights and compares its hash with the published one.
    ///
    /// - Throws: `PretrainedError` with code `.unknownName`, `.offline`, `.verification`, `.inputOutput` or
    ///   `.cancelled`.
    public func verify(_ name: String) async throws(PretrainedError) {
        let weights = try weights(named: name)
        let path = try path(of: name)
        try await onOwnThread { cancellation throws(PretrainedError) in
            guard let found = try mismatch(of: path, weights, cancellation) else { return }
            throw PretrainedError(
                .verification,
                "\(path): expected SHA-256 \(weights.checksum.text), found \(found); remove the file "
                    + "and run `resnet weights download \(name)`")
        }
    }

    /// Makes sure that the file of these weights is in the cache, complete and verified.
    ///
    /// An interrupted download goes on where it stopped if the server still has the same file. Where another
    /// process downloads the same file, this waits for it.
    ///
    /// - Parameters:
    ///   - name: which weights.
    ///   - progress: called about ten times a second, from another thread.
    /// - Returns: where the file is.
    /// - Throws: `PretrainedError` with code `.unknownName`, `.offline`, `.network`, `.verification`,
    ///   `.inputOutput`, `.refusedURL`, `.tooLarge` or `.cancelled`.
    @discardableResult
    public func download(
        _ name: String, progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) async throws(PretrainedError) -> String {
        let weights = try weights(named: name)
        let entry = entry(weights)
        if isOffline {
            guard case .present = entry.state else {
                throw PretrainedError(.offline, absence(of: entry))
            }
            try await verify(name)
            return entry.path
        }
        let url = mirror.map { "\($0.text)\($0.text.hasSuffix("/") ? "" : "/")\(weights.fileName)" }
        let job = DownloadJob(
            weights: weights, url: url ?? weights.url, folder: folder, path: entry.path,
            resumptionCount: resumptionCount, progress: progress)
        try await onOwnThread { cancellation throws(PretrainedError) in
            try job.run(cancellation)
        }
        return entry.path
    }

    private func weights(named name: String) throws(PretrainedError) -> PretrainedWeights {
        if let found = catalogue.first(where: { $0.name == name }) { return found }
        return try PretrainedWeights.named(name)
    }

    private func entry(_ weights: PretrainedWeights) -> Entry {
        let path = "\(folder)/\(weights.fileName)"
        let state: Entry.State
        if let byteCount = FileSystem.byteCount(of: path) {
            let isRight = weights.byteCount.map { $0 == byteCount } ?? (byteCount > 0)
            state = isRight ? .present(byteCount: byteCount) : .wrongLength(byteCount: byteCount)
        } else if let byteCount = FileSystem.byteCount(of: path + DownloadJob.partialSuffix),
            byteCount > 0
        {
            state = .partial(byteCount: byteCount)
        } else {
            state = .absent
        }
        return Entry(weights: weights, path: path, state: state)
    }

    private func absence(of entry: Entry) -> String {
        "\(entry.weights.name): not in the cache; download it with `resnet weights download "
            + "\(entry.weights.name)`, or get \(entry.weights.url) by other means and put it at "
            + entry.path
    }
}

/// The hash of a file where it is not the published one; `nil` where all is well.
func mismatch(
    of path: String, _ weights: PretrainedWeights, _ cancellation: Cancellation
) throws(PretrainedError) -> String? {
    do throws(NativeError) {
        let found = try SHA256.ofFile(at: path, cancellation: cancellation)
        return weights.checksum.accepts(sha256: found) ? nil : found
    } catch {
        throw PretrainedError(error)
    }
}

extension PretrainedWeights.Checksum {
    /// The published digits, for messages.
    var text: String {
        switch self {
        case .sha256(let digits): digits
        case .sha256Prefix(let digits): "\(digits)..."
        case .unpublished: "unpublished"
        }
    }
}
