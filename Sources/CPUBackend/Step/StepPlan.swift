import Native

/// Memory of a step before it has a place.
struct StepBuffer {
    /// How large it is.
    enum Size: Hashable {
        /// So many bytes for each image of the batch.
        case perImage(Int)
        /// So many bytes for each chunk of the stage that writes it.
        case perPart(Int)
        /// So many bytes.
        case fixed(Int)
    }

    var size: Size
    /// The stage whose chunks are its parts.
    var partStage: Int?
}

/// What a planned call reads or writes.
enum StepSlot: Hashable {
    /// A buffer of the plan.
    case buffer(Int)
    /// Bytes of a buffer that all chunks share.
    case part(of: Int, offset: Int, byteCount: Int)
    /// An input; bytes for each image where its first axis is the batch.
    case input(Int, byteCount: Int, perImage: Int?)
    /// A state, or bytes of one.
    case state(Int, offset: Int, byteCount: Int)
    /// An output.
    case output(Int, byteCount: Int)
    /// A constant.
    case constant(Int, offset: Int, byteCount: Int)

    /// The buffer, if it is one.
    var buffer: Int? {
        switch self {
        case .buffer(let id), .part(let id, _, _): id
        default: nil
        }
    }
}

/// A call whose operands have no places yet.
struct PlannedCall {
    var label: String
    /// Whether the call works on images one by one, so that it can be made chunk by chunk.
    var isChunked: Bool
    /// Whether it is too small to be shared among threads.
    var isTiny: Bool = false
    var reads: [StepSlot]
    var writes: [StepSlot]
    /// A buffer read whose place a buffer written may take over, if nobody reads it later.
    var takeOver: (from: StepSlot, to: StepSlot)?
    var make: (StepResolver) throws(NativeError) -> StepCall
}

/// What a call needs to know once the plan is made.
struct StepResolver {
    /// Images that one call covers.
    let images: Int
    let plan: StepPlan
    let placement: StepPlacement
    /// Whether the call is made chunk by chunk.
    let isChunked: Bool

    /// Where an operand lies.
    func operand(_ slot: StepSlot) -> StepOperand {
        switch slot {
        case .buffer(let id):
            let place = placement.places[id]
            switch plan.buffers[id].size {
            case .perImage(let byteCount):
                let isLocal = place.isLocal
                return StepOperand(
                    isLocal ? .local : .arena, offset: place.offset,
                    step: isChunked && !isLocal ? byteCount * images : 0,
                    byteCount: byteCount * (isChunked || isLocal ? images : plan.batch))
            case .perPart(let byteCount):
                return StepOperand(
                    .arena, offset: place.offset, step: isChunked ? byteCount : 0,
                    byteCount: isChunked ? byteCount : byteCount * partCount(slot))
            case .fixed(let byteCount):
                return StepOperand(.arena, offset: place.offset, byteCount: byteCount)
            }
        case .part(let id, let offset, let byteCount):
            return StepOperand(
                .arena, offset: placement.places[id].offset + offset, byteCount: byteCount)
        case .input(let index, let byteCount, let perImage):
            if isChunked, let perImage {
                return StepOperand(
                    .input(index), step: perImage * images, byteCount: perImage * images)
            }
            return StepOperand(.input(index), byteCount: byteCount)
        case .state(let index, let offset, let byteCount):
            return StepOperand(.state(index), offset: offset, byteCount: byteCount)
        case .output(let index, let byteCount):
            return StepOperand(.output(index), byteCount: byteCount)
        case .constant(let index, let offset, let byteCount):
            return StepOperand(.constant(index), offset: offset, byteCount: byteCount)
        }
    }

    /// As `operand`, where there is one.
    func operand(_ slot: StepSlot?) -> StepOperand? {
        if let slot { operand(slot) as StepOperand } else { nil }
    }

    /// Parts of a buffer that is written part by part.
    func partCount(_ slot: StepSlot) -> Int {
        guard let id = slot.buffer, let stage = plan.buffers[id].partStage else { return 1 }
        return plan.batch / plan.stages[stage].chunk
    }
}

/// Calls in stages, and the memory between them.
///
/// Calls come in an order in which each could be made after those before it. Those that work image by image are
/// collected in a chain, to be made chunk by chunk while the images are in the cache. Others wait until the chain
/// ends, unless they depend on nothing in it: then they go before it. The chain ends where it needs one that waits.
struct StepPlan {
    /// Calls between two barriers.
    struct Stage {
        var calls: [PlannedCall]
        /// Whether one thread makes all calls for a chunk.
        var isChunked: Bool
        /// Images in a chunk.
        var chunk: Int
    }

