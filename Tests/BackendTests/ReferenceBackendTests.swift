import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

/// What the conformance suite cannot show, because it compares the reference with itself: values worked by hand.
@Suite("Reference back end, by hand")
struct ReferenceBackendTests {
    /// Runs a graph of one output on float32 inputs, in their order.
    private func run(
        _ lines: String, _ inputs: [[Float]], parameters: [String: [Float]] = [:]
    ) throws -> [Float] {
        let graph = try Graph(text: "graph g {\n\(lines)\n}\n")
        var tensors: Parameters = [:]
        for parameter in graph.parameters {
            tensors[parameter.name] = HostTensor(
                parameters[parameter.name] ?? [], shape: parameter.type.shape)
        }
        let step = try ReferenceBackend().compile(graph, parameters: tensors)
        let given = zip(inputs, graph.inputs).map { values, input in
            HostTensor(values, shape: input.type.shape)
        }
        return try step.run(given)[0].floats()
    }

    @Test("convolves with stride, uneven padding, bias, residual and ReLU")
    func convolution() throws {
        // Rows of x: 1 2 3 / 4 5 6, padded with a column of zeros at the right.
        let found = try run(
            """
            %0 = input x : float32[1, 1, 2, 3]
            %1 = parameter f : float32[2, 1, 1, 2]
            %2 = parameter b : float32[2]
            %3 = input r : float32[1, 2, 2, 2]
            %4 = convolution(%0, %1, bias: %2, residual: %3) stride=1x2 padding=0,0,0,1 \
            activation=relu : float32[1, 2, 2, 2]
            output y = %4
            """, [[1, 2, 3, 4, 5, 6], [0, 0, 0, 100, -1000, 0, 0.5, 0]],
            parameters: ["f": [1, 10, -1, 1], "b": [0.5, 7]])
        #expect(found == [21.5, 3.5, 54.5, 106.5, 0, 4, 8.5, 1])
    }

    @Test("sums over input channels and both filter axes, padding above and to the left")
    func channels() throws {
        // The last position sees all of both channels.
        let found = try run(
            """
            %0 = input x : float32[1, 2, 2, 2]
            %1 = parameter f : float32[1, 2, 2, 2]
            %2 = convolution(%0, %1) stride=1x1 padding=1,1,0,0 : float32[1, 1, 2, 2]
            output y = %2
            """, [[1, 2, 3, 4, 10, 20, 30, 40]], parameters: ["f": [1, 2, 3, 4, 5, 6, 7, 8]])
        #expect(found == [84, 241, 314, 730])
    }

    @Test("normalises, pools, averages")
    func planes() throws {
        let normalized = try run(
            """
            %0 = input x : float32[1, 2, 1, 2]
            %1 = parameter scale : float32[2]
            %2 = parameter shift : float32[2]
            %3 = parameter mean : float32[2]
            %4 = parameter variance : float32[2]
            %5 = batchNormalization(%0, %1, %2, %3, %4) epsilon=1.0 : float32[1, 2, 1, 2]
            output y = %5
            """, [[1, 2, 3, 4]],
            parameters: [
                "scale": [6, 1], "shift": [0, 10], "mean": [1, 2], "variance": [8, 0],
            ])
        #expect(normalized == [0, 2, 11, 12])
        let pooled = try run(
            """
            %0 = input x : float32[1, 1, 3, 3]
            %1 = maxPool(%0) size=2x2 stride=2x2 padding=1,0,0,1 : float32[1, 1, 2, 2]
            output y = %1
            """, [[-1, -2, -3, -4, -5, -6, -7, -8, -9]])
        #expect(pooled == [-1, -3, -4, -6])
        let averaged = try run(
            """
            %0 = input x : float32[1, 2, 1, 3]
            %1 = globalAveragePool(%0) : float32[1, 2]
            output y = %1
            """, [[1, 2, 6, -1, 0, 0.25]])
        #expect(averaged == [3, -0.25])
    }

    @Test("multiplies, and turns scores into probabilities however large they are")
    func classifier() throws {
        let scores = try run(
            """
            %0 = input x : float32[2, 3]
            %1 = parameter w : float32[2, 3]
            %2 = parameter b : float32[2]
            %3 = dense(%0, %1, %2) : float32[2, 2]
            output y = %3
            """, [[1, 2, 3, 4, 5, 6]], parameters: ["w": [1, 0, 0, 1, 1, 1], "b": [0.5, -1]])
        #expect(scores == [1.5, 5, 4.5, 14])
        let probabilities = try run(
            """
            %0 = input x : float32[2, 2]
            %1 = softmax(%0) : float32[2, 2]
            output y = %1
            """, [[1000, 1000, 0, -2000]])
        #expect(probabilities == [0.5, 0.5, 1, 0])
    }

