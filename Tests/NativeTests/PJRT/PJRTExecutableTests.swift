import Native
import Testing

@Suite("PJRT executables", .withCPUPlugin)
struct PJRTExecutableTests {
    private let client: PJRTClient

    init() throws {
        client = try CPUPlugin.shared.get()
    }

    private func code(_ body: () throws -> Void) -> NativeError.Code? {
        let error = #expect(throws: NativeError.self) { try body() }
        return error?.code
    }

    @Test("run")
    func add() throws {
        let executable = try client.compile(Program.add())
        #expect(executable.outputCount == 1)
        #expect(executable.replicas == 1)
        #expect(executable.devices == [0])
        let a = try client.upload([1, 2, 3, 4, 5, 6], [2, 3])
        let b = try client.upload([6, 5, 4, 3, 2, 1], [2, 3])
        let results = try executable.run([[a, b]])
        #expect(results.count == 1 && results[0].count == 1)
        #expect(try results[0][0].floats() == [7, 7, 7, 7, 7, 7])
        #expect(results[0][0].dimensions == [2, 3])
        // Arguments that are not given away can be used again.
        #expect(try executable.run([[a, a]])[0][0].floats() == [2, 4, 6, 8, 10, 12])
    }

    @Test("convolve in bfloat16")
    func convolution() throws {
        // Small whole numbers: every product and sum is exact in bfloat16, in whatever order.
        let x: [Float] = (0..<150).map { index in Float(index * 7 % 5 - 2) }
        let w: [Float] = (0..<108).map { index in Float(index * 5 % 3 - 1) }
        func bfloat16(_ values: [Float]) -> Memory {
            Memory(copying: values.map { UInt16($0.bitPattern >> 16) })
        }
        let arguments = [
            try client.upload(bfloat16(x), .bfloat16, dimensions: [2, 5, 5, 3]),
            try client.upload(bfloat16(w), .bfloat16, dimensions: [4, 3, 3, 3]),
        ]
        let executable = try client.compile(Program.convolution)
        let memory = try executable.run([arguments])[0][0].download()
        let bits = memory.span(of: UInt16.self)
        #expect(bits.count == 200)
        for index in bits.indices {
            let expected = convolved(x, w, at: index)
            #expect(Float(bitPattern: UInt32(bits[index]) << 16) == expected, "element \(index)")
        }
    }

    /// One element of the result, `[2, 5, 5, 4]`.
    private func convolved(_ x: [Float], _ w: [Float], at index: Int) -> Float {
        let (image, channel) = (index / 100, index % 4)
        let (row, column) = (index / 20 % 5, index / 4 % 5)
        var sum: Float = 0
        for tap in 0..<9 {
            let (y, z) = (row + tap / 3 - 1, column + tap % 3 - 1)
            guard (0..<5).contains(y), (0..<5).contains(z) else { continue }
            let pixel = ((image * 5 + y) * 5 + z) * 3
            let weight = (channel * 9 + tap) * 3
            for input in 0..<3 { sum += x[pixel + input] * w[weight + input] }
        }
        return sum
    }

    @Test("are not made of a mistake, which is told with its line")
    func malformed() throws {
        let text = Program.add().replacing("stablehlo.add", with: "stablehlo.addd")
        let error = #expect(throws: NativeError.self) { _ = try client.compile(text) }
        #expect(error?.message.contains("xla_cpu_pjrt.so: cannot compile the program") == true)
        #expect(error?.message.contains("stablehlo.addd") == true)
        #expect(error?.message.contains(":5:") == true, "\(error?.message ?? "")")
        #expect(code { _ = try client.compile("") } != nil)
    }

