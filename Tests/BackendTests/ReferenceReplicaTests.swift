import CPUBackend
import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

/// Numbers that can be checked by hand, and errors.
@Suite("Replicas on the reference back end")
struct ReferenceReplicaTests {
    private func floats(_ values: [Float], _ shape: Shape) -> HostTensor {
        HostTensor(values, shape: shape)
    }

    private func graph(_ replicas: Int, _ lines: String) throws(GraphError) -> Graph {
        try Graph(text: "graph g replicas=\(replicas) {\n\(lines)\n}\n")
    }

    private func failure(_ body: () throws(ExecutionError) -> Void) -> ExecutionError? {
        do throws(ExecutionError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "get their rows of inputs with axes, the same numbers of others, and give theirs in order")
    func dealing() throws {
        let lines = """
            %0 = input x : float32[1, 2]
            %1 = input rate : float32[]
            %2 = parameter p : float32[1, 2]
            %3 = multiply(%0, %1) : float32[1, 2]
            %4 = add(%3, %2) : float32[1, 2]
            %5 = replicaMean(%4) : float32[1, 2]
            %6 = squaredNorm(%0) : float32[]
            %7 = replicaMean(%6) : float32[]
            output own = %4
            output mean = %5
            output first = %6
            output norm = %7
            output x = %0
            output rate = %1
            output p = %2
            """
        let step = try ReferenceBackend().compile(
            graph(3, lines), parameters: ["p": floats([100, 200], [1, 2])])
        #expect(step.inputTypes[0] == TensorType(.float32, [3, 2]))
        #expect(step.outputTypes[1] == TensorType(.float32, [3, 2]))
        let x = floats([1, 2, 3, 4, 5, 6], [3, 2])
        let outputs = try step.run([x, floats([10], [])])
        #expect(outputs.map(\.shape) == step.outputTypes.map(\.shape))
        let found = outputs.map { $0.floats() }
        #expect(found[0] == [110, 220, 130, 240, 150, 260])
        #expect(found[1] == [130, 240, 130, 240, 130, 240])
        // Without a mean, the first replica's.
        #expect(found[2] == [5])
        #expect(found[3] == [(5 + 25 + 61) / 3])
        #expect(found[4] == x.floats() && found[5] == [10])
        #expect(found[6] == [100, 200, 100, 200, 100, 200])
    }

    @Test("keep states of their own from run to run; the first one's are read back")
    func states() throws {
        let lines = """
            %0 = input x : float32[2]
            %1 = state own : float32[2]
            %2 = state equal : float32[2]
            %3 = add(%1, %0) : float32[2]
            %4 = replicaMean(%3) : float32[2]
            output sum = %3
            update own = %3
            update equal = %4
            """
        let step = try ReferenceBackend().compileUpdate(graph(2, lines), parameters: [:])
        #expect(step.stateTypes["own"] == TensorType(.float32, [2]))
        var state = try step.makeState(["own": floats([1, 1], [2]), "equal": floats([0, 0], [2])])
        let x = floats([1, 2, 30, 40], [4])
        #expect(try step.run([x], state: &state)[0].floats() == [2, 3, 31, 41])
        #expect(try step.run([x], state: &state)[0].floats() == [3, 5, 61, 81])
        let tensors = try state.tensors()
        #expect(tensors["own"]?.floats() == [3, 5])
        #expect(tensors["equal"]?.floats() == [32, 43])
        #expect(try state.tensors(named: ["own"])["own"]?.floats() == [3, 5])

        // What two replicas have is not what three would start with.
        let three = try ReferenceBackend().compileUpdate(graph(3, lines), parameters: [:])
        let error = failure { () throws(ExecutionError) in
            _ = try three.run([floats([1, 2, 3, 4, 5, 6], [6])], state: &state)
        }
        #expect(error?.code == .typeMismatch)
        #expect(error?.message.contains("state own: expected tensors of 3 replicas") == true)
    }

    @Test("want inputs for all of them")
    func wholeInput() throws {
        let step = try ReferenceBackend().compile(
            graph(
                4,
                """
                %0 = input x : float32[2, 3]
                %1 = replicaMean(%0) : float32[2, 3]
                output y = %1
                """), parameters: [:])
        for shape in [[2, 3], [7, 3], [8, 2], [3, 8]] as [Shape] {
            let error = failure { () throws(ExecutionError) in
                _ = try step.run([HostTensor(repeating: 1, shape: shape)])
            }
            #expect(error?.code == .typeMismatch)
            #expect(
                error?.message
                    == "input x: expected float32[8, 3] for 4 replicas, found float32\(shape)")
        }
        #expect(try step.run([HostTensor(repeating: 1, shape: [8, 3])])[0].shape == [8, 3])
    }

    @Test("have the moments of the whole batch, however large the means", arguments: [1, 2, 3, 6])
    func moments(replicas: Int) throws {
        func lines(_ images: Int) -> String {
            """
            %0 = input x : float64[\(images), 2, 2, 2]
            %1 = batchMoments(%0) : float64[2, 2]
            %2 = replicaMoments(%1) : float64[2, 2]
            output y = %2
            """
        }
        var random = RandomGenerator(seed: 3)
        let numbers = (0..<48).map { 1e6 + Double($0 / 8) + random.nextUniform(in: -1..<1) }
        let x = HostTensor(numbers, shape: [6, 2, 2, 2])
        func computed(_ replicas: Int) throws -> [Double] {
            let step = try ReferenceBackend().compileUpdate(
                graph(replicas, lines(6 / replicas)), parameters: [:])
            var state = try step.makeState([:])
            return try step.run([x], state: &state)[0].doubles()
        }
        let whole = try computed(1)
        let found = try computed(replicas)
        #expect(found.count == 4 * replicas)
        for (index, number) in found.enumerated() {
            // Means of a million are known to 1e-10, variances of about 3 to as much.
            #expect(abs(number - whole[index % 4]) <= 1e-9)
        }
    }

