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
    ///   - output: the file, which is there whole or not at all; outside the data's folders.
    ///   - maximumBadShare: the share of pictures that may be bad, 0 to 1.
    ///   - options: how to open the data.
    ///   - cancellation: ends it.
    ///   - progress: called now and then with how many pictures are done, and of how many.
    /// - Throws: `DatasetError`, with code `.invalidOption` where the output lies in one of the data's folders, `.tooManyBad` where
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
        try Dataset.checkOutput(output, data: path)
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
        let (samples, source) = (data.samples, data.source)
        let sweep = try OrderedSweep(count: samples.count, workers: workers) {
            (position: Int) throws(DatasetError) -> Packed in
            try packer.packed(samples[position], source)
        }
        var position = 0
        // Here the file is written, while the threads are about the next pictures.
        while let result = try sweep.next() {
            let sample = samples[position]
            switch result {
            case .bad(let reason):
                bad.append(SkippedSample(name: sample.name, reason: reason))
            case .picture(let bytes, let sourceBytes, let isResized):
                do throws(DatasetError) {
                    try writer.add(
                        bytes, name: sample.name, label: sample.label, part: data.parts[position])
                    sampleCount += 1
                    resizedCount += isResized ? 1 : 0
                    sourceByteCount += sourceBytes
                } catch {
                    guard error.code == .badSample else { throw error }
                    bad.append(
                        SkippedSample(
                            name: sample.name, reason: sample.shortReason(error.message)))
                }
            }
            position += 1
            progress(position, samples.count)
            guard !cancellation.isCancelled else { throw DatasetError(.unreadable, "stopped") }
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

    /// - Throws: what says nothing of the sample.
    private func packed(
        _ sample: Sample, _ source: any SampleSource
    ) throws(DatasetError) -> Packed {
        do throws(DatasetError) {
            switch try source.content(of: sample, maximumByteCount: limits.maximumByteCount) {
            case .encoded(let bytes):
                let image = try sample.decode(bytes, limits: limits)
                guard let smaller = try smaller(image) else {
                    return .picture(bytes, sourceByteCount: bytes.byteCount, isResized: false)
                }
                return .picture(smaller, sourceByteCount: bytes.byteCount, isResized: true)
            case .pixels(let image):
                let smaller = try smaller(image)
                // Drawn pictures stay what they are, to the pixel.
                let bytes = if let smaller { smaller } else { try png(image) }
                return .picture(
                    bytes, sourceByteCount: image.pixels.byteCount, isResized: smaller != nil)
            }
        } catch {
            guard error.code != .resourceExhausted else { throw error }
            return .bad(sample.shortReason(error.message))
        }
    }

    private func png(_ image: Image) throws(DatasetError) -> Memory {
        do throws(ImageError) {
            return try encodePNG(image)
        } catch {
            throw DatasetError(error)
        }
    }

    /// The picture with the short side wanted; `nil` where it is not longer.
    private func smaller(_ image: Image) throws(DatasetError) -> Memory? {
        guard let shortSide, min(image.width, image.height) > shortSide else { return nil }
        do throws(ImageError) {
            let size = try EvaluationTransform(resize: shortSide, crop: shortSide)
                .scaledSize(width: image.width, height: image.height)
            return try encodeJPEG(
                try image.resized(width: size.width, height: size.height), quality: quality)
        } catch {
            throw DatasetError(error)
        }
    }
}
