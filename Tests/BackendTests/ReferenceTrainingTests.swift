import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

/// Numbers that can be checked by hand, and errors.
@Suite("Reference back end, training by hand")
struct ReferenceTrainingTests {
    /// Runs a graph given as text, once.
    private func run(
        _ lines: String, _ inputs: [HostTensor], states: Parameters = [:]
    ) throws -> (outputs: [[Double]], states: Parameters) {
        let graph = try Graph(text: "graph g {\n\(lines)\n}\n")
        let step = try ReferenceBackend().compileUpdate(graph, parameters: [:])
        var state = try step.makeState(states)
        let outputs = try step.run(inputs, state: &state)
        return (outputs.map { $0.doubles() }, try state.tensors())
    }

    private func floats(_ values: [Float], _ shape: Shape) -> HostTensor {
        HostTensor(values, shape: shape)
    }

    @Test("takes biased variances, however large the means")
    func moments() throws {
        let x = floats([1000, 1001, 1002, 1003, 1, 1, 1, 5], [1, 2, 2, 2])
        let found = try run(
            """
            %0 = input x : float32[1, 2, 2, 2]
            %1 = batchMoments(%0) : float32[2, 2]
            output y = %1
            """, [x])
        #expect(found.outputs == [[1001.5, 2, 1.25, 3]])
    }

    @Test("moves a filter over the input to get its gradient, and back to get the input's")
    func convolution() throws {
        let found = try run(
            """
            %0 = input g : float32[1, 1, 1, 2]
            %1 = input x : float32[1, 1, 1, 4]
            %2 = state f : float32[1, 1, 1, 3]
            %3 = convolutionFilterGradient(%0, %1) stride=2x2 padding=0,1,0,0 : float32[1, 1, 1, 3]
            %4 = convolutionInputGradient(%0, %2) stride=2x2 padding=0,1,0,0 : float32[1, 1, 1, 4]
            output f = %3
            output x = %4
            """, [floats([10, 100], [1, 1, 1, 2]), floats([1, 2, 3, 4], [1, 1, 1, 4])],
            states: ["f": floats([5, 6, 7], [1, 1, 1, 3])])
        // The window reads (padding, 1, 2), then (2, 3, 4).
        #expect(found.outputs == [[200, 310, 420], [60, 570, 600, 700]])
    }

    @Test("names the first of the largest, and gives the gradient to it")
    func pooling() throws {
        let x = floats([3, 3, 1, 5, 2, 5], [1, 1, 1, 6])
        let found = try run(
            """
            %0 = input x : float32[1, 1, 1, 6]
            %1 = input g : float32[1, 1, 1, 3]
            %2 = maxPoolIndices(%0) size=1x3 stride=1x2 padding=0,1,0,0 : uint8[1, 1, 1, 3]
            %3 = maxPoolGradient(%1, %2) size=1x3 stride=1x2 padding=0,1,0,0 : float32[1, 1, 1, 6]
            output i = %2
            output g = %3
            """, [x, floats([1, 10, 100], [1, 1, 1, 3])])
        #expect(found.outputs == [[1, 2, 0], [1, 0, 0, 110, 0, 0]])
    }

    @Test("computes losses as PyTorch defines them")
    func losses() throws {
        // Logits of log 1, log 2, log 5 have probabilities 1/8, 1/4, 5/8.
        let logits = floats([0, 0.6931472, 1.6094379], [1, 3])
        let label = HostTensor([2] as [Int32], shape: [1])
        let weights = floats([1, 2, 4], [3])
        func loss(_ attributes: String, _ weighted: Bool) throws -> Double {
            try run(
                """
                %0 = input x : float32[1, 3]
                %1 = input l : int32[1]
                %2 = state w : float32[3]
                %3 = crossEntropy(%0, %1\(weighted ? ", weights: %2" : "")) \(attributes) : float32[]
                output y = %3
                """, [logits, label], states: ["w": weights]
            ).outputs[0][0]
        }
        // Their negated logarithms.
        let terms = [2.0794415416798357, 1.3862943611198906, 0.4700036292457356]
        func near(_ first: Double, _ second: Double) -> Bool { abs(first - second) <= 1e-6 }
        #expect(near(try loss("smoothing=0.0", false), terms[2]))
        #expect(near(try loss("smoothing=0.0", true), terms[2]))
        let even = (terms[0] + terms[1] + terms[2]) / 3
        #expect(near(try loss("smoothing=0.3", false), 0.7 * terms[2] + 0.3 * even))
        // With weights: (0.7 * 4 * t2 + 0.1 * (t0 + 2 t1 + 4 t2)) / 4.
        let weighted = 0.7 * 4 * terms[2] + 0.1 * (terms[0] + 2 * terms[1] + 4 * terms[2])
        #expect(near(try loss("smoothing=0.3", true), weighted / 4))
    }