    @Test("are compiled with flags, and not with unknown ones")
    func flags() throws {
        let known = PJRTCompileOptions(flags: ["xla_cpu_enable_fast_math": .flag(false)])
        let executable = try client.compile(Program.add(), known)
        let a = try client.upload([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(try executable.run([[a, a]])[0][0].floats() == [2, 4, 6, 8, 10, 12])
        let unknown = PJRTCompileOptions(flags: ["xla_no_such_flag": .flag(true)])
        let error = #expect(throws: NativeError.self) {
            _ = try client.compile(Program.add(), unknown)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("No such compile option: 'xla_no_such_flag'") == true)
    }

    @Test("refuse arguments that do not fit")
    func wrongArguments() throws {
        let executable = try client.compile(Program.add())
        let a = try client.upload([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(code { _ = try executable.run([]) } == .invalidArgument)
        #expect(code { _ = try executable.run([[a, a], [a, a]]) } == .invalidArgument)
        #expect(code { _ = try executable.run([[a]]) } == .invalidArgument)
        #expect(code { _ = try executable.run([[a, a, a]]) } == .invalidArgument)
        let elsewhere = try client.upload([1, 2, 3, 4, 5, 6], [2, 3], device: 1)
        #expect(code { _ = try executable.run([[a, elsewhere]]) } == .invalidArgument)
        let stranger = try CPUPlugin.open(devices: 1).upload([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(code { _ = try executable.run([[a, stranger]]) } == .invalidArgument)
        let small = try client.upload([1, 2], [2])
        #expect(code { _ = try executable.run([[a, small]])[0][0].wait() } == .invalidArgument)
        #expect(try executable.run([[a, a]])[0][0].floats() == [2, 4, 6, 8, 10, 12])
    }

    @Test("take arguments that are given away, once")
    func donation() throws {
        let executable = try client.compile(Program.add(donating: true))
        let b = try client.upload([1, 1, 1, 1, 1, 1], [2, 3])
        var state = try client.upload([1, 2, 3, 4, 5, 6], [2, 3])
        for _ in 0..<3 {
            let given = state
            state = try executable.run([[given, b]])[0][0]
            #expect(given.isDeleted)
            #expect(!b.isDeleted)
            #expect(given.byteCount == 24)
            let error = #expect(throws: NativeError.self) { _ = try executable.run([[given, b]]) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("argument 0 of device 0") == true)
            #expect(code { _ = try given.download() } == .invalidArgument)
            #expect(code { try given.wait() } == .invalidArgument)
        }
        #expect(try state.floats() == [4, 5, 6, 7, 8, 9])
    }

    @Test("run on two devices that add up what they have")
    func allReduce() throws {
        let executable = try client.compile(Program.allReduce, PJRTCompileOptions(replicas: 2))
        #expect(executable.replicas == 2)
        #expect(executable.outputCount == 2)
        #expect(executable.devices == [0, 1])
        let first = try client.upload([1, 2, 3], [3], device: 0)
        let second = try client.upload([10, 20, 30], [3], device: 1)
        for _ in 0..<20 {
            let results = try executable.run([[first], [second]])
            for (device, list) in results.enumerated() {
                #expect(list.map(\.device) == [device, device])
                #expect(try list[0].floats() == [11, 22, 33])
                #expect(try list[1].floats() == [7])
            }
        }
        #expect(code { _ = try executable.run([[first]]) } == .invalidArgument)
        #expect(code { _ = try executable.run([[first], []]) } == .invalidArgument)
        #expect(code { _ = try executable.run([[first], [first]]) } == .invalidArgument)
        #expect(code { _ = try executable.run([[], []]) } == .invalidArgument)
        let tooMany = PJRTCompileOptions(replicas: 3)
        #expect(code { _ = try client.compile(Program.allReduce, tooMany) } == .invalidArgument)
    }

    @Test("come back from bytes")
    func serialization() throws {
        let bytes = try client.compile(Program.add()).serialized()
        #expect(!bytes.isEmpty)
        let executable = try client.load(serialized: bytes)
        let a = try client.upload([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(try executable.run([[a, a]])[0][0].floats() == [2, 4, 6, 8, 10, 12])
        #expect(code { _ = try client.load(serialized: [1, 2, 3]) } != nil)
    }

    @Test("tell memory, costs and the optimised program")
    func reports() throws {
        let executable = try client.compile(Program.add(donating: true))
        let memory = try executable.memory()
        #expect(memory.argument == 48)
        #expect(memory.output == 24)
        #expect(memory.alias == 24)
        #expect(memory.temporary >= 0)
        let optimized = try executable.optimizedProgram()
        #expect(optimized.format.hasPrefix("hlo"))
        #expect(!optimized.bytes.isEmpty)
        #expect(try executable.costs()["flops"] == .real(6))
    }

    @Test("keep alive what they run on")
    func lifetimes() throws {
        func result() throws -> PJRTBuffer {
            let client = try CPUPlugin.open(devices: 1)
            let a = try client.upload([1, 2, 3, 4, 5, 6], [2, 3])
            return try client.compile(Program.add()).run([[a, a]])[0][0]
        }
        #expect(try result().floats() == [2, 4, 6, 8, 10, 12])
    }

    @Test("may be run from several threads at a time")
    func threads() async throws {
        let executable = try client.compile(Program.add())
        let queue = try WorkQueue(name: "runs", threadCount: 4)
        let client = client
        let sums = try await withThrowingTaskGroup(of: Float.self) { group in
            for number in 0..<64 {
                group.addTask {
                    try await queue.run {
                        let values = [Float](repeating: Float(number), count: 6)
                        let a = try client.upload(values, [2, 3])
                        return try executable.run([[a, a]])[0][0].floats().reduce(0, +)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
        #expect(sums == (0..<64).map { Float($0 * 12) })
    }
}
