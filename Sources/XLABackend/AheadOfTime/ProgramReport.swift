/// What an optimised program costs, read off its kernels.
public struct ProgramReport: Sendable {
    /// Kernels of one kind.
    public struct Kind: Sendable, Hashable {
        /// As in `convolution`.
        public let name: String
        /// How many there are.
        public let count: Int
        /// Bytes of their operands and results, each counted wherever it is read or written.
        public let byteCount: Int
    }

    /// The kernels by kind, those that move the most bytes first.
    public let kinds: [Kind]
    /// Convolutions that read or write float32.
    public let wideConvolutions: [String]
    /// Kernels that only put more than `movedElementCount` elements into another order.
    public let transposes: [String]
    /// All-reduces that run beside other kernels, and those that do not.
    public let allReduces: (asynchronous: Int, blocking: Int)

    /// More elements than any of the network's weights has: activations.
    public static let movedElementCount = 4_000_000

    /// All kernels.
    public var kernelCount: Int { kinds.reduce(0) { $0 + $1.count } }
    /// The bytes of all kernels.
    public var byteCount: Int { kinds.reduce(0) { $0 &+ $1.byteCount } }

    /// Reads a module as `PJRTExecutable.optimizedProgram` gives it.
    package init(_ program: OptimizedProgram) {
        var counter = Counter(program: program)
        counter.count(program.entry)
        kinds = counter.kinds.map {
            Kind(name: $0.key, count: $0.value.count, byteCount: $0.value.bytes)
        }.sorted { ($0.byteCount, $0.name) > ($1.byteCount, $1.name) }
        wideConvolutions = counter.wideConvolutions
        transposes = counter.transposes
        allReduces = (counter.asynchronous, counter.blocking)
    }

    fileprivate struct Counter {
        let program: OptimizedProgram
        var kinds: [String: (count: Int, bytes: Int)] = [:]
        var wideConvolutions: [String] = []
        var transposes: [String] = []
        var asynchronous = 0
        var blocking = 0
        var depth = 0

        /// Adds the kernels of a computation.
        ///
        /// - Parameter isAsynchronous: whether they run beside others.
        mutating func count(_ computation: Int, isAsynchronous: Bool = false) {
            // Programs do not call themselves, damaged bytes may.
            guard depth < 8, let instructions = program.computations[computation] else { return }
            depth += 1
            defer { depth -= 1 }
            let shapes = Dictionary(
                instructions.map { ($0.id, $0.shape) }, uniquingKeysWith: { first, _ in first })
            for instruction in instructions {
                // Groups of kernels that are launched together.
                if instruction.opcode == "call" || instruction.opcode == "async-start" {
                    for call in instruction.calls {
                        count(call, isAsynchronous: instruction.opcode == "async-start")
                    }
                    continue
                }
                guard let kind = kind(instruction) else { continue }
                if kind == "all-reduce" {
                    let runsBeside = isAsynchronous || instruction.opcode != "all-reduce"
                    asynchronous += runsBeside ? 1 : 0
                    blocking += runsBeside ? 0 : 1
                }
                let operands = instruction.operands.compactMap { shapes[$0] }
                let isStart = instruction.opcode.hasSuffix("-start")
                let bytes =
                    program.bytesRead(by: instruction, operands)
                    &+ (isStart ? 0 : instruction.shape.byteCount)
                let old = kinds[kind] ?? (0, 0)
                kinds[kind] = (old.count + 1, old.bytes &+ bytes)
                if kind == "convolution" {
                    let results = instruction.shape.parts.first ?? instruction.shape
                    if ([results] + operands.prefix(2)).contains(where: {
                        $0.elementType == OptimizedProgram.ShapeFact.float32
                    }) {
                        wideConvolutions.append(instruction.name)
                    }
                }
                if isTranspose(instruction, operands) { transposes.append(instruction.name) }
            }
        }

        /// What a kernel is for; `nil` where the instruction is none.
        private func kind(_ instruction: OptimizedProgram.Instruction) -> String? {
            switch instruction.opcode {
            case "parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all",
                "partition-id", "replica-id", "add-dependency", "opt-barrier":
                return nil
            case "all-reduce", "all-reduce-start": return "all-reduce"
            case let opcode where opcode.hasSuffix("-done") || opcode.hasSuffix("-update"):
                return nil
            case "convolution": return "convolution"
            case "custom-call":
                if instruction.target.contains("conv") { return "convolution" }
                if instruction.target.contains("gemm") || instruction.target.contains("matmul") {
                    return "matrix product"
                }
                return instruction.target
            case "dot": return "matrix product"
            case "fusion": return fusion(instruction)
            default: return instruction.opcode
            }
        }

        private func fusion(_ instruction: OptimizedProgram.Instruction) -> String {
            let opcodes = Set(
                instruction.calls.flatMap { program.computations[$0] ?? [] }.map(\.opcode))
            if opcodes.contains("convolution") { return "convolution" }
            if opcodes.contains("dot") { return "matrix product" }
            return opcodes.contains("reduce") ? "reducing fusion" : "elementwise fusion"
        }

        /// Whether a kernel puts many elements into another order and does nothing else.
        private func isTranspose(
            _ instruction: OptimizedProgram.Instruction, _ operands: [OptimizedProgram.ShapeFact]
        ) -> Bool {
            guard instruction.shape.elementCount >= ProgramReport.movedElementCount else {
                return false
            }
            switch instruction.opcode {
            case "transpose": return true
            case "copy": return operands.first?.order != instruction.shape.order
            case "fusion":
                let work = instruction.calls.flatMap { program.computations[$0] ?? [] }
                    .map(\.opcode).filter { $0 != "parameter" && $0 != "bitcast" }
                return work.contains("transpose")
                    && work.allSatisfy { $0 == "transpose" || $0 == "convert" || $0 == "copy" }
            default: return false
            }
        }
    }
}
