import Native

/// One download, on the thread that runs it.
struct DownloadJob: Sendable {
    static let partialSuffix = ".partial"
    static let maximumRedirects = 3

    let weights: PretrainedWeights
    let url: String
    let folder: String
    let path: String
    let resumptionCount: Int
    let progress: @Sendable (DownloadProgress) -> Void

    private var partialPath: String { path + Self.partialSuffix }

    private var validatorPath: String { partialPath + ".validator" }

    /// Gets the file into its place, unless it is there already.
    func run(_ cancellation: Cancellation) throws(PretrainedError) {
        try translating(advice: "set RESNET_CACHE to a folder that can be written") {
            () throws(NativeError) in try FileSystem.makeFolder(folder)
        }
        let lock = try translating { () throws(NativeError) in
            try FileLock("\(path).lock", cancellation: cancellation) {
                report(.waiting, byteCount: 0)
            }
        }
        if try !isThere(cancellation) {
            try fetchVerified(cancellation)
            try translating { () throws(NativeError) in
                try FileSystem.replace(path, with: partialPath)
                try FileSystem.removeFile(validatorPath)
            }
        }
        // Held to here, so that nobody else writes the partial file meanwhile.
        _ = consume lock
        report(.done, byteCount: FileSystem.byteCount(of: path) ?? 0)
    }

    private func isThere(_ cancellation: Cancellation) throws(PretrainedError) -> Bool {
        guard let byteCount = FileSystem.byteCount(of: path), byteCount > 0,
            weights.byteCount == nil || weights.byteCount == byteCount
        else { return false }
        report(.verifying, byteCount: byteCount)
        return try mismatch(of: path, weights, cancellation) == nil
    }

    /// Leaves the right bytes in the partial file.
    private func fetchVerified(_ cancellation: Cancellation) throws(PretrainedError) {
        while true {
            let hasResumed = try fetch(cancellation)
            report(.verifying, byteCount: FileSystem.byteCount(of: partialPath) ?? 0)
            guard let found = try mismatch(of: partialPath, weights, cancellation) else { return }
            try translating { () throws(NativeError) in
                try FileSystem.removeFile(partialPath)
                try FileSystem.removeFile(validatorPath)
            }
            // The first part may be of another file than the rest: once more, from the start.
            if hasResumed { continue }
            throw PretrainedError(
                .verification,
                "\(url): expected SHA-256 \(weights.checksum.text), found \(found); the download was "
                    + "deleted; try again, or from another mirror")
        }
    }

    /// Completes the partial file.
    ///
    /// - Returns: whether a part of it is from before.
    private func fetch(_ cancellation: Cancellation) throws(PretrainedError) -> Bool {
        var hasResumed = false
        for attempt in 0... {
            let existing = FileSystem.byteCount(of: partialPath) ?? 0
            if existing > 0, existing == weights.byteCount { return true }
            let partial = try translating { () throws(NativeError) in
                try PartialFile(
                    weights: weights, path: partialPath, validatorPath: validatorPath,
                    progress: progress)
            }
            do throws(PretrainedError) {
                try transfer(partial, cancellation)
                return hasResumed || partial.resumedByteCount > 0
            } catch {
                // Going on by itself is worth it only where bytes have come in.
                guard error.code == .network, error.httpStatus == nil,
                    partial.receivedByteCount > 0, attempt < resumptionCount
                else { throw error }
                hasResumed = true
            }
        }
        return hasResumed
    }

    private func transfer(
        _ partial: PartialFile, _ cancellation: Cancellation
    ) throws(PretrainedError) {
        var address = try translating { () throws(NativeError) in try WebAddress(url) }
        for _ in 0...Self.maximumRedirects {
            let head = try perform(request(address, partial), partial, cancellation)
            switch head.status {
            case 200, 206:
                try translating { () throws(NativeError) in try partial.synchronize() }
                return
            case 416 where partial.offset > 0:
                // What is here is not a part of the file, which may have become shorter.
                try translating { () throws(NativeError) in try partial.restart() }
            default:
                guard let target = head.redirectTarget else { throw failure(head, address) }
                let next = try translating { () throws(NativeError) in
                    try WebAddress(target, relativeTo: address)
                }
                guard next.scheme == "https" || address.scheme == "http" else {
                    throw PretrainedError(
                        .refusedURL, "\(address): redirects to \(next), which is not encrypted")
                }
                address = next
            }
        }
        throw PretrainedError(.network, "\(url): more than \(Self.maximumRedirects) redirects")
    }

    private func perform(
        _ request: HTTPRequest, _ partial: PartialFile, _ cancellation: Cancellation
    ) throws(PretrainedError) -> HTTPHead {
        do throws(NativeError) {
            return try HTTPTransfer.perform(request, into: partial, cancellation: cancellation)
        } catch {
            if let failure = partial.failure { throw failure }
            throw PretrainedError(error, advice: advice(after: error, kept: partial.byteCount))
        }
    }

    private func advice(after error: NativeError, kept byteCount: Int) -> String? {
        guard error.code == .networkFailure || error.code == .timedOut else { return nil }
        if byteCount > 0 {
            return "\(byteCount) bytes are kept; run the same command again to go on"
        }
        return
            "try again, set RESNET_WEIGHTS_MIRROR to a mirror, or put the file at \(path) by hand"
    }

    private func request(_ address: WebAddress, _ partial: PartialFile) -> HTTPRequest {
        var request = HTTPRequest(address)
        request.fields = partial.requestFields
        // Where only about the length is known, up to twice as much.
        request.maximumByteCount = weights.byteCount ?? 2 * weights.approximateByteCount
        return request
    }

    private func failure(_ head: HTTPHead, _ address: WebAddress) -> PretrainedError {
        let advice =
            switch head.status {
            case 401, 403: "the server asks for a permission; get the file by other means"
            case 404, 410: "the file is not there; set RESNET_WEIGHTS_MIRROR to a mirror"
            case 429, 500...: "the server is in trouble; try again later"
            default: "get the file by other means"
            }
        return PretrainedError(
            .network, "\(address): expected the file, the server answers \(head.status); \(advice)",
            httpStatus: head.status)
    }

    private func report(_ phase: DownloadProgress.Phase, byteCount: Int) {
        progress(
            DownloadProgress(
                name: weights.name, phase: phase, byteCount: byteCount,
                totalByteCount: weights.byteCount ?? (phase == .waiting ? nil : byteCount),
                resumedByteCount: 0, bytesPerSecond: nil))
    }
}
