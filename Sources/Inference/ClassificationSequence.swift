import Native
import Synchronization

/// What came of one of many inputs.
public struct ClassificationOutcome: Sendable {
    /// The input's place among the inputs, from 0.
    public let index: Int
    /// The result, or why there is none.
    public let result: Result<Classification, any Error>
}

/// The results of many inputs, in their order, computed while they are read.
///
/// Decoding runs beside computing. Both are bounded: no more than two batches are computed or wait for it, and
/// no more than two further batches are decoded ahead; the inputs themselves are taken as they are needed. An
/// input that cannot be read gives an outcome with its error, and the rest goes on; an error of the device ends
/// the sequence. A cancelled task ends it between batches.
public struct ClassificationSequence: AsyncSequence, Sendable {
    let classifier: Classifier
    let inputs: [ClassifierInput]
    let withActivationMaps: Bool

    /// Starts from the first input.
    public func makeAsyncIterator() -> Iterator {
        Iterator(sequence: self)
    }

    /// Takes the outcomes one after the other.
    public struct Iterator: AsyncIteratorProtocol {
        private struct Batch {
            /// One slot an input: `nil` where the batch computes it, else why it cannot.
            var slots: [(any Error)?]
            var results: Pending<[Classification]>
        }

        private struct Decoding {
            var result: Pending<PreparedInput>
            /// What waits for the bytes, where they are yet to be had.
            var fetch: Task<Void, Never>?
        }

        private let sequence: ClassificationSequence
        private let batchSize: Int
        private let isCancelled = CancellationFlag()
        private var nextInput = 0
        private var nextOutcome = 0
        private var decoding: [Decoding] = []
        private var computing: [Batch] = []
        private var ready: [Result<Classification, any Error>] = []

        init(sequence: ClassificationSequence) {
            self.sequence = sequence
            batchSize = sequence.classifier.runner.batchSize(
                for: sequence.inputs.count, atMost: sequence.classifier.options.batchSize)
        }

        /// The next outcome; `nil` after the last.
        ///
        /// - Throws: `CancellationError` where the task is cancelled, or the device's error.
        public mutating func next() async throws -> ClassificationOutcome? {
            while ready.isEmpty {
                guard try await computeMore() else { return nil }
            }
            defer { nextOutcome += 1 }
            return ClassificationOutcome(index: nextOutcome, result: ready.removeFirst())
        }

        /// Keeps two batches under way and takes the results of the older; false where none is left.
        private mutating func computeMore() async throws -> Bool {
            while computing.count < 2 {
                if Task.isCancelled {
                    isCancelled.set()
                    for decoding in decoding { decoding.fetch?.cancel() }
                    throw CancellationError()
                }
                guard let batch = await nextBatch() else { break }
                if Task.isCancelled { continue }
                computing.append(batch)
            }
            guard !computing.isEmpty else { return false }
            let batch = computing.removeFirst()
            var results = try await batch.results.value.get()[...]
            ready = batch.slots.map { error in
                if let error { return .failure(error) }
                return .success(results.removeFirst())
            }
            return true
        }

        /// Waits until enough is decoded for a batch, and starts to compute it.
        private mutating func nextBatch() async -> Batch? {
            var prepared: [PreparedInput] = []
            var slots: [(any Error)?] = []
            while prepared.count < batchSize {
                decodeAhead()
                guard !decoding.isEmpty else { break }
                switch await decoding.removeFirst().result.valueUnlessCancelled {
                case .success(let input):
                    prepared.append(input)
                    slots.append(nil)
                case .failure(let error):
                    slots.append(error)
                    // So that a long row of bad files is reported as it goes.
                    if prepared.isEmpty { return batch(slots, prepared) }
                }
            }
            return slots.isEmpty ? nil : batch(slots, prepared)
        }

        private func batch(_ slots: [(any Error)?], _ prepared: [PreparedInput]) -> Batch {
            let results = Pending<[Classification]>()
            guard !prepared.isEmpty else {
                results.fulfil(.success([]))
                return Batch(slots: slots, results: results)
            }
            let classifier = sequence.classifier
            let maps = sequence.withActivationMaps
            let (batchSize, isCancelled) = (batchSize, isCancelled)
            classifier.queue.submit {
                results.fulfil(
                    Result {
                        try isCancelled.check()
                        return try classifier.compute(
                            prepared, batch: batchSize, withActivationMaps: maps)
                    })
            }
            return Batch(slots: slots, results: results)
        }

        /// Fills the queue of the decoders, which holds two batches.
        private mutating func decodeAhead() {
            while decoding.count < 2 * batchSize, nextInput < sequence.inputs.count {
                let input = sequence.inputs[nextInput]
                nextInput += 1
                decoding.append(decode(input))
            }
        }

        private func decode(_ input: ClassifierInput) -> Decoding {
            let result = Pending<PreparedInput>()
            let decoders = sequence.classifier.decoders
            let limits = sequence.classifier.options.decodeLimits
            let transform = sequence.classifier.transform
            let isCancelled = isCancelled
            let decode: @Sendable (DecodableInput) -> Void = { input in
                decoders.submit {
                    result.fulfil(
                        Result {
                            try isCancelled.check()
                            return try Classifier.prepare(
                                input, limits: limits, transform: transform)
                        })
                }
            }
            switch input {
            case .file(let path): decode(.file(path))
            case .bytes(let bytes): decode(.bytes(bytes))
            case .image(let image): decode(.image(image))
            case .deferred(let read):
                let fetch = Task {
                    do {
                        decode(.bytes(try await read()))
                    } catch {
                        result.fulfil(.failure(error))
                    }
                }
                return Decoding(result: result, fetch: fetch)
            }
            return Decoding(result: result, fetch: nil)
        }
    }
}

extension Classifier {
    /// Classifies many inputs, decoding beside computing.
    ///
    /// - Parameters:
    ///   - inputs: what to classify.
    ///   - withActivationMaps: whether each result has the map of its likeliest class.
    /// - Returns: one outcome an input, in their order.
    public func classify(
        each inputs: [ClassifierInput], withActivationMaps: Bool = false
    ) -> ClassificationSequence {
        ClassificationSequence(
            classifier: self, inputs: inputs, withActivationMaps: withActivationMaps)
    }
}

/// Tells work that waits in a queue that nobody wants it any more.
final class CancellationFlag: Sendable {
    private let isSet = Atomic(false)

    func set() { isSet.store(true, ordering: .relaxed) }

    func check() throws(CancellationError) {
        if isSet.load(ordering: .relaxed) { throw CancellationError() }
    }
}
