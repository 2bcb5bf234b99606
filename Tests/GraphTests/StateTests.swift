import Graph
import Tensors
import Testing

@Suite("State and updates")
struct StateTests {
    private let vector = TensorType(.float32, [2])

    /// A builder with the states `a` `%0` and `b` `%1`, and their sum `%2`.
    private func builder() throws(GraphError) -> GraphBuilder {
        var builder = GraphBuilder(name: "g")
        let a = try builder.state("a", type: vector)
        let b = try builder.state("b", type: vector)
        _ = try builder.add(a, b)
        return builder
    }

    private func failure(
        _ body: (inout GraphBuilder) throws(GraphError) -> Void
    ) throws -> GraphError? {
        var builder = try builder()
        do throws(GraphError) {
            try body(&builder)
            return nil
        } catch {
            return error
        }
    }

    @Test("make a graph without outputs, and count as readers")
    func updatesOnly() throws {
        var builder = try builder()
        try builder.update("b", Value(index: 2))
        try builder.update("a", Value(index: 1))
        let graph = try builder.finish()
        try graph.verify()
        #expect(graph.outputs.isEmpty)
        #expect(graph.updates.map(\.name) == ["b", "a"])
        #expect(graph.states.map(\.name) == ["a", "b"])
        #expect(graph.states.map(\.type) == [vector, vector])
        #expect(graph.parameters.isEmpty)
        #expect(graph.readerCounts == [1, 2, 1])
        #expect(
            graph.description == """
                graph g {
                  %0 = state a : float32[2]
                  %1 = state b : float32[2]
                  %2 = add(%0, %1) : float32[2]
                  update b = %2
                  update a = %1
                }

                """)
        #expect(try Graph(text: graph.description) == graph)
        #expect(Graph(name: "g", nodes: graph.nodes, outputs: []).updates.isEmpty)
    }

    @Test("are refused where the state is unknown, has an update, or is of another type")
    func mistakes() throws {
        let unknown = try failure { builder throws(GraphError) in
            try builder.update("c", Value(index: 2))
        }
        #expect(unknown?.code == .unknownState)
        #expect(unknown?.message.contains("update c") == true)
        #expect(unknown?.message.contains("a, b") == true)
        let twice = try failure { builder throws(GraphError) in
            try builder.update("a", Value(index: 2))
            try builder.update("a", Value(index: 1))
        }
        #expect(twice?.code == .duplicateName)
        let shape = try failure { builder throws(GraphError) in
            try builder.update("a", builder.stack([Value(index: 0), Value(index: 1)]))
        }
        #expect(shape?.code == .shapeMismatch)
        #expect(shape?.message == "update a: expected the state's float32[2], found float32[2, 2]")
        let element = try failure { builder throws(GraphError) in
            try builder.update("a", builder.cast(Value(index: 0), to: .float64))
        }
        #expect(element?.code == .elementTypeMismatch)
        let value = try failure { builder throws(GraphError) in
            try builder.update("a", Value(index: 3))
        }
        #expect(value?.code == .unknownValue)
        let name = try failure { builder throws(GraphError) in
            _ = try builder.state("b", type: vector)
        }
        #expect(name?.code == .duplicateName)
        let empty = try failure { builder throws(GraphError) in
            _ = try builder.state("c", type: TensorType(.float32, [0]))
        }
        #expect(empty?.code == .invalidAttribute)
    }

    @Test("are checked by verify")
    func verification() throws {
        let nodes = try {
            var builder = try builder()
            try builder.output("y", Value(index: 2))
            return try builder.finish().nodes
        }()
        func code(_ updates: [GraphOutput], _ nodes: [Node]) -> GraphError.Code? {
            do throws(GraphError) {
                try Graph(name: "g", nodes: nodes, outputs: [], updates: updates).verify()
                return nil
            } catch {
                return error.code
            }
        }
        let update = GraphOutput(name: "a", value: Value(index: 2))
        #expect(code([update], nodes) == nil)
        #expect(code([], nodes) == .missingOutput)
        #expect(code([update, update], nodes) == .duplicateName)
        #expect(code([GraphOutput(name: "x", value: Value(index: 2))], nodes) == .unknownState)
        #expect(code([GraphOutput(name: "a", value: Value(index: 9))], nodes) == .unknownValue)
        var wrong = nodes
        wrong.append(
            Node(
                operation: .constant(1, .float32), operands: [Value(index: 0)],
                type: TensorType(.float32, []), label: ""))
        #expect(code([update], wrong) == .operandCountMismatch)
        wrong[3] = Node(
            operation: .constant(1, .float32), operands: [], type: vector, label: "")
        #expect(code([update], wrong) == .shapeMismatch)
    }

    @Test("let a builder continue a graph, whose values keep their places")
    func continuing() throws {
        var first = try builder()
        try first.update("a", Value(index: 2))
        var second = try GraphBuilder(continuing: first.finish())
        let norm = try second.squaredNorm([Value(index: 2)])
        try second.output("norm", norm)
        try second.update("b", Value(index: 0))
        let graph = try second.finish()
        #expect(graph.updates.map(\.name) == ["a", "b"])
        #expect(graph.outputs == [GraphOutput(name: "norm", value: Value(index: 3))])
        // It knows what there is.
        var third = try GraphBuilder(continuing: graph)
        #expect(throws: GraphError.self) { try third.update("a", Value(index: 0)) }
        #expect(throws: GraphError.self) { _ = try third.state("b", type: vector) }
        let wrong = Node(operation: .relu, operands: [Value(index: 0)], type: vector, label: "")
        #expect(throws: GraphError.self) {
            _ = try GraphBuilder(continuing: Graph(name: "g", nodes: [wrong], outputs: []))
        }
    }

    static let mistakesInText: [(line: String, code: GraphError.Code, message: String)] = [
        ("update c = %0", .unknownState, "line 4, column 3: update c"),
        ("update a = %1", .shapeMismatch, "line 4, column 3: update a"),
        ("%2 = constant : float32[]", .syntax, "expected a finite number, found :"),
        ("%2 = constant 1e400 : float32[]", .syntax, "expected a finite number"),
        ("%2 = constant 1.0 : float32[2]", .shapeMismatch, "gives float32[], the text states"),
        ("%2 = constant 1.0 : int32[]", .invalidAttribute, "float32 or float64"),
        ("%2 = row(%0) : float32[]", .syntax, "row: expected the attribute index"),
        ("%2 = row(%0) index=-1 : float32[]", .syntax, "expected a whole number"),
        ("%2 = relu(%0) index=1 : float32[2]", .syntax, "relu has no attribute index"),
        (
            "%2 = add(%0, %0, weights: %0) : float32[2]", .syntax,
            "add has no operand bias:, residual: or weights:"
        ),
        (
            "%2 = crossEntropy(%0, %0, bias: %0) smoothing=0.0 : float32[]", .syntax,
            "crossEntropy has no operand bias:"
        ),
        (
            "%2 = convolution(%0, %0, weights: %0) stride=1x1 padding=0,0,0,0 : float32[2]",
            .syntax, "convolution has no operand"
        ),
        (
            "%2 = globalAveragePoolGradient(%0) : float32[2]", .syntax,
            "expected a result of 4 axes, found [2]"
        ),
        (
            "%2 = velocityUpdate(%0, %0, %0, %1, %1) convention=keras momentum=0.0 "
                + "weightDecay=0.0 nesterov=maybe : float32[2]", .syntax,
            "expected nesterov true or false, found maybe"
        ),
        (
            "%2 = velocityUpdate(%0, %0, %0, %1, %1) convention=torch : float32[2]", .syntax,
            "expected convention pyTorch or keras, found torch"
        ),
    ]

    @Test("have mistakes in text told by line and column", arguments: mistakesInText.indices)
    func text(index: Int) {
        let (line, code, message) = Self.mistakesInText[index]
        do throws(GraphError) {
            _ = try Graph(
                text: """
                    graph g {
                      %0 = state a : float32[2]
                      %1 = input x : float32[]
                      \(line)
                      output y = %0
                    }
                    """)
            Issue.record("expected \(message)")
        } catch {
            #expect(error.code == code, "\(error)")
            #expect(error.message.contains(message), "\(error)")
            #expect(error.message.hasPrefix("line 4, "), "\(error)")
        }
    }
}
