internal import CKernels

/// A training step as stages of calls, prepared once and run many times.
///
/// A stage is one call whose units all threads share, or calls that one thread makes for one chunk of the batch
/// after another. Threads wait for each other after each stage.
public struct StepProgram: Sendable {
    /// What is done between two barriers.
    struct Stage: Sendable {
        var first: Int
        var count: Int
        var chunks: Int
    }

    private(set) var calls: [StepCall] = []
    private(set) var stages: [Stage] = []
    private(set) var constants: [Memory] = []
    /// Bytes of shared memory that the calls use.
    public private(set) var arenaByteCount = 0
    /// Bytes of memory that each thread needs for operands of its own.
    public private(set) var localByteCount = 0
    private(set) var workByteCount = 64
    private(set) var zeroByteCount = 64
    /// Bytes of each input, output and state.
    let inputByteCounts: [Int]
    let outputByteCounts: [Int]
    let stateByteCounts: [Int]

    /// Starts an empty program.
    public init(inputByteCounts: [Int], outputByteCounts: [Int], stateByteCounts: [Int]) {
        self.inputByteCounts = inputByteCounts
        self.outputByteCounts = outputByteCounts
        self.stateByteCounts = stateByteCounts
    }

    /// Adds constant bytes, and gives the operand to read them by.
    public mutating func constant(_ memory: Memory) -> StepOperand {
        constants.append(memory)
        return StepOperand(.constant(constants.count - 1), byteCount: memory.byteCount)
    }

    /// Adds a stage of one call whose units threads share.
    ///
    /// - Throws: `NativeError` with code `.unsupported` where an operand lies outside its memory.
    public mutating func add(_ call: StepCall) throws(NativeError) {
        try addStage([call], chunks: 1)
    }

    /// Adds a stage of calls that one thread makes for each chunk.
    ///
    /// - Throws: as `add`.
    public mutating func addStage(_ calls: [StepCall], chunks: Int) throws(NativeError) {
        guard !calls.isEmpty, chunks > 0 else {
            throw NativeError(.unsupported, "a stage without work")
        }
        for call in calls {
            guard call.operands.count <= Int(CK_MOST_OPERANDS), call.units > 0,
                call.units < 1 << 30
            else { throw NativeError(.unsupported, "\(call.label): too many operands or units") }
            for operand in call.operands { try check(operand, chunks: chunks, call.label) }
            workByteCount = max(workByteCount, call.workByteCount)
            zeroByteCount = max(zeroByteCount, call.zeroByteCount)
        }
        stages.append(Stage(first: self.calls.count, count: calls.count, chunks: chunks))
        self.calls += calls
    }

    private mutating func check(
        _ operand: StepOperand?, chunks: Int, _ label: String
    ) throws(NativeError) {
        guard let operand else { return }
        let end = operand.offset + operand.step * (chunks - 1) + operand.byteCount
        guard operand.offset >= 0, operand.offset < 1 << 40, operand.step >= 0,
            operand.step < 1 << 40, operand.byteCount >= 0, operand.byteCount < 1 << 40
        else { throw NativeError(.unsupported, "\(label): an operand at \(operand.offset)") }
        let available: Int?
        switch operand.place {
        case .arena:
            arenaByteCount = max(arenaByteCount, end)
            return
        case .local:
            localByteCount = max(localByteCount, end)
            return
        case .input(let index): available = inputByteCounts.element(index)
        case .output(let index): available = outputByteCounts.element(index)
        case .state(let index): available = stateByteCounts.element(index)
        case .constant(let index):
            available = constants.indices.contains(index) ? constants[index].byteCount : nil
        }
        guard let available, end <= available else {
            throw NativeError(
                .unsupported, "\(label): \(end) bytes of \(operand.place), which has fewer")
        }
    }
}

extension [Int] {
    /// The element at an index, if there is one.
    fileprivate func element(_ index: Int) -> Int? { indices.contains(index) ? self[index] : nil }
}
