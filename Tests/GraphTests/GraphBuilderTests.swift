import Graph
import Tensors
import Testing

@Suite("Graph builder")
struct GraphBuilderTests {
    private func float32(_ shape: Shape) -> TensorType { TensorType(.float32, shape) }

    /// Infers a convolution's result for `x` and filter.
    private func convolve(
        _ x: Shape, _ filter: Shape, stride: Spatial = Spatial(1), padding: Padding = Padding(0)
    ) throws(GraphError) -> Shape {
        var builder = GraphBuilder(name: "test")
        let x = try builder.input("x", type: float32(x))
        let filter = try builder.parameter("filter", type: float32(filter))
        let y = try builder.convolution(
            x, filter: filter, stride: stride, padding: padding, label: "conv")
        return builder.type(of: y)?.shape ?? []
    }

    private func expectError(
        _ code: GraphError.Code, _ fragments: String...,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws(GraphError) -> Void
    ) {
        do throws(GraphError) {
            try body()
            Issue.record("expected an error \(code)", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
            for fragment in fragments {
                #expect(
                    error.message.contains(fragment), "\(error) lacks \(fragment)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    @Test("infers the sizes of convolutions")
    func convolutionSizes() throws {
        #expect(
            try convolve(
                [8, 3, 224, 224], [64, 3, 7, 7], stride: Spatial(2), padding: Padding(3))
                == [8, 64, 112, 112])
        #expect(
            try convolve([1, 5, 57, 57], [7, 5, 3, 3], stride: Spatial(2), padding: Padding(1))
                == [1, 7, 29, 29])
        #expect(try convolve([1, 1, 1, 1], [1, 1, 1, 1]) == [1, 1, 1, 1])
        #expect(
            try convolve(
                [1, 2, 9, 14], [3, 2, 2, 5], stride: Spatial(height: 1, width: 3))
                == [1, 3, 8, 4])
        // TensorFlow's SAME for even sizes.
        #expect(
            try convolve(
                [1, 3, 224, 224], [64, 3, 7, 7], stride: Spatial(2),
                padding: Padding(top: 2, left: 2, bottom: 3, right: 3)) == [1, 64, 112, 112])
    }

    @Test("infers types of the other operations")
    func otherTypes() throws {
        var builder = GraphBuilder(name: "test")
        let image = try builder.input("image", type: TensorType(.uint8, [2, 16, 12, 3]))
        let x = try builder.normalizeImage(
            image, mean: [0, 0, 0], deviation: [1, 1, 1], elementType: .bfloat16)
        #expect(builder.type(of: x) == TensorType(.bfloat16, [2, 3, 16, 12]))
        let pooled = try builder.maxPool(
            x, size: Spatial(3), stride: Spatial(2), padding: Padding(1))
        #expect(builder.type(of: pooled) == TensorType(.bfloat16, [2, 3, 8, 6]))
        let features = try builder.globalAveragePool(pooled)
        #expect(builder.type(of: features) == TensorType(.bfloat16, [2, 3]))
        let weight = try builder.parameter("weight", type: TensorType(.bfloat16, [10, 3]))
        let bias = try builder.parameter("bias", type: float32([10]))
        let narrow = try builder.dense(features, weight: weight, bias: bias)
        #expect(builder.type(of: narrow) == TensorType(.bfloat16, [2, 10]))
        let wide = try builder.dense(features, weight: weight, bias: bias, elementType: .float32)
        #expect(builder.type(of: wide) == float32([2, 10]))
        let probabilities = try builder.softmax(narrow)
        #expect(builder.type(of: probabilities) == float32([2, 10]))
        let numbers = try builder.cast(image, to: .float64)
        #expect(builder.type(of: numbers) == TensorType(.float64, [2, 16, 12, 3]))
        let double = try builder.input("double", type: TensorType(.float64, [1, 4]))
        let wideProbabilities = try builder.softmax(double)
        #expect(builder.type(of: wideProbabilities)?.elementType == .float64)
        #expect(builder.type(of: Value(index: 999)) == nil)
    }

    @Test("names label, expectation and finding where a filter does not fit")
    func filterMismatch() {
        expectError(.shapeMismatch, "conv: ", "64 channels", "[1, 64, 8, 8]", "[64, 32, 3, 3]") {
            () throws(GraphError) in
            _ = try convolve([1, 64, 8, 8], [64, 32, 3, 3])
        }
        expectError(.shapeMismatch, "conv", "height", "window's 9") { () throws(GraphError) in
            _ = try convolve([1, 1, 8, 8], [1, 1, 9, 1])
        }
        expectError(.rankMismatch, "[O, I, H, W]", "[64, 32]") { () throws(GraphError) in
            _ = try convolve([1, 32, 8, 8], [64, 32])
        }
    }

