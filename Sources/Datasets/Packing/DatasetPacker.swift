public import Images
public import Native

/// Copies a data set into one record file, with the pictures as they are or made smaller.
///
/// Every picture is decoded on the way; those that cannot be are left out and named. Parts stay parts.
public struct DatasetPacker: Sendable {
    /// What came of it.
    public struct Report: Sendable {
        /// Pictures in the file.
        public let sampleCount: Int
        /// Pictures that were made smaller, and so encoded anew.
        public let resizedCount: Int
        /// Bytes of the file.
        public let byteCount: Int
        /// Bytes of the pictures as they were.
        public let sourceByteCount: Int
        /// What is not in the file.
        public let bad: [SkippedSample]
    }

    /// Pixels that the short side is made smaller to, where it is longer; `nil` leaves pictures as they are.
    public var shortSide: Int?
    /// The JPEG quality of pictures that are made smaller, 1 to 100.
    public var quality: Int
    /// How large a picture may be.
    public var limits: DecodeLimits
    /// Threads that decode and encode.
    public var workers: Int

    /// Pictures that are in memory together.
    private static let window = 256

    /// Makes a packer.
    public init(
        shortSide: Int? = nil, quality: Int = 90, limits: DecodeLimits = .commandLine,
        workers: Int = ComputeTeam.processorCount
    ) {
        self.shortSide = shortSide
        self.quality = quality
        self.limits = limits
        self.workers = workers
    }

    /// Packs what a path or name leads to.
    ///
    /// - Parameters:
    ///   - path: as `DatasetSplit.open` takes it.
    ///   - output: the file, which is there whole or not at all; outside the data's folder.
    ///   - maximumBadShare: the share of pictures that may be bad, 0 to 1.
    ///   - options: how to open the data.
    ///   - cancellation: ends it.
    ///   - progress: called now and then with how many pictures are done, and of how many.
    /// - Throws: `DatasetError`, with code `.invalidOption` where the output lies in the data's folder, `.tooManyBad` where
    ///   too many are; then there is no file.
    public func pack(
        _ path: String, to output: String, maximumBadShare: Double = 0.01,
        options: DatasetOptions = DatasetOptions(), cancellation: Cancellation = Cancellation(),
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(DatasetError) -> Report {
        guard (1...100).contains(quality), (shortSide ?? 1) >= 1, (shortSide ?? 1) <= 65_536 else {
            throw DatasetError(
                .invalidOption,
                "expected a short side of 1 to 65536 pixels and a quality of 1 to 100, found "
                    + "\(shortSide ?? 0) and \(quality)")
        }
        try Self.checkOutput(output, data: path)
        return try pack(
            try LabelledSamples.openOrDraw(path, options: options), to: output,
            maximumBadShare: maximumBadShare, cancellation: cancellation, progress: progress)
    }

    /// Packs samples.
    func pack(
        _ data: LabelledSamples, to output: String, maximumBadShare: Double,
        cancellation: Cancellation,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void
    ) throws(DatasetError) -> Report {
        var writer = try RecordFileWriter(replacing: output, classNames: data.classNames)
        var bad = data.leftOut
        var (sampleCount, resizedCount, sourceByteCount) = (0, 0, 0)
        let packer = self
        var start = 0
        while start < data.samples.count {
            let (first, last) = (start, min(start + Self.window, data.samples.count))
            let results = try SampleSweep.run(
                count: last - first, workers: workers, cancellation: cancellation,
                progress: { progress(first + $0, data.samples.count) },
                body: { packer.packed(data.samples[first + $0], data.source) })
            for (offset, result) in results.enumerated() {
                let sample = data.samples[first + offset]
                switch result {
                case .bad(let reason):
                    bad.append(SkippedSample(name: sample.name, reason: reason))
                case .picture(let bytes, let sourceBytes, let isResized):
                    try writer.add(
                        bytes, name: sample.name, label: sample.label,
                        part: data.parts[first + offset])
                    sampleCount += 1
                    resizedCount += isResized ? 1 : 0
                    sourceByteCount += sourceBytes
                }
            }
            start = last
        }
        let total = sampleCount + bad.count
        guard sampleCount > 0, Double(bad.count) <= maximumBadShare * Double(total) else {
            throw DatasetError(
                .tooManyBad,
                "\(data.name): \(bad.count) of \(total) pictures are bad, more than accepted, as "
                    + "\(bad.first.map { "\($0.name): \($0.reason)" } ?? "none")")
        }
        let byteCount = try writer.finish(
            shortSide: shortSide ?? 0, quality: shortSide == nil ? 0 : quality)
        return Report(
            sampleCount: sampleCount, resizedCount: resizedCount, byteCount: byteCount,
            sourceByteCount: sourceByteCount, bad: bad)
    }

    private enum Packed: Sendable {
        case picture(Memory, sourceByteCount: Int, isResized: Bool)
        case bad(String)
    }

    private func packed(_ sample: Sample, _ source: any SampleSource) -> Packed {
        do {
            switch try source.content(of: sample) {
            case .encoded(let bytes):
                let image = try sample.decode(bytes, limits: limits)
                guard let smaller = try smaller(image) else {
                    return .picture(bytes, sourceByteCount: bytes.byteCount, isResized: false)
                }
                return .picture(smaller, sourceByteCount: bytes.byteCount, isResized: true)
            case .pixels(let image):
                let smaller = try smaller(image)
                // Drawn pictures stay what they are, to the pixel.
                let bytes = try smaller ?? encodePNG(image)
                return .picture(
                    bytes, sourceByteCount: image.pixels.byteCount, isResized: smaller != nil)
            }
        } catch {
            return .bad(sample.shortReason("\(error)"))
        }
    }

    /// The picture with the short side wanted; `nil` where it is not longer.
    private func smaller(_ image: Image) throws(ImageError) -> Memory? {
        guard let shortSide, min(image.width, image.height) > shortSide else { return nil }
        let size = try EvaluationTransform(resize: shortSide, crop: shortSide)
            .scaledSize(width: image.width, height: image.height)
        return try encodeJPEG(
            try image.resized(width: size.width, height: size.height), quality: quality)
    }

    /// Refuses an output in the data's folder, or in place of the data.
    package static func checkOutput(_ output: String, data: String) throws(DatasetError) {
        guard let identity = FileIdentity(atPath: data) else { return }
        if FileIdentity(atPath: output) == identity {
            throw DatasetError(
                .invalidOption, "\(output): expected another file than the data itself")
        }
        // Up from the output's folder to the root of the file system.
        var folder = ShardNames.folder(of: output)
        var last: FileIdentity?
        while let current = FileIdentity(atPath: folder), current != last {
            if current == identity {
                throw DatasetError(
                    .invalidOption,
                    "\(output): expected a file outside the data's folder \(data), into which nothing "
                        + "is written; name another with -o")
            }
            last = current
            folder += "/.."
        }
    }
}
