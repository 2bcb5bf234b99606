import Images
import Native
import ResNetModel
import Tensors

/// How fast a classifier's network runs.
public struct InferenceMeasurement: Sendable, Hashable {
    /// Images computed together.
    public let batchSize: Int
    /// How long each run took, warm-up left out, in their order.
    public let runs: [Duration]

    /// Takes what was measured.
    package init(batchSize: Int, runs: [Duration]) {
        self.batchSize = batchSize
        self.runs = runs
    }

    /// Images a second over each chunk: as many runs as take at least a twentieth of the whole time.
    public var chunkRates: [Double] {
        let total = runs.reduce(.zero, +)
        let wanted = total / 20
        var rates: [Double] = []
        var (time, count) = (Duration.zero, 0)
        for run in runs {
            time += run
            count += 1
            guard time >= wanted, time > .zero else { continue }
            rates.append(Double(count * batchSize) / (time / .seconds(1)))
            (time, count) = (.zero, 0)
        }
        return rates
    }

    /// The median of the chunks' rates.
    public var medianRate: Double { percentile(chunkRates, 0.5) }

    /// The best of the chunks' rates.
    public var bestRate: Double { chunkRates.max() ?? 0 }

    /// The time within which a share of the runs ends, in milliseconds.
    ///
    /// - Parameter share: 0.5 for the median, 0.99 for all but one in a hundred.
    public func latencyMilliseconds(share: Double) -> Double {
        percentile(runs.map { $0 / .milliseconds(1) }, share)
    }
}

/// The smallest of the values that is not below a share of them.
private func percentile(_ values: [Double], _ share: Double) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let place = (share * Double(sorted.count)).rounded(.up)
    return sorted[max(0, min(sorted.count - 1, Int(place) - 1))]
}

extension Classifier {
    /// Measures the network alone: pixels in memory to logits, without decoding.
    ///
    /// - Parameters:
    ///   - batchSize: images computed together.
    ///   - duration: how long to measure; at least five runs are.
    /// - Throws: `ExecutionError`; `CancellationError` where the task is cancelled.
    public func measure(
        batchSize: Int, for duration: Duration
    ) async throws -> InferenceMeasurement {
        let side = transform.crop
        var random = RandomGenerator(seed: 1, stream: 0)
        let pictures = try (0..<batchSize).map { _ in
            let pixels = (0..<side * side * 3).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            return try Image(width: side, height: side, pixels: pixels)
        }
        let pixels = try runner.pixels(of: pictures, batch: batchSize)
        // Long enough for the processor to leave its idle clock.
        let warmup = min(.seconds(1), duration / 5)
        _ = try await runs(of: pixels, batch: batchSize, for: warmup, atLeast: 2)
        return InferenceMeasurement(
            batchSize: batchSize,
            runs: try await runs(
                of: pixels, batch: batchSize, for: duration, atLeast: 5))
    }

    private func runs(
        of pixels: HostTensor, batch: Int, for duration: Duration, atLeast count: Int
    ) async throws -> [Duration] {
        let clock = ContinuousClock()
        let end = clock.now + duration
        var runs: [Duration] = []
        while runs.count < count || clock.now < end {
            try Task.checkCancellation()
            runs += try await queue.run { [runner] in
                // Several runs a hop between threads, so that short ones are not measured cold.
                let burst = clock.now + .milliseconds(100)
                var times: [Duration] = []
                repeat {
                    let start = clock.now
                    _ = try runner.run(pixels, batch: batch, outputs: [.logits])
                    times.append(clock.now - start)
                } while clock.now < burst
                return times
            }
        }
        return runs
    }
}
