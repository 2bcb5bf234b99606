import Tensors

/// Which stream of random numbers is for what, so that a batch depends on nothing but seed, epoch and step.
enum RandomStreams {
    /// The order of an epoch's pictures.
    static func order(seed: UInt64, epoch: Int) -> RandomGenerator {
        RandomGenerator(seed: seed, stream: stream(1, epoch, 0))
    }

    /// The changes of the picture at a place of an epoch's order.
    static func sample(seed: UInt64, epoch: Int, slot: Int) -> RandomGenerator {
        RandomGenerator(seed: seed, stream: stream(2, epoch, slot))
    }

    /// The mixing of a batch.
    static func mixing(seed: UInt64, epoch: Int, step: Int) -> RandomGenerator {
        RandomGenerator(seed: seed, stream: stream(3, epoch, step))
    }

    /// A drawn picture.
    static func drawing(seed: UInt64, index: Int) -> RandomGenerator {
        RandomGenerator(seed: seed, stream: stream(4, 0, index))
    }

    /// 8 bits of purpose, 20 of epoch, 36 of place.
    private static func stream(_ purpose: UInt64, _ epoch: Int, _ place: Int) -> UInt64 {
        purpose << 56 | (UInt64(truncatingIfNeeded: epoch) & 0xF_FFFF) << 36
            | UInt64(truncatingIfNeeded: place) & 0xF_FFFF_FFFF
    }
}
