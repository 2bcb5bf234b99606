import Images
import Native
import Synchronization
import Tensors

/// A batch that workers are filling, a picture at a time, and one thread will take.
final class BatchInProgress: Sendable {
    /// What became of it; `nil` where none of its pictures can be used.
    typealias Outcome = Result<LoadedBatch?, DatasetError>

    /// A picture on its place.
    private struct Filled: Sendable {
        let position: Int
        let image: Image
    }

    private struct State {
        var pictures: [Filled?]
        var remaining: Int
        var error: DatasetError?
        var outcome: Outcome?
    }

    let order: EpochOrder
    let step: Int
    /// The places of the epoch's order that it takes.
    let slots: Range<Int>
    private let reader: SampleReader
    private let reports: SampleReports
    private let state: Mutex<State>
    private let isAbandoned = Atomic(false)
    private let isDone = Latch()

    init(order: EpochOrder, step: Int, reader: SampleReader, reports: SampleReports) {
        self.order = order
        self.step = step
        self.reader = reader
        self.reports = reports
        let first = step * reader.options.batch
        slots = first..<min(first + reader.options.batch, order.positions.count)
        state = Mutex(
            State(
                pictures: [Filled?](repeating: nil, count: slots.count), remaining: slots.count))
    }

    /// Nobody wants it any more: workers stop at the next picture.
    func abandon() { isAbandoned.store(true, ordering: .relaxed) }

    /// Waits until it is filled.
    func take() -> Outcome {
        isDone.wait()
        return state.withLock { $0.outcome ?? .success(nil) }
    }

    /// Fills one place; the last one puts the batch together.
    func fill(_ slot: Int) {
        var filled: Filled?
        var failure: DatasetError?
        if !isAbandoned.load(ordering: .relaxed) {
            do throws(DatasetError) {
                filled = try picture(for: slot)
            } catch {
                failure = error
                abandon()
            }
        }
        let index = slot - slots.lowerBound
        let isLast = state.withLock { state in
            state.pictures[index] = filled
            if state.error == nil { state.error = failure }
            state.remaining -= 1
            return state.remaining == 0
        }
        if isLast { finish() }
    }

    /// The picture of a place, or of the next one that has a good one where places must not stay empty.
    private func picture(for slot: Int) throws(DatasetError) -> Filled? {
        let options = reader.options
        let count = order.positions.count
        for offset in 0..<(options.keepsPartialBatch ? 1 : count) {
            let position = Int(order.positions[(slot + offset) % count])
            if reports.isBad(position) { continue }
            switch reader.read(position, epoch: order.epoch, slot: slot) {
            case .picture(let image):
                if let damage = image.damage {
                    reports.noteDamaged(position, reason: damage)
                }
                return Filled(position: position, image: image)
            case .bad(let reason): try reports.noteBad(position, reason: reason)
            case .failure(let error): throw error
            }
        }
        if options.keepsPartialBatch { return nil }
        throw reports.nothingGood()
    }

    private func finish() {
        let (pictures, error) = state.withLock { state in
            defer { state.pictures = [] }
            return (state.pictures.compactMap { $0 }, state.error)
        }
        let outcome: Outcome
        if let error {
            outcome = .failure(error)
        } else {
            do throws(DatasetError) {
                outcome = .success(try batch(of: pictures))
            } catch {
                outcome = .failure(error)
            }
        }
        state.withLock { $0.outcome = outcome }
        isDone.open()
    }

    private func batch(of pictures: [Filled]) throws(DatasetError) -> LoadedBatch? {
        guard !pictures.isEmpty, !isAbandoned.load(ordering: .relaxed) else { return nil }
        let size = reader.options.transform.size
        let dataset = reader.dataset
        do {
            var memory = try MutableMemory(uncleared: pictures.count * size * size * 3)
            for (index, picture) in pictures.enumerated() {
                memory.copy(picture.image.pixels, to: index * size * size * 3)
            }
            let batch = LoadedBatch(
                images: try HostTensor(
                    elementType: .uint8, shape: [pictures.count, size, size, 3],
                    memory: memory.finish()),
                labels: pictures.map { dataset.samples[$0.position].label },
                positions: pictures.map { $0.position })
            guard let mixing = reader.options.mixing else { return batch }
            var random = RandomStreams.mixing(
                seed: reader.options.seed, epoch: order.epoch, step: step)
            return try mixing.apply(
                to: batch, classCount: dataset.classNames.count, random: &random)
        } catch {
            throw DatasetError(.unreadable, "a batch of \(pictures.count) pictures: \(error)")
        }
    }
}
