import Graph
import Tensors
import Testing

@Suite("Graphs of several replicas")
struct ReplicaTests {
    /// The text of a graph with inputs of both kinds.
    private func text(_ head: String) -> String {
        """
        graph g\(head) {
          %0 = input x : float32[2, 3]
          %1 = input rate : float32[]
          %2 = multiply(%0, %1) : float32[2, 3]
          %3 = replicaMean(%2) : float32[2, 3]
          output y = %3
          output rate = %1
        }

        """
    }

    @Test("say so in their text, and one does not")
    func textForm() throws {
        let graph = try Graph(text: text(" replicas=4"))
        #expect(graph.replicaCount == 4)
        #expect(graph.description == text(" replicas=4"))
        let single = try Graph(text: text(""))
        #expect(single.replicaCount == 1 && single.description == text(""))
        #expect(try Graph(text: text(" replicas=1")) == single)
        #expect(graph != single)
    }

    @Test(
        "are refused where there are none or too many, and where the text says something else",
        arguments: [
            (" replicas=0", "line 1, column 18: replicas: expected 1 to 65536, found 0"),
            (" replicas=65537", "line 1, column 18: replicas: expected 1 to 65536, found 65537"),
            (" replica=2", "line 1, column 9: expected replicas, found replica"),
            (" replicas", "expected =, found {"),
            (" replicas=-1", "expected a whole number, found -1"),
            (" replicas=2 replicas=2", "expected {, found replicas=2"),
        ])
    func mistakes(head: String, message: String) throws {
        let error = #expect(throws: GraphError.self) { try Graph(text: text(head)) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "none")")
        let isNumber = message.contains("65536")
        #expect(error?.code == (isNumber ? .invalidAttribute : .syntax))
    }

    @Test("take and give along the first axis what all replicas have")
    func wholeTypes() throws {
        let graph = try Graph(text: text(" replicas=4"))
        let scalar = TensorType(.float32, [])
        #expect(graph.inputs.map(\.type) == [TensorType(.float32, [2, 3]), scalar])
        #expect(graph.wholeInputTypes == [TensorType(.float32, [8, 3]), scalar])
        #expect(graph.wholeOutputTypes == [TensorType(.float32, [8, 3]), scalar])
        let single = try Graph(text: text(""))
        #expect(single.wholeInputTypes == single.inputs.map(\.type))
    }

    @Test("are verified: their number, and the size of what they take together")
    func verification() throws {
        let graph = try Graph(text: text(" replicas=2"))
        for count in [0, -1, Int.max] {
            let wrong = Graph(
                name: "g", replicaCount: count, nodes: graph.nodes, outputs: graph.outputs)
            let error = #expect(throws: GraphError.self) { try wrong.verify() }
            #expect(error?.code == .invalidAttribute)
        }
        // 2^62 bytes are a tensor, twice as many are none.
        let huge = text(" replicas=2").replacing("[2, 3]", with: "[\(1 << 61), 2]")
        let error = #expect(throws: GraphError.self) { try Graph(text: huge) }
        #expect(error?.code == .shapeMismatch)
        #expect(error?.message.contains("input x") == true)
        _ = try Graph(text: huge.replacing("replicas=2", with: "replicas=1"))
        // Of an output that no input is as large as.
        let tall = """
            graph g replicas=4 {
              %0 = state s : uint8[\(1 << 61)]
              output s = %0
            }

            """
        let tooTall = #expect(throws: GraphError.self) { try Graph(text: tall) }
        #expect(tooTall?.message.contains("output s") == true)
    }

    @Test("go through every pass")
    func passes() throws {
        let graph = try Graph(
            text: """
                graph g replicas=3 {
                  %0 = input x : float32[1, 2, 4, 4]
                  %1 = parameter filter : float32[2, 2, 1, 1]
                  %2 = parameter vector : float32[2]
                  %3 = convolution(%0, %1) stride=1x1 padding=0,0,0,0 : float32[1, 2, 4, 4]
                  %4 = batchNormalization(%3, %2, %2, %2, %2) epsilon=1.0 : float32[1, 2, 4, 4]
                  %5 = relu(%4) : float32[1, 2, 4, 4]
                  %6 = replicaMean(%5) : float32[1, 2, 4, 4]
                  output y = %6
                }

                """)
        let tensors = [
            "filter": HostTensor([1, 2, 3, 4] as [Float], shape: [2, 2, 1, 1]),
            "vector": HostTensor([1, 1] as [Float], shape: [2]),
        ]
        let changed = [
            try foldBatchNormalization(graph, tensors).graph, try fuse(graph),
            try convert(graph, to: .bfloat16), try removeDeadCode(graph),
            try optimizeForInference(graph, tensors, precision: .bfloat16).graph,
            try GraphBuilder(continuing: graph).finish(), try removeReplicaMeans(graph),
        ]
        for (index, result) in changed.enumerated() {
            #expect(result.replicaCount == 3, "\(index)")
            #expect(result.nodes.contains { $0.operation == .replicaMean }, "\(index)")
            try result.verify()
        }
        // A mean of narrow numbers is one of narrow numbers.
        let converted = changed[2].nodes.first { $0.operation == .replicaMean }
        #expect(converted?.type.elementType == .bfloat16)
    }

    @Test("of which there is one need no means over them")
    func removal() throws {
        let graph = try Graph(
            text: """
                graph g {
                  %0 = input x : float32[2, 3, 1, 1]
                  %1 = state s : float32[2, 3]
                  %2 = batchMoments(%0) : float32[2, 3]
                  %3 = replicaMoments(%2) : float32[2, 3]
                  %4 = replicaMean(%3) : float32[2, 3]
                  %5 = add(%4, %1) : float32[2, 3]
                  output y = %4
                  output z = %5
                  update s = %3
                }

                """)
        #expect(
            try removeReplicaMeans(graph).description == """
                graph g {
                  %0 = input x : float32[2, 3, 1, 1]
                  %1 = state s : float32[2, 3]
                  %2 = batchMoments(%0) : float32[2, 3]
                  %3 = add(%2, %1) : float32[2, 3]
                  output y = %2
                  output z = %3
                  update s = %2
                }

                """)
        let plain = try removeReplicaMeans(graph)
        #expect(try removeReplicaMeans(plain) == plain)
    }
}
