import Native

/// A file that is being downloaded, and what is known about the version that its bytes are of.
final class PartialFile: HTTPReceiver {
    private static let maximumValidatorByteCount = 1024

    private let weights: PretrainedWeights
    private let validatorPath: String
    private let progress: @Sendable (DownloadProgress) -> Void
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var file: WritableFile
    private var rate: TransferRate
    private var lastReport: ContinuousClock.Instant
    private var totalByteCount: Int?
    /// How the server calls the version that the bytes are of; `nil` where it did not say.
    private var validator: String?
    /// The byte that the transfer begins with.
    private(set) var offset: Int
    /// The bytes from before that are kept.
    private(set) var resumedByteCount = 0
    /// The bytes that came in now.
    private(set) var receivedByteCount = 0
    /// An error that is more than one of the transfer.
    private(set) var failure: PretrainedError?

    init(
        weights: PretrainedWeights, path: String, validatorPath: String,
        progress: @escaping @Sendable (DownloadProgress) -> Void
    ) throws(NativeError) {
        self.weights = weights
        self.validatorPath = validatorPath
        self.progress = progress
        file = try WritableFile(appendingTo: path)
        offset = file.byteCount
        totalByteCount = weights.byteCount
        start = clock.now
        lastReport = start
        rate = TransferRate(byteCount: 0, time: .zero)
        validator = try FileSystem.byteCount(of: validatorPath)
            .flatMap { (count) throws(NativeError) in
                count <= Self.maximumValidatorByteCount
                    ? try FileSystem.text(of: validatorPath) : nil
            }
        let canResume = validator != nil || weights.checksum != .unpublished
        if offset > 0, !canResume || offset > weights.byteCount ?? Int.max { try restart() }
    }

    /// The bytes in the file.
    var byteCount: Int { file.byteCount }

    /// What to ask for: the rest, provided that the file is still the same.
    var requestFields: [HTTPField] {
        guard offset > 0 else { return [] }
        let range = HTTPField("Range", "bytes=\(offset)-")
        return [range] + (validator.map { [HTTPField("If-Range", $0)] } ?? [])
    }

    /// Throws away what is there.
    func restart() throws(NativeError) {
        try file.truncate(to: 0)
        try FileSystem.removeFile(validatorPath)
        offset = 0
        validator = nil
    }

    func receive(_ head: HTTPHead) throws(NativeError) {
        let total: Int?
        if head.status == 206 {
            guard let range = ContentRange(head["Content-Range"]), range.start == offset,
                validator == nil || head.validator == nil || head.validator == validator
            else {
                try restart()
                throw NativeError(
                    .networkFailure,
                    "\(weights.fileName): the server sends another part than the one asked for")
            }
            total = range.totalByteCount
            resumedByteCount = offset
        } else {
            // The whole file: this server knows no ranges, or its file is another one by now.
            try restart()
            total = head.contentLength
        }
        if let expected = weights.byteCount, let total, total != expected {
            failure = PretrainedError(
                .verification,
                "\(weights.fileName): expected \(expected) bytes, the server offers \(total); it holds "
                    + "another file under this name")
            try restart()
            throw NativeError(.malformed, "another file")
        }
        totalByteCount = total ?? totalByteCount
        try remember(head)
        rate = TransferRate(byteCount: file.byteCount, time: clock.now - start)
        report()
    }

    func receive(_ bytes: borrowing Span<UInt8>) throws(NativeError) {
        try file.write(bytes)
        receivedByteCount += bytes.count
        if clock.now - lastReport >= .milliseconds(100) { report() }
    }

    /// Waits until the bytes are on the disk.
    func synchronize() throws(NativeError) {
        report()
        try file.synchronize()
    }

    /// Keeps what identifies this version, for a later attempt.
    private func remember(_ head: HTTPHead) throws(NativeError) {
        guard let found = head.validator, found.utf8.count <= Self.maximumValidatorByteCount
        else { return }
        validator = found
        try FileSystem.removeFile(validatorPath)
        var file = try WritableFile(appendingTo: validatorPath)
        try file.write(Array(found.utf8).span)
    }

    private func report() {
        lastReport = clock.now
        rate.measure(byteCount: file.byteCount, time: lastReport - start)
        progress(
            DownloadProgress(
                name: weights.name, phase: .transferring, byteCount: file.byteCount,
                totalByteCount: totalByteCount, resumedByteCount: resumedByteCount,
                bytesPerSecond: rate.bytesPerSecond))
    }
}

extension HTTPHead {
    /// What tells this version of a file from others.
    ///
    /// A weak tag does not promise equal bytes, so it is not taken.
    fileprivate var validator: String? {
        if let tag = self["ETag"], tag.hasPrefix("\"") { return tag }
        return self["Last-Modified"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// The field that says which part of a file a response holds: `bytes 100-199/500`.
struct ContentRange {
    let start: Int
    /// `nil` where the server does not know.
    let totalByteCount: Int?

    init?(_ text: String?) {
        guard let text, text.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/")
        guard parts.count == 2, let first = parts[0].split(separator: "-").first,
            let start = Int(first), start >= 0
        else { return nil }
        self.start = start
        totalByteCount = Int(parts[1])
    }
}