    @Test("gives not-a-number for a label outside the classes, and counts it as wrong")
    func labels() throws {
        for label in [-1, 3] as [Int32] {
            let found = try run(
                """
                %0 = input x : float32[2, 3]
                %1 = input l : int32[2]
                %2 = crossEntropy(%0, %1) smoothing=0.0 : float32[]
                %3 = correctCount(%0, %1) top=3 : float32[]
                output loss = %2
                output count = %3
                """,
                [floats([1, 2, 3, 4, 5, 6], [2, 3]), HostTensor([label, 0], shape: [2])])
            #expect(found.outputs[0][0].isNaN)
            #expect(found.outputs[1] == [1])
        }
    }

    @Test("counts earlier classes of equal logits as larger, and no label without a number")
    func correct() throws {
        let logits = floats([2, 2, 1, 1, 3, 3, .nan, 0, 0], [3, 3])
        for (labels, count) in [([0, 1, 0], 2.0), ([1, 2, 1], 0)] as [([Int32], Double)] {
            let found = try run(
                """
                %0 = input x : float32[3, 3]
                %1 = input l : int32[3]
                %2 = correctCount(%0, %1) top=1 : float32[]
                output y = %2
                """, [logits, HostTensor(labels, shape: [3])])
            #expect(found.outputs == [[count]])
        }
    }

    @Test("keeps weights and shrinks the scale where float16 gradients overflow")
    func lossScale() throws {
        let lines = """
            %0 = input g : float16[2]
            %1 = state s : float32[2]
            %2 = state w : float32[2]
            %3 = row(%1) index=0 : float32[]
            %4 = cast(%3) : float16[]
            %5 = multiply(%0, %4) : float16[2]
            %6 = isFinite(%5) : float32[]
            %7 = cast(%5) : float32[2]
            %8 = add(%2, %7) : float32[2]
            %9 = select(%6, %8, %2) : float32[2]
            %10 = lossScaleUpdate(%1, %6) growth=2.0 backoff=0.5 interval=2 : float32[2]
            update w = %9
            update s = %10
            """
        let graph = try Graph(text: "graph g {\n\(lines)\n}\n")
        let step = try ReferenceBackend().compileUpdate(graph, parameters: [:])
        var state = try step.makeState([
            "s": floats([16, 0], [2]), "w": floats([1, 2], [2]),
        ])
        // Times 16 the first is beyond float16's 65504; times 8 it is within.
        let gradient = try floats([5000, 1], [2]).converted(to: .float16)
        let expected: [(scale: [Double], weights: [Double])] = [
            ([8, 0], [1, 2]), ([8, 1], [40001, 10]), ([16, 0], [80001, 18]),
            ([8, 0], [80001, 18]),
        ]
        for (scale, weights) in expected {
            _ = try step.run([gradient], state: &state)
            let tensors = try state.tensors()
            #expect(tensors["s"]?.doubles() == scale)
            #expect(tensors["w"]?.doubles() == weights)
        }
    }

    @Test("says which state is missing, does not fit or is another back end's")
    func errors() throws {
        let graph = try Graph(
            text: """
                graph g {
                  %0 = state w : float32[2]
                  %1 = add(%0, %0) : float32[2]
                  output y = %1
                  update w = %1
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
        let backend = ReferenceBackend()
        let stateless = failure { () throws(ExecutionError) in
            _ = try backend.compile(graph, parameters: [:])
        }
        #expect(stateless?.code == .unsupported)
        let step = try backend.compileUpdate(graph, parameters: [:])
        let missing = failure { () throws(ExecutionError) in _ = try step.makeState([:]) }
        #expect(missing?.code == .missingParameter)
        #expect(missing?.message == "state w: expected a tensor float32[2], found none")
        for tensor in [floats([1], [1]), HostTensor([1, 2] as [Double], shape: [2])] {
            let error = failure { () throws(ExecutionError) in
                _ = try step.makeState(["w": tensor])
            }
            #expect(error?.code == .typeMismatch)
        }
        let unknown = failure { () throws(ExecutionError) in
            let state = try step.makeState(["w": floats([1, 2], [2])])
            _ = try state.tensors(named: ["v"])
        }
        #expect(unknown?.code == .missingParameter)
        let foreign = failure { () throws(ExecutionError) in
            var state = DeviceState(storage: ForeignStorage())
            _ = try step.run([], state: &state)
        }
        #expect(foreign?.code == .typeMismatch)

        // What throws before computing leaves the state as it was.
        var state = try step.makeState(["w": floats([1, 2], [2])])
        let surplus = floats([1], [1])
        #expect(throws: ExecutionError.self) { _ = try step.run([surplus], state: &state) }
        #expect(try state.tensors()["w"]?.doubles() == [1, 2])
        _ = try step.run([], state: &state)
        #expect(try state.tensors()["w"]?.doubles() == [2, 4])
    }
}

private final class ForeignStorage: DeviceStorage {
    func tensors(named names: [String]?) throws(ExecutionError) -> Parameters { [:] }
}
