internal import CKernels

/// A program made ready to run on a team of threads.
///
/// The threads form groups; each group has an arena and takes one chunk of the batch after another.
@safe
public final class KernelRunner: @unchecked Sendable {
    // Safe to share: everything is made in `init`; `run` holds `lock`, and the team runs one body at a time.
    private let runner: OpaquePointer
    private let program: KernelProgram
    private let team: ComputeTeam
    private let arenas: [MemoryOwner]
    private let scratch: [MemoryOwner]
    private let zeros: MemoryOwner
    private let outputs: [MemoryOwner]
    private let chunkCount: Int
    private let lock = Lock()

    /// Bytes of memory held for activations and outputs.
    public let workspaceByteCount: Int

    /// Makes a program runnable.
    ///
    /// - Parameters:
    ///   - program: the calls for one chunk.
    ///   - chunkCount: chunks in a batch.
    ///   - groups: groups of threads, each of `team.threadCount / groups` threads.
    ///   - team: the threads.
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    public init(
        _ program: KernelProgram, chunkCount: Int, groups: Int, team: ComputeTeam
    ) throws(NativeError) {
        precondition(chunkCount > 0 && groups > 0 && groups <= team.threadCount)
        self.program = program
        self.team = team
        self.chunkCount = chunkCount
        var arenas: [MemoryOwner] = []
        for _ in 0..<groups {
            // A little more than asked for: kernels may read, never write, past an operand's last element.
            arenas.append(try MemoryOwner.pages(byteCount: program.arenaByteCount + 4096))
        }
        var scratch: [MemoryOwner] = []
        for _ in 0..<team.threadCount {
            scratch.append(try MemoryOwner.pages(byteCount: program.scratchByteCount))
        }
        zeros = try MemoryOwner.pages(byteCount: program.zeroByteCount)
        var outputs: [MemoryOwner] = []
        for byteCount in program.outputByteCounts {
            outputs.append(try MemoryOwner.pages(byteCount: byteCount * chunkCount))
        }
        workspaceByteCount = (arenas + scratch + outputs).reduce(zeros.byteCount) {
            $0 + $1.byteCount
        }
        var addresses: [UnsafeMutableRawPointer?] = unsafe arenas.map { unsafe $0.base }
        var scratchAddresses: [UnsafeMutableRawPointer?] = unsafe scratch.map { unsafe $0.base }
        let members = team.threadCount / groups
        // The runner copies commands and addresses; what they point to lives in `program` and `arenas`.
        let commands = unsafe program.calls.map { unsafe $0.native }
        let runner = unsafe ck_runner_create(
            commands, Int32(commands.count), Int32(groups), Int32(members),
            &addresses, &scratchAddresses, zeros.base, Int32(program.inputByteCounts.count),
            Int32(program.outputByteCounts.count))
        guard let runner = unsafe runner else {
            throw NativeError(.resourceExhausted, "a runner for \(groups) groups of threads")
        }
        unsafe self.runner = runner
        self.arenas = arenas
        self.scratch = scratch
        self.outputs = outputs
    }

    deinit { unsafe ck_runner_destroy(runner) }

    /// Runs the program over all chunks.
    ///
    /// - Parameter inputs: the inputs, whole batches.
    /// - Returns: the outputs, whole batches.
    /// - Throws: `NativeError` with code `.unsupported` where an input is too small, `.libraryFailure` where a
    ///   library reports a failure.
    public func run(_ inputs: [Memory]) throws(NativeError) -> [Memory] {
        guard inputs.count == program.inputByteCounts.count,
            zip(inputs, program.inputByteCounts).allSatisfy({ $0.byteCount >= $1 * chunkCount })
        else {
            throw NativeError(
                .unsupported, "run: expected inputs of \(program.inputByteCounts) bytes a chunk")
        }
        let result: Result<[Memory], NativeError> = lock.withLock { runLocked(inputs) }
        return try result.get()
    }

    private func runLocked(_ inputs: [Memory]) -> Result<[Memory], NativeError> {
        var starts: [UnsafeRawPointer?] = unsafe inputs.map { unsafe $0.unsafeAddress }
        var steps = program.inputByteCounts.map { Int64($0) }
        var ends: [UnsafeMutableRawPointer?] = unsafe outputs.map { unsafe $0.base }
        var endSteps = program.outputByteCounts.map { Int64($0) }
        unsafe ck_runner_begin(
            runner, Int32(chunkCount), &starts, &steps, &ends, &endSteps)
        unsafe team.runLocked(ck_runner_member, context: UnsafeMutableRawPointer(runner))
        // `inputs` is a parameter: its memory lives until here.
        let status = withExtendedLifetime(inputs) { unsafe ck_runner_status(runner) }
        guard status == 0 else {
            return .failure(
                NativeError(.libraryFailure, "a kernel library failed with status \(status)"))
        }
        var results: [Memory] = []
        for (owner, byteCount) in zip(outputs, program.outputByteCounts) {
            let shared = Memory(owner: owner, offset: 0, byteCount: byteCount * chunkCount)
            results.append(Memory(copying: shared.bytes))
        }
        return .success(results)
    }

    /// Runs once and says how long thread 0 spent in each call.
    ///
    /// - Returns: labels and seconds, in the program's order.
    public func profile(_ inputs: [Memory]) throws(NativeError) -> [(
        label: String, seconds: Double
    )] {
        var seconds = [Double](repeating: 0, count: program.labels.count + 1)
        let failure: NativeError? = lock.withLock {
            unsafe seconds.withUnsafeMutableBufferPointer { buffer in
                // The array outlives the run; the runner forgets the address right after it.
                unsafe ck_runner_profile(runner, buffer.baseAddress)
                defer { unsafe ck_runner_profile(runner, nil) }
                switch runLocked(inputs) {
                case .success: return nil
                case .failure(let error): return error
                }
            }
        }
        if let failure { throw failure }
        return zip(program.labels, seconds).map { ($0, $1) }
    }
}
