/// How far a download is.
public struct DownloadProgress: Sendable, Hashable {
    /// What is being done.
    public enum Phase: String, Sendable, CaseIterable {
        /// Another process downloads the same file.
        case waiting
        /// Bytes come in.
        case transferring
        /// The file's hash is being computed.
        case verifying
        /// The file is in its place.
        case done
    }

    /// The name of the weights.
    public let name: String
    /// What is being done.
    public let phase: Phase
    /// The bytes in the file so far, those of earlier attempts included.
    public let byteCount: Int
    /// The bytes of the whole file, once known.
    public let totalByteCount: Int?
    /// The bytes that were there from an earlier attempt.
    public let resumedByteCount: Int
    /// The recent rate; `nil` before the first measurement.
    public let bytesPerSecond: Double?

    /// Describes a state; a bar can be tried with made-up ones.
    public init(
        name: String, phase: Phase, byteCount: Int, totalByteCount: Int?,
        resumedByteCount: Int = 0, bytesPerSecond: Double? = nil
    ) {
        self.name = name
        self.phase = phase
        self.byteCount = byteCount
        self.totalByteCount = totalByteCount
        self.resumedByteCount = resumedByteCount
        self.bytesPerSecond = bytesPerSecond
    }

    /// The time left at this rate, in seconds.
    public var secondsLeft: Double? {
        guard let totalByteCount, let bytesPerSecond, bytesPerSecond > 0 else { return nil }
        return Double(max(0, totalByteCount - byteCount)) / bytesPerSecond
    }

    /// The share that is done, from 0 to 1.
    public var fraction: Double? {
        guard let totalByteCount, totalByteCount > 0 else { return nil }
        return min(1, Double(byteCount) / Double(totalByteCount))
    }
}

/// A rate that follows the last few seconds.
package struct TransferRate: Sendable {
    private let window: Duration
    private var last: (byteCount: Int, time: Duration)
    /// Bytes a second; `nil` before the first measurement.
    package private(set) var bytesPerSecond: Double?

    /// Begins to measure.
    package init(byteCount: Int, time: Duration, window: Duration = .seconds(3)) {
        last = (byteCount, time)
        self.window = window
    }

    /// Takes a measurement; the longer ago the one before it, the more it weighs.
    package mutating func measure(byteCount: Int, time: Duration) {
        let elapsed = time - last.time
        guard elapsed > .zero else { return }
        let rate = Double(byteCount - last.byteCount) / (elapsed / .seconds(1))
        let weight = elapsed / (elapsed + window)
        bytesPerSecond = bytesPerSecond.map { $0 + weight * (rate - $0) } ?? rate
        last = (byteCount, time)
    }
}