    @Test("keeps not-a-number through ReLU and pooling")
    func notANumber() throws {
        let found = try run(
            """
            %0 = input x : float32[1, 1, 1, 3]
            %1 = relu(%0) : float32[1, 1, 1, 3]
            %2 = maxPool(%1) size=1x3 stride=1x1 padding=0,0,0,0 : float32[1, 1, 1, 1]
            output y = %2
            """, [[1, .nan, 2]])
        #expect(found[0].isNaN)
    }

    @Test("turns pixels into channels")
    func pixels() throws {
        let graph = try Graph(
            text: """
                graph g {
                  %0 = input x : uint8[1, 1, 2, 2]
                  %1 = normalizeImage(%0) mean=0.0,0.2 deviation=1.0,0.1 : float32[1, 2, 1, 2]
                  output y = %1
                  output x = %0
                }
                """)
        let pixels = HostTensor([0, 51, 255, 102] as [UInt8], shape: [1, 1, 2, 2])
        let results = try ReferenceBackend().compile(graph, parameters: [:]).run([pixels])
        #expect(results[0].floats() == [0, 1, 0, 2])
        #expect(results[1].elements(UInt8.self) == [0, 51, 255, 102])
    }

    @Test("rounds a bfloat16 node's result once, after residual and ReLU")
    func rounding() throws {
        let graph = try Graph(
            text: """
                graph g {
                  %0 = input x : bfloat16[1, 1, 1, 1]
                  %1 = parameter f : bfloat16[1, 1, 1, 1]
                  %2 = parameter b : float32[1]
                  %3 = convolution(%0, %1, bias: %2, residual: %0) stride=1x1 padding=0,0,0,0 : bfloat16[1, 1, 1, 1]
                  output y = %3
                }
                """)
        let step = try ReferenceBackend().compile(
            graph,
            parameters: [
                // 1 + 2^-9 rounds to 1 in bfloat16; the bias keeps its float32 value.
                "f": HostTensor([1 + 0x1p-9] as [Float], shape: [1, 1, 1, 1]),
                "b": HostTensor([0x1p-7] as [Float], shape: [1]),
            ])
        let x = HostTensor([BFloat16(1)], shape: [1, 1, 1, 1])
        // 1 + 2^-7 + 1 lies between 2 and 2 + 2^-6: the tie goes to the even 2.
        #expect(try step.run([x])[0].floats() == [2])
        #expect(try step.run([x])[0].elementType == .bfloat16)
    }

    @Test("says which parameter or input is missing or does not fit")
    func errors() throws {
        let graph = try Graph(
            text: """
                graph g {
                  %0 = input x : float32[2]
                  %1 = parameter p : float32[2]
                  %2 = add(%0, %1) : float32[2]
                  output y = %2
                }
                """)
        func failure(_ body: () throws(ExecutionError) -> Void) -> ExecutionError? {
            do throws(ExecutionError) {
                try body()
                return nil
            } catch {
                return error
            }
        }
        let two = HostTensor([1, 2] as [Float], shape: [2])
        let three = HostTensor([1, 2, 3] as [Float], shape: [3])
        let backend = ReferenceBackend()
        let missing = failure { () throws(ExecutionError) in
            _ = try backend.compile(graph, parameters: [:])
        }
        #expect(missing?.code == .missingParameter)
        #expect(missing?.message == "parameter p: expected a tensor float32[2], found none")
        let misshapen = failure { () throws(ExecutionError) in
            _ = try backend.compile(graph, parameters: ["p": three])
        }
        #expect(misshapen?.code == .typeMismatch)
        let step = try backend.compile(graph, parameters: ["p": two])
        for inputs in [[], [three], [two, two], [HostTensor([1, 2] as [Double], shape: [2])]] {
            let error = failure { () throws(ExecutionError) in _ = try step.run(inputs) }
            #expect(error?.code == .typeMismatch)
        }
        let broken = Graph(name: "g", nodes: graph.nodes, outputs: [])
        let unverified = failure { () throws(ExecutionError) in
            _ = try backend.compile(broken, parameters: ["p": two])
        }
        #expect(unverified?.code == .unsupported)
    }
}
