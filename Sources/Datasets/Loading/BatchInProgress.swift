import Images
import Native
import Synchronization
import Tensors

/// A batch that workers are filling, a picture at a time, and one thread will take.
final class BatchInProgress: Sendable {
    /// What became of it.
    struct Contents: Sendable {
        /// The batch; `nil` where none of its pictures can be used, or one is missing that must not be.
        var batch: LoadedBatch?
        /// Why samples that it asked for cannot be used, by their positions.
        var bad: [Int: String] = [:]
        /// What is wrong with samples that are used all the same, by their positions.
        var damaged: [Int: String] = [:]
    }

    /// What became of it, or what ends loading.
    typealias Outcome = Result<Contents, DatasetError>

    private struct State {
        /// The positions of the pictures that are in their places.
        var positions: [Int?]
        var remaining: Int
        var contents = Contents()
        var error: DatasetError?
        var outcome: Outcome?
    }

    let order: EpochOrder
    let step: Int
    /// The places of the epoch's order that it takes.
    let slots: Range<Int>
    private let reader: SampleReader
    private let reports: SampleReports
    /// Where the pictures go; only those pages that were written take memory.
    private let pixels: Result<SharedMutableMemory, NativeError>
    private let state: Mutex<State>
    private let isAbandoned = Atomic(false)
    private let isDone = Latch()

    init(order: EpochOrder, step: Int, reader: SampleReader, reports: SampleReports) {
        self.order = order
        self.step = step
        self.reader = reader
        self.reports = reports
        let first = step * reader.options.batch
        let slots = first..<min(first + reader.options.batch, order.positions.count)
        self.slots = slots
        let memory: Result<SharedMutableMemory, NativeError>
        do throws(NativeError) {
            memory = .success(
                try SharedMutableMemory(uncleared: slots.count * reader.pictureByteCount))
        } catch {
            memory = .failure(error)
        }
        pixels = memory
        state = Mutex(
            State(
                positions: [Int?](repeating: nil, count: slots.count), remaining: slots.count))
    }

    /// Nobody wants it any more: workers stop at the next picture.
    func abandon() { isAbandoned.store(true, ordering: .relaxed) }

    /// Waits until it is filled, and gives it away; to be called once.
    func take() -> Outcome {
        isDone.wait()
        return state.withLock { state in
            // Whoever still holds this value holds no pictures.
            defer { state.outcome = nil }
            return state.outcome ?? .success(Contents())
        }
    }

    /// Fills one place; the last one puts the batch together.
    func fill(_ slot: Int) {
        let index = slot - slots.lowerBound
        var found = Found()
        var failure: DatasetError?
        if !isAbandoned.load(ordering: .relaxed) {
            do throws(DatasetError) {
                found = try picture(for: slot)
                if let image = found.image {
                    try memory().copy(image.pixels, to: index * reader.pictureByteCount)
                }
            } catch {
                failure = error
                abandon()
            }
        }
        let (result, error) = (found, failure)
        let isLast = state.withLock { state in
            state.positions[index] = error == nil ? result.position : nil
            state.contents.bad.merge(result.bad) { first, _ in first }
            if let position = result.position, let damage = result.image?.damage {
                state.contents.damaged[position] = damage
            }
            if state.error == nil { state.error = error }
            state.remaining -= 1
            return state.remaining == 0
        }
        if isLast { finish() }
    }

    /// What was found for a place.
    private struct Found: Sendable {
        var position: Int?
        var image: Image?
        /// Samples that were asked for before, and cannot be used.
        var bad: [Int: String] = [:]
    }

    /// The picture of a place, or of the next one that has a good one where places must not stay empty.
    ///
    /// What is found depends on nothing but the data: a sample known to be bad is passed over like one that turns out so.
    private func picture(for slot: Int) throws(DatasetError) -> Found {
        let options = reader.options
        let count = order.positions.count
        var found = Found()
        for offset in 0..<(options.keepsPartialBatch ? 1 : count) {
            if isAbandoned.load(ordering: .relaxed) { break }
            let position = Int(order.positions[(slot + offset) % count])
            if let reason = reports.reason(position) {
                found.bad[position] = reason
            } else {
                switch reader.read(position, epoch: order.epoch, slot: slot) {
                case .picture(let image):
                    found.position = position
                    found.image = image
                    return found
                case .bad(let reason):
                    reports.remember(position, reason: reason)
                    found.bad[position] = reason
                case .failure(let error): throw error
                }
            }
            // Whoever takes the batch will find that these alone are too many.
            if reports.isTooMany(found.bad.count) { break }
        }
        return found
    }

    private func finish() {
        let (positions, contents, error) = state.withLock { state in
            (state.positions, state.contents, state.error)
        }
        let outcome: Outcome
        if let error {
            outcome = .failure(error)
        } else {
            do throws(DatasetError) {
                var contents = contents
                contents.batch = try batch(positions)
                outcome = .success(contents)
            } catch {
                outcome = .failure(error)
            }
        }
        state.withLock { $0.outcome = outcome }
        isDone.open()
    }

    private func batch(_ positions: [Int?]) throws(DatasetError) -> LoadedBatch? {
        let options = reader.options
        let places = positions.indices.filter { positions[$0] != nil }
        guard !places.isEmpty, options.keepsPartialBatch || places.count == positions.count,
            !isAbandoned.load(ordering: .relaxed)
        else { return nil }
        let size = options.transform.size
        let samples = positions.compactMap { $0 }
        let labels = samples.map { reader.dataset.samples[$0].label }
        var pixels = try gathered(places, of: positions.count)
        var distributions: HostTensor?
        if let mixing = options.mixing {
            var random = RandomStreams.mixing(seed: options.seed, epoch: order.epoch, step: step)
            let draw = mixing.draw(size: size, random: &random)
            BatchMixing.apply(draw, to: &pixels, count: places.count, size: size)
            distributions = BatchMixing.distributions(
                draw, labels: labels, size: size,
                classCount: reader.dataset.classNames.count)
        }
        let shape: Shape = [places.count, size, size, 3]
        let memory = pixels.finish()
        do throws(TensorError) {
            return LoadedBatch(
                images: try HostTensor(elementType: .uint8, shape: shape, memory: memory),
                labels: labels, distributions: distributions, positions: samples)
        } catch {
            throw shortage(error)
        }
    }

    /// The pixels of the places that have a picture, without gaps.
    private func gathered(
        _ places: [Int], of count: Int
    ) throws(DatasetError) -> MutableMemory {
        let all = try memory().finish()
        guard places.count < count else { return all }
        let (whole, byteCount) = (all.finish(), reader.pictureByteCount)
        do throws(NativeError) {
            var rest = try MutableMemory(uncleared: places.count * byteCount)
            for (index, place) in places.enumerated() {
                if let picture = whole.slice(offset: place * byteCount, byteCount: byteCount) {
                    rest.copy(picture, to: index * byteCount)
                }
            }
            return rest
        } catch {
            throw shortage(error)
        }
    }

    private func memory() throws(DatasetError) -> SharedMutableMemory {
        switch pixels {
        case .success(let memory): return memory
        case .failure(let error): throw shortage(error)
        }
    }

    private func shortage(_ error: any Error) -> DatasetError {
        DatasetError(.resourceExhausted, "a batch of \(slots.count) pictures: \(error)")
    }
}