    /// Images in the batch.
    let batch: Int
    /// Bytes of one chunk's operands that should stay in a core's cache.
    let chunkByteCount: Int
    private(set) var buffers: [StepBuffer] = []
    private(set) var stages: [Stage] = []
    private var prelude: [PlannedCall] = []
    private var chain: [PlannedCall] = []
    private var waiting: [PlannedCall] = []
    private var writtenInChain: Set<StepSlot> = []
    private var writtenByWaiting: Set<StepSlot> = []
    /// Raised whenever a chain ends, so that what was made only for it is not used later.
    private(set) var chainNumber = 0

    init(batch: Int, chunkByteCount: Int) {
        self.batch = batch
        self.chunkByteCount = chunkByteCount
    }

    /// Adds memory.
    mutating func allocate(_ size: StepBuffer.Size) -> StepSlot {
        buffers.append(StepBuffer(size: size))
        return .buffer(buffers.count - 1)
    }

    /// Adds a call after those before it.
    mutating func add(_ call: PlannedCall) {
        let readsWaiting = call.reads.contains { Self.touches($0, writtenByWaiting) }
        if call.isChunked {
            if readsWaiting { endChain() }
            chain.append(call)
            for slot in call.writes { writtenInChain.insert(Self.whole(slot)) }
            return
        }
        let readsChain = call.reads.contains { Self.touches($0, writtenInChain) }
        let writesState = call.writes.contains {
            switch $0 {
            case .state, .output: true
            default: false
            }
        }
        if readsWaiting || readsChain || writesState {
            waiting.append(call)
            for slot in call.writes { writtenByWaiting.insert(Self.whole(slot)) }
        } else {
            prelude.append(call)
        }
    }

    /// Ends the chain and makes the calls that wait for it.
    mutating func endChain() {
        addShared(prelude)
        if !chain.isEmpty {
            let chunk = chunkSize(chain)
            for call in chain {
                for slot in call.writes {
                    if let id = slot.buffer, case .perPart = buffers[id].size {
                        buffers[id].partStage = stages.count
                    }
                }
            }
            stages.append(Stage(calls: chain, isChunked: true, chunk: chunk))
        }
        addShared(waiting)
        prelude = []
        chain = []
        waiting = []
        writtenInChain = []
        writtenByWaiting = []
        chainNumber += 1
    }

    /// Calls that threads share get stages of their own; small ones in a row are made by one thread.
    private mutating func addShared(_ calls: [PlannedCall]) {
        var tiny: [PlannedCall] = []
        for call in calls {
            if call.isTiny {
                tiny.append(call)
                continue
            }
            if !tiny.isEmpty {
                stages.append(Stage(calls: tiny, isChunked: false, chunk: batch))
                tiny = []
            }
            stages.append(Stage(calls: [call], isChunked: false, chunk: batch))
        }
        if !tiny.isEmpty {
            stages.append(Stage(calls: tiny, isChunked: false, chunk: batch))
        }
    }

    /// The most images whose operands stay in the cache; divides the batch.
    ///
    /// Depends on sizes alone: sums over the batch are made chunk by chunk, and must not change with the threads.
    private func chunkSize(_ calls: [PlannedCall]) -> Int {
        let largest =
            calls.map { call in
                Set(call.reads + call.writes).reduce(0) { sum, slot in
                    switch slot {
                    case .buffer(let id):
                        if case .perImage(let byteCount) = buffers[id].size {
                            return sum + byteCount
                        }
                        return sum
                    case .input(_, _, let perImage): return sum + (perImage ?? 0)
                    default: return sum
                    }
                }
            }.max() ?? 1
        let most = max(1, min(chunkByteCount / max(largest, 1), batch / 4))
        return (1...most).last { batch % $0 == 0 } ?? 1
    }

    private static func whole(_ slot: StepSlot) -> StepSlot {
        switch slot {
        case .part(let id, _, _): .buffer(id)
        case .state(let index, _, _): .state(index, offset: 0, byteCount: 0)
        default: slot
        }
    }

    private static func touches(_ slot: StepSlot, _ written: Set<StepSlot>) -> Bool {
        written.contains(whole(slot))
    }
}
