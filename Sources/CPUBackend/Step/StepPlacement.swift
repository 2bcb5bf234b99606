import Graph
import Native
import Tensors

/// Where each buffer of a plan lies.
struct StepPlacement {
    struct Place {
        var offset = 0
        /// Whether it is in the memory of the thread that makes the calls.
        var isLocal = false
    }

    let places: [Place]

    /// Places buffers by lifetime: two that live at the same time never overlap.
    init(_ plan: StepPlan) {
        var owners = Array(plan.buffers.indices)
        Self.mergeTakeOvers(plan, &owners)

        var firstStage = [Int](repeating: Int.max, count: plan.buffers.count)
        var lastStage = [Int](repeating: -1, count: plan.buffers.count)
        for (index, stage) in plan.stages.enumerated() {
            for call in stage.calls {
                for slot in call.reads + call.writes {
                    guard let id = slot.buffer else { continue }
                    let owner = owners[id]
                    firstStage[owner] = min(firstStage[owner], index)
                    lastStage[owner] = max(lastStage[owner], index)
                }
            }
        }

        var places = [Place](repeating: Place(), count: plan.buffers.count)
        var arena = ArenaPlanner()
        var releases: [Int: [Int]] = [:]
        for (index, stage) in plan.stages.enumerated() {
            var used: [Int] = []
            var seen: Set<Int> = []
            for call in stage.calls {
                for slot in call.reads + call.writes {
                    guard let id = slot.buffer, seen.insert(owners[id]).inserted else { continue }
                    used.append(owners[id])
                }
            }
            var locals: [Int] = []
            for id in used where firstStage[id] == index {
                if stage.isChunked, lastStage[id] == index,
                    case .perImage = plan.buffers[id].size
                {
                    locals.append(id)
                    continue
                }
                let (key, offset) = arena.allocate(byteCount: Self.byteCount(id, plan))
                places[id].offset = offset
                releases[lastStage[id], default: []].append(key)
            }
            Self.placeLocals(locals, stage, owners, plan, &places)
            for key in releases[index] ?? [] { arena.free(key) }
        }
        for id in places.indices where owners[id] != id { places[id] = places[owners[id]] }
        self.places = places
    }

    /// Lets results take over the memory of operands that nobody reads later.
    private static func mergeTakeOvers(_ plan: StepPlan, _ owners: inout [Int]) {
        var lastReader: [Int: Int] = [:]
        var order = 0
        for stage in plan.stages {
            for call in stage.calls {
                for slot in call.reads + call.writes {
                    if let id = slot.buffer { lastReader[id] = order }
                }
                order += 1
            }
        }
        order = 0
        for stage in plan.stages {
            for call in stage.calls {
                if let takeOver = call.takeOver, case .buffer(let from) = takeOver.from,
                    case .buffer(let to) = takeOver.to, from != to,
                    plan.buffers[from].size == plan.buffers[to].size,
                    lastReader[from] == order
                {
                    owners[to] = owners[from]
                }
                order += 1
            }
        }
    }

    private static func byteCount(_ id: Int, _ plan: StepPlan) -> Int {
        switch plan.buffers[id].size {
        case .perImage(let byteCount): byteCount * plan.batch
        case .perPart(let byteCount):
            byteCount * (plan.buffers[id].partStage.map { plan.batch / plan.stages[$0].chunk } ?? 1)
        case .fixed(let byteCount): byteCount
        }
    }

    /// Places what lives in one chunked stage only, by the order of its calls.
    private static func placeLocals(
        _ locals: [Int], _ stage: StepPlan.Stage, _ owners: [Int], _ plan: StepPlan,
        _ places: inout [Place]
    ) {
        guard !locals.isEmpty else { return }
        let wanted = Set(locals)
        var last: [Int: Int] = [:]
        for (index, call) in stage.calls.enumerated() {
            for slot in call.reads + call.writes {
                if let id = slot.buffer, wanted.contains(owners[id]) { last[owners[id]] = index }
            }
        }
        var planner = ArenaPlanner()
        var keys: [Int: Int] = [:]
        for (index, call) in stage.calls.enumerated() {
            for slot in call.reads + call.writes {
                guard let id = slot.buffer, wanted.contains(owners[id]), keys[owners[id]] == nil,
                    case .perImage(let byteCount) = plan.buffers[owners[id]].size
                else { continue }
                let (key, offset) = planner.allocate(byteCount: byteCount * stage.chunk)
                keys[owners[id]] = key
                places[owners[id]] = Place(offset: offset, isLocal: true)
            }
            for (id, end) in last where end == index {
                if let key = keys[id] { planner.free(key) }
            }
        }
    }
}

extension StepLowering {
    /// The planned calls with their operands in place.
    ///
    /// - Throws: `NativeError` with code `.unsupported` where a kernel cannot do what is asked of it.
    func program() throws(NativeError) -> StepProgram {
        let sizes = { (types: [TensorType]) in
            types.map { $0.shape.elementCount * $0.elementType.byteCount }
        }
        var program = StepProgram(
            inputByteCounts: sizes(graph.inputs.map(\.type)),
            outputByteCounts: sizes(graph.outputs.map { graph[$0.value].type }),
            stateByteCounts: sizes(graph.states.map(\.type)))
        for memory in constants { _ = program.constant(memory) }
        let placement = StepPlacement(plan)
        for stage in plan.stages {
            let resolver = StepResolver(
                images: stage.isChunked ? stage.chunk : plan.batch, plan: plan,
                placement: placement, isChunked: stage.isChunked)
            var calls: [StepCall] = []
            for call in stage.calls { calls.append(try call.make(resolver)) }
            try program.addStage(
                calls, chunks: stage.isChunked ? plan.batch / stage.chunk : 1)
        }
        return program
    }
}
