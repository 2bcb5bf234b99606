internal import CKernels

/// Memory that a step changes in place: weights, velocities, statistics.
///
/// Safe to share: only a `StepRunner` writes it, under the state's lock, and reading takes the lock too.
@safe
public final class StepState: @unchecked Sendable {
    private let owner: MemoryOwner
    let offsets: [Int]
    /// Bytes of each part.
    public let byteCounts: [Int]
    let lock = Lock()

    /// Memory of parts of these sizes, zero-filled.
    ///
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    public init(byteCounts: [Int]) throws(NativeError) {
        var offsets: [Int] = []
        var end = 0
        for byteCount in byteCounts {
            offsets.append(end)
            end += (max(byteCount, 1) + 63) / 64 * 64
        }
        owner = try MemoryOwner.pages(byteCount: end + 64)
        self.offsets = offsets
        self.byteCounts = byteCounts
    }

    /// Sets a part.
    ///
    /// - Precondition: `bytes` is of the part's size.
    public func write(_ bytes: Memory, to part: Int) {
        precondition(bytes.byteCount == byteCounts[part])
        lock.withLock {
            // In bounds: offsets and sizes were laid out together, and the sizes are equal.
            unsafe address(part).copyMemory(
                from: bytes.unsafeAddress, byteCount: bytes.byteCount)
        }
    }

    /// Copies a part.
    public func read(_ part: Int) -> Memory {
        lock.withLock {
            let shared = Memory(
                owner: owner, offset: offsets[part], byteCount: byteCounts[part])
            return Memory(copying: shared.bytes)
        }
    }

    @unsafe
    func address(_ part: Int) -> UnsafeMutableRawPointer { unsafe owner.base + offsets[part] }
}

/// A step made ready to run on a team of threads.
@safe
public final class StepRunner: @unchecked Sendable {
    // Safe to share: everything is made in `init`; `run` holds `lock`, and the team runs one body at a time.
    private let runner: OpaquePointer
    private let program: StepProgram
    private let team: ComputeTeam
    private let owners: [MemoryOwner]
    private let outputs: [MemoryOwner]
    private let lock = Lock()

    /// Bytes of memory held for activations, packed filters and outputs.
    public let workspaceByteCount: Int

    /// Makes a program runnable.
    ///
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    public init(_ program: StepProgram, team: ComputeTeam) throws(NativeError) {
        self.program = program
        self.team = team
        // A little more than asked for: kernels may read, never write, past an operand's last element.
        let arena = try MemoryOwner.pages(byteCount: program.arenaByteCount + 4096)
        let zeros = try MemoryOwner.pages(byteCount: program.zeroByteCount)
        var locals: [MemoryOwner] = []
        var work: [MemoryOwner] = []
        for _ in 0..<team.threadCount {
            locals.append(try MemoryOwner.pages(byteCount: program.localByteCount + 4096))
            work.append(try MemoryOwner.pages(byteCount: program.workByteCount + 4096))
        }
        var outputs: [MemoryOwner] = []
        for byteCount in program.outputByteCounts {
            outputs.append(try MemoryOwner.pages(byteCount: byteCount))
        }
        owners = [arena, zeros] + locals + work
        workspaceByteCount = (owners + outputs).reduce(0) { $0 + $1.byteCount }
        let calls = program.calls.map(\.native)
        let stages = program.stages.map {
            ck_stage(first: Int32($0.first), count: Int32($0.count), chunks: Int32($0.chunks))
        }
        var localAddresses: [UnsafeMutableRawPointer?] = unsafe locals.map { unsafe $0.base }
        var workAddresses: [UnsafeMutableRawPointer?] = unsafe work.map { unsafe $0.base }
        // The constants live in `program`, the other memory in `owners`; the runner copies the addresses.
        var constants: [UnsafeRawPointer?] = unsafe program.constants.map {
            unsafe $0.unsafeAddress
        }
        let constantCount = unsafe Int32(constants.count)
        let runner = unsafe ck_step_runner_create(
            calls, Int32(calls.count), stages, Int32(stages.count), Int32(team.threadCount),
            arena.base, &localAddresses, &workAddresses, &constants, constantCount, zeros.base)
        guard let runner = unsafe runner else {
            throw NativeError(.resourceExhausted, "a runner of \(calls.count) calls")
        }
        unsafe self.runner = runner
        self.outputs = outputs
    }

