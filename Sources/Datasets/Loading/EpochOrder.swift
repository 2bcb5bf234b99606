import Tensors

/// The order in which an epoch takes the samples of a data set.
final class EpochOrder: Sendable {
    /// The epoch, from 0.
    let epoch: Int
    /// The sample's position for each place of the epoch.
    let positions: [Int32]

    /// Orders `count` samples.
    init(epoch: Int, count: Int, options: LoaderOptions) {
        self.epoch = epoch
        var positions = (0..<Int32(count)).map { $0 }
        if options.shuffles {
            var random = RandomStreams.order(seed: options.seed, epoch: epoch)
            // Fisher and Yates, from the back.
            for last in stride(from: count - 1, to: 0, by: -1) {
                positions.swapAt(last, random.nextIndex(below: last + 1))
            }
        }
        if options.repeats > 1 {
            let order = positions
            for slot in positions.indices { positions[slot] = order[slot / options.repeats] }
        }
        self.positions = positions
    }
}