    @Test("refuses strides, paddings and windows out of range")
    func attributes() {
        expectError(.invalidAttribute, "strides of at least 1", "0x1") { () throws(GraphError) in
            _ = try convolve(
                [1, 1, 8, 8], [1, 1, 1, 1], stride: Spatial(height: 0, width: 1))
        }
        expectError(.invalidAttribute, "padding of at least 0", "-1") { () throws(GraphError) in
            _ = try convolve([1, 1, 8, 8], [1, 1, 1, 1], padding: Padding(-1))
        }
        expectError(.invalidAttribute, "padding") { () throws(GraphError) in
            _ = try convolve([1, 1, 8, 8], [1, 1, 1, 1], padding: Padding(.max))
        }
        expectError(.invalidAttribute, "smaller than the window") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: float32([1, 1, 8, 8]))
            _ = try builder.maxPool(
                x, size: Spatial(2), stride: Spatial(2), padding: Padding(2))
        }
        expectError(.invalidAttribute, "epsilon") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: float32([1, 2, 8, 8]))
            let c = try builder.parameter("c", type: float32([2]))
            _ = try builder.batchNormalization(
                x, scale: c, shift: c, mean: c, variance: c, epsilon: .nan)
        }
        expectError(.invalidAttribute, "each of the 3 channels") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: TensorType(.uint8, [1, 2, 2, 3]))
            _ = try builder.normalizeImage(x, mean: [0], deviation: [1])
        }
        expectError(.invalidAttribute, "above 0") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: TensorType(.uint8, [1, 2, 2, 1]))
            _ = try builder.normalizeImage(x, mean: [0], deviation: [0])
        }
        expectError(.invalidAttribute, "extents of at least 1") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            _ = try builder.input("x", type: float32([1, 0]))
        }
        expectError(.shapeMismatch, "too large") { () throws(GraphError) in
            _ = try convolve(
                [1 << 20, 1, 1, 1], [1 << 20, 1, 1, 1], padding: Padding(1 << 30))
        }
        expectError(.shapeMismatch, "at least the window's") { () throws(GraphError) in
            _ = try convolve([1, 1, .max / 2, 1], [1, 1, 1, 1], padding: Padding(1))
        }
    }

    @Test("keeps element types together")
    func elementTypes() {
        expectError(.elementTypeMismatch, "sum", "float32", "bfloat16") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: float32([2]))
            let y = try builder.input("y", type: TensorType(.bfloat16, [2]))
            _ = try builder.add(x, y, label: "sum")
        }
        expectError(.elementTypeMismatch, "bias", "narrower, float32", "float64") {
            () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: TensorType(.bfloat16, [1, 1, 1, 1]))
            let filter = try builder.parameter(
                "filter", type: TensorType(.bfloat16, [1, 1, 1, 1]))
            let bias = try builder.parameter("bias", type: TensorType(.float64, [1]))
            _ = try builder.convolution(x, filter: filter, bias: bias)
        }
        expectError(.elementTypeMismatch, "floating-point", "uint8") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: TensorType(.uint8, [2]))
            _ = try builder.relu(x)
        }
        expectError(.elementTypeMismatch, "dense", "bfloat16") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: float32([1, 2]))
            let weight = try builder.parameter("weight", type: float32([3, 2]))
            let bias = try builder.parameter("bias", type: float32([3]))
            _ = try builder.dense(x, weight: weight, bias: bias, elementType: .bfloat16)
        }
        expectError(.invalidAttribute, "cast", "int8") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: float32([1, 2]))
            _ = try builder.cast(x, to: .int8)
        }
    }

    @Test("refuses unknown values, duplicate names, missing operands and missing outputs")
    func structure() {
        expectError(.unknownValue, "%1", "%7") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            _ = try builder.input("x", type: float32([1]))
            _ = try builder.relu(Value(index: 7))
        }
        expectError(.unknownValue, "output y", "%-1") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            try builder.output("y", Value(index: -1))
        }
        expectError(.duplicateName, "input x") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            _ = try builder.input("x", type: float32([1]))
            _ = try builder.input("x", type: float32([2]))
        }
        expectError(.duplicateName, "parameter p") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            _ = try builder.parameter("p", type: float32([1]))
            _ = try builder.parameter("p", type: float32([1]))
        }
        expectError(.duplicateName, "output y") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: float32([1]))
            try builder.output("y", x)
            try builder.output("y", x)
        }
        expectError(.invalidAttribute, "input", "name") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            _ = try builder.input("", type: float32([1]))
        }
        expectError(.operandCountMismatch, "add", "2", "1") { () throws(GraphError) in
            var builder = GraphBuilder(name: "test")
            let x = try builder.input("x", type: float32([1]))
            _ = try builder.append(.add, [x])
        }
        expectError(.missingOutput, "graph test") { () throws(GraphError) in
            _ = try GraphBuilder(name: "test").finish()
        }
    }

    @Test("verifies what it has built, and finds what was tampered with")
    func verification() throws {
        var builder = GraphBuilder(name: "test")
        let x = try builder.input("x", type: float32([1, 2]))
        let y = try builder.relu(x, label: "activation")
        try builder.output("y", y)
        let graph = try builder.finish()
        try graph.verify()
        #expect(graph.inputs.map(\.name) == ["x"])
        #expect(graph.readerCounts == [1, 1])

        var nodes = graph.nodes
        nodes[1].type = float32([1, 3])
        expectError(.shapeMismatch, "activation", "[1, 2]", "[1, 3]") { () throws(GraphError) in
            try Graph(name: "test", nodes: nodes, outputs: graph.outputs).verify()
        }
        nodes = graph.nodes
        nodes[1].operands = [Value(index: 1)]
        expectError(.unknownValue, "%1") { () throws(GraphError) in
            try Graph(name: "test", nodes: nodes, outputs: graph.outputs).verify()
        }
        nodes = graph.nodes
        nodes[0].operands = [Value(index: 0)]
        expectError(.operandCountMismatch, "%0") { () throws(GraphError) in
            try Graph(name: "test", nodes: nodes, outputs: graph.outputs).verify()
        }
    }
}