    deinit { unsafe ck_step_runner_destroy(runner) }

    /// Runs the program once.
    ///
    /// - Parameters:
    ///   - inputs: the inputs, whole batches.
    ///   - state: memory with the program's states among its parts.
    ///   - parts: which part each of the program's states is.
    /// - Returns: the outputs.
    /// - Throws: `NativeError` with code `.unsupported` where an input or a state is too small.
    public func run(
        _ inputs: [Memory], state: StepState, parts: [Int]
    ) throws(NativeError) -> [Memory] {
        guard inputs.count == program.inputByteCounts.count,
            zip(inputs, program.inputByteCounts).allSatisfy({ $0.byteCount >= $1 }),
            parts.count == program.stateByteCounts.count,
            parts.allSatisfy({ state.byteCounts.indices.contains($0) }),
            zip(parts, program.stateByteCounts).allSatisfy({ state.byteCounts[$0] >= $1 })
        else {
            throw NativeError(
                .unsupported,
                "run: expected inputs of \(program.inputByteCounts) bytes and the program's state")
        }
        return lock.withLock {
            state.lock.withLock { runLocked(inputs, state: state, parts: parts) }
        }
    }

    private func runLocked(_ inputs: [Memory], state: StepState, parts: [Int]) -> [Memory] {
        var starts: [UnsafeRawPointer?] = unsafe inputs.map { unsafe $0.unsafeAddress }
        var ends: [UnsafeMutableRawPointer?] = unsafe outputs.map { unsafe $0.base }
        var states: [UnsafeMutableRawPointer?] = unsafe parts.map { unsafe state.address($0) }
        unsafe starts.withUnsafeMutableBufferPointer { starts in
            unsafe ends.withUnsafeMutableBufferPointer { ends in
                unsafe states.withUnsafeMutableBufferPointer { states in
                    // The arrays live until the run has ended.
                    unsafe ck_step_runner_begin(
                        runner, UnsafePointer(starts.baseAddress), ends.baseAddress,
                        states.baseAddress)
                    unsafe team.runLocked(
                        ck_step_runner_member, context: UnsafeMutableRawPointer(runner))
                }
            }
        }
        // `inputs` and `state` are parameters: their memory lives until here.
        return withExtendedLifetime((inputs, state)) {
            zip(outputs, program.outputByteCounts).map { owner, byteCount in
                let shared = Memory(owner: owner, offset: 0, byteCount: byteCount)
                return Memory(copying: shared.bytes)
            }
        }
    }

    /// What a call of a profile was, and how long it took.
    public struct CallTime: Sendable {
        /// What it does, as in `convolution`.
        public let kind: String
        /// What it is for, as in `layer1.0.conv2`.
        public let label: String
        /// Time that thread 0 spent in it.
        public let seconds: Double
        /// Its multiply-adds in the whole batch, all threads together.
        public let multiplyAdds: Int
        /// Bytes of its operands in the whole batch, all threads together.
        public let byteCount: Int
    }

    /// Runs once and says how long thread 0 spent in each call, and, last, waiting for the others.
    public func profile(
        _ inputs: [Memory], state: StepState, parts: [Int]
    ) throws(NativeError) -> [CallTime] {
        var seconds = [Double](repeating: 0, count: program.calls.count + 1)
        // The buffer outlives the run; the runner forgets the address right after it.
        let failure = unsafe seconds.withUnsafeMutableBufferPointer {
            buffer -> NativeError? in
            unsafe ck_step_runner_profile(runner, buffer.baseAddress)
            defer { unsafe ck_step_runner_profile(runner, nil) }
            do throws(NativeError) {
                _ = try run(inputs, state: state, parts: parts)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        var times: [CallTime] = []
        for stage in program.stages {
            for index in stage.first..<stage.first + stage.count {
                let call = program.calls[index]
                times.append(
                    CallTime(
                        kind: call.kind, label: call.label, seconds: seconds[index],
                        multiplyAdds: call.multiplyAdds * stage.chunks,
                        byteCount: call.operandByteCount * stage.chunks))
            }
        }
        times.append(
            CallTime(
                kind: "waiting", label: "barriers", seconds: seconds[program.calls.count],
                multiplyAdds: 0, byteCount: 0))
        return times
    }
}