    @Test(
        "have the gradients of the whole batch on one, where statistics are synchronised",
        arguments: [2, 4])
    func gradients(replicas: Int) throws {
        func results(_ replicas: Int) throws -> [(name: String, numbers: [Double])] {
            var builder = CaseBuilder(
                name: "network", elementType: .float64, replicaCount: replicas)
            builder.isSynchronized = true
            let loss = try builder.smallNetwork(
                pixels: (8 / replicas, 17, 15), channels: 3, frozen: false)
            try builder.output(builder.graph.replicaMean(loss))
            let states = builder.states
            let gradients = try builder.graph.gradients(
                of: loss, withRespectTo: states.map(\.value))
            for gradient in gradients {
                try builder.output(builder.graph.replicaMean(gradient))
            }
            let (numbers, graph) = (builder.numbers, try builder.graph.finish())
            let step = try ReferenceBackend().compileUpdate(
                graph, parameters: randomParameters(graph, numbers, seed: 1))
            let tensors = try randomStates(graph, numbers, exactIn: .float32, seed: 1)
                .mapValues { try $0.converted(to: .float64) }
            var state = try step.makeState(tensors)
            let inputs = try zip(randomInputs(graph, numbers, seed: 2), step.inputTypes).map {
                $1.elementType == .float64 ? try $0.converted(to: .float64) : $0
            }
            let outputs = try step.run(inputs, state: &state)
            return zip(["loss"] + states.map(\.name), zip(graph.outputs, outputs)).map { result in
                let (name, (output, tensor)) = result
                return (name, tensor.prefix(shapedAs: graph[output.value].type.shape).doubles())
            }
        }
        for (found, expected) in zip(try results(replicas), try results(1)) {
            let largest = expected.numbers.reduce(0) { max($0, abs($1)) }
            let difference = zip(found.numbers, expected.numbers).reduce(0) {
                max($0, abs($1.0 - $1.1))
            }
            #expect(found.numbers.count == expected.numbers.count && largest > 0)
            #expect(difference <= 1e-12 * max(largest, 1e-3), "\(found.name): \(difference)")
        }
    }

    @Test("sum in float32 and round once")
    func rounding() throws {
        let step = try ReferenceBackend().compile(
            graph(
                3,
                """
                %0 = input x : bfloat16[1]
                %1 = replicaMean(%0) : bfloat16[1]
                output y = %1
                """), parameters: [:])
        // 256 + 1 is no bfloat16; 258 / 3 is.
        let x = try floats([256, 1, 1], [3]).converted(to: .bfloat16)
        #expect(try step.run([x])[0].floats() == [86, 86, 86])
    }

    @Test("pass on what is not finite to all")
    func notFinite() throws {
        let step = try ReferenceBackend().compileUpdate(
            graph(
                2,
                """
                %0 = input x : float32[2]
                %1 = replicaMean(%0) : float32[2]
                %2 = isFinite(%1) : float32[]
                output y = %1
                output finite = %2
                """), parameters: [:])
        var state = try step.makeState([:])
        let outputs = try step.run([floats([1, .infinity, 3, 4], [4])], state: &state)
        #expect(outputs[0].floats() == [2, .infinity, 2, .infinity] && outputs[1].floats() == [0])
    }

    @Test("are refused by the CPU back end, to which the mean over one is what it reads")
    func cpu() throws {
        let backend = try CPUBackend(threads: 1)
        let lines = """
            %0 = input x : float32[4, 6]
            %1 = state s : float32[6]
            %2 = channelSums(%0) : float32[6]
            %3 = replicaMean(%2) : float32[6]
            %4 = add(%1, %3) : float32[6]
            update s = %4
            """
        let expected =
            "graph g: the CPU back end runs 1 replica, found 2; run the whole batch as one replica, "
            + "or take a back end with as many devices"
        let several = try graph(2, lines)
        let update = failure { () throws(ExecutionError) in
            _ = try backend.compileUpdate(several, parameters: [:])
        }
        #expect(update?.code == .unsupported && update?.message == expected)
        let inference = try graph(
            2, "%0 = input x : float32[4, 6]\n%1 = relu(%0) : float32[4, 6]\noutput y = %1")
        let step = failure { () throws(ExecutionError) in
            _ = try backend.compile(inference, parameters: [:])
        }
        #expect(step?.code == .unsupported && step?.message == expected)

        let one = try backend.compileUpdate(graph(1, lines), parameters: [:])
        let without = try graph(
            1,
            lines.replacing("%3 = replicaMean(%2) : float32[6]\n", with: "")
                .replacing("%3", with: "%2").replacing("%4", with: "%3"))
        let plain = try backend.compileUpdate(without, parameters: [:])
        #expect(one.workspaceByteCount == plain.workspaceByteCount)
        var state = try one.makeState(["s": floats([1, 2, 3, 4, 5, 6], [6])])
        _ = try one.run([HostTensor(repeating: 1, shape: [4, 6])], state: &state)
        #expect(try state.tensors()["s"]?.floats() == [5, 6, 7, 8, 9, 10])
    }
}
