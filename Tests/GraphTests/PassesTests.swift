import Graph
import Tensors
import Testing

@Suite("Passes")
struct PassesTests {
    /// Parses a graph written as the lines between the braces.
    private func graph(_ lines: String) throws -> Graph {
        try Graph(text: "graph g {\n\(lines)\n}\n")
    }

    /// The operations with their operands' places, without the types.
    private func outline(_ graph: Graph) -> [String] {
        graph.nodes.map { node in
            let operands = node.operands.map { "\($0.index)" }.joined(separator: ",")
            switch node.operation {
            case .input(let name), .parameter(let name): return "\(node.operation.name) \(name)"
            case .convolution(let attributes):
                let parts = [
                    attributes.hasBias ? "bias" : nil, attributes.hasResidual ? "residual" : nil,
                    attributes.activation == .relu ? "relu" : nil,
                ].compactMap { $0 }
                return (["convolution(\(operands))"] + parts).joined(separator: " ")
            default: return "\(node.operation.name)(\(operands))"
            }
        }
    }

    /// Lines for an input and a 1x1 filter on two channels; `%0` and `%1`.
    private let start = """
        %0 = input x : float32[1, 2, 4, 4]
        %1 = parameter filter : float32[2, 2, 1, 1]

        """
    private let type = ": float32[1, 2, 4, 4]"
    private let convolution = "stride=1x1 padding=0,0,0,0 : float32[1, 2, 4, 4]"

    // MARK: - Fusion

    @Test("fuses a ReLU into the convolution before it, keeping the convolution's label")
    func fuseRelu() throws {
        let fused = try fuse(
            graph(
                start + """
                    %2 = convolution(%0, %1) \(convolution)  # conv
                    %3 = relu(%2) \(type)  # act
                    output y = %3
                    """))
        #expect(outline(fused) == ["input x", "parameter filter", "convolution(0,1) relu"])
        #expect(fused.nodes[2].label == "conv")
        #expect(fused.outputs == [GraphOutput(name: "y", value: Value(index: 2))])
    }

    @Test("fuses a residual add and the ReLU after it")
    func fuseResidual() throws {
        let fused = try fuse(
            graph(
                start + """
                    %2 = convolution(%0, %1) \(convolution)  # conv
                    %3 = add(%0, %2) \(type)
                    %4 = relu(%3) \(type)
                    output y = %4
                    """))
        #expect(
            outline(fused) == ["input x", "parameter filter", "convolution(0,1,0) residual relu"])
    }

    @Test("fuses an add without a ReLU")
    func fuseAddOnly() throws {
        let fused = try fuse(
            graph(
                start + """
                    %2 = convolution(%0, %1) \(convolution)
                    %3 = add(%2, %0) \(type)
                    output y = %3
                    """))
        #expect(outline(fused) == ["input x", "parameter filter", "convolution(0,1,0) residual"])
    }

    @Test("adds a projection to the later convolution, whichever operand that is")
    func fuseProjection() throws {
        for sum in ["%2, %5", "%5, %2"] {
            let fused = try fuse(
                graph(
                    start + """
                        %2 = convolution(%0, %1) \(convolution)  # downsample
                        %3 = convolution(%0, %1) \(convolution)  # conv1
                        %4 = relu(%3) \(type)
                        %5 = convolution(%4, %1) \(convolution)  # conv2
                        %6 = add(\(sum)) \(type)
                        %7 = relu(%6) \(type)
                        output y = %7
                        """))
            #expect(
                outline(fused) == [
                    "input x", "parameter filter", "convolution(0,1)", "convolution(0,1) relu",
                    "convolution(3,1,2) residual relu",
                ])
            #expect(fused.nodes.suffix(3).map(\.label) == ["downsample", "conv1", "conv2"])
        }
    }

    @Test("fuses into the earlier convolution where the later is read elsewhere")
    func fuseEarlier() throws {
        let fused = try fuse(
            graph(
                start + """
                    %2 = convolution(%0, %1) \(convolution)
                    %3 = convolution(%0, %1) \(convolution)
                    %4 = add(%2, %3) \(type)
                    output y = %4
                    output z = %3
                    """))
        #expect(
            outline(fused) == [
                "input x", "parameter filter", "convolution(0,1)", "convolution(0,1,2) residual",
            ])
        #expect(fused.outputs.map(\.value.index) == [3, 2])
    }

    @Test("leaves what something else reads")
    func fuseNothing() throws {
        let plain = try graph(
            start + """
                %2 = convolution(%0, %1) \(convolution)
                %3 = relu(%2) \(type)
                %4 = add(%2, %3) \(type)
                %5 = convolution(%4, %1) \(convolution)
                %6 = add(%5, %5) \(type)
                %7 = convolution(%6, %1) \(convolution)
                %8 = relu(%7) \(type)
                output y = %8
                output before = %7
                """)
        #expect(try fuse(plain) == plain)
    }

    @Test("does not add after a ReLU, nor two residuals")
    func fuseOrder() throws {
        let fused = try fuse(
            graph(
                start + """
                    %2 = convolution(%0, %1) \(convolution)
                    %3 = relu(%2) \(type)
                    %4 = add(%3, %0) \(type)
                    %5 = convolution(%4, %1) \(convolution)
                    %6 = add(%5, %0) \(type)
                    %7 = add(%6, %4) \(type)
                    %8 = relu(%7) \(type)
                    output y = %8
                    """))
        #expect(
            outline(fused) == [
                "input x", "parameter filter", "convolution(0,1) relu", "add(2,0)",
                "convolution(3,1,0) residual", "add(4,3)", "relu(5)",
            ])
    }

    // MARK: - Folding

    private func foldable(bias: String = "") throws -> Graph {
        try graph(
            """
            %0 = input x : float32[1, 1, 4, 4]
            %1 = parameter conv.weight : float32[2, 1, 1, 1]
            %2 = parameter bn.weight : float32[2]
            %3 = parameter bn.bias : float32[2]
            %4 = parameter bn.mean : float32[2]
            %5 = parameter bn.var : float32[2]
            %6 = convolution(%0, %1\(bias)) stride=1x1 padding=0,0,0,0 : float32[1, 2, 4, 4]  # conv
            %7 = batchNormalization(%6, %2, %3, %4, %5) epsilon=1.0 : float32[1, 2, 4, 4]  # bn
            output y = %7
            """)
    }

    private let tensors: [String: HostTensor] = [
        "conv.weight": HostTensor([2, -3] as [Float], shape: [2, 1, 1, 1]),
        "bn.weight": HostTensor([6, 1] as [Float], shape: [2]),
        "bn.bias": HostTensor([0.5, 10] as [Float], shape: [2]),
        "bn.mean": HostTensor([1, -2] as [Float], shape: [2]),
        "bn.var": HostTensor([8, 0] as [Float], shape: [2]),
        "unused": HostTensor([0] as [Float], shape: [1]),
    ]

    @Test("folds a batch norm into filter and bias")
    func fold() throws {
        let (folded, parameters) = try foldBatchNormalization(foldable(), tensors)
        #expect(
            outline(folded) == [
                "input x", "parameter conv.weight.folded", "parameter bn.bias.folded",
                "convolution(0,1,2) bias",
            ])
        #expect(folded.nodes[3].label == "conv")
        try folded.verify()
        // Factors are 6 / sqrt(8 + 1) = 2 and 1 / sqrt(0 + 1) = 1.
        #expect(Set(parameters.keys) == ["conv.weight.folded", "bn.bias.folded"])
        #expect(parameters["conv.weight.folded"]?.floats() == [4, -3])
        #expect(parameters["bn.bias.folded"]?.floats() == [-1.5, 12])
        #expect(parameters["conv.weight.folded"]?.shape == [2, 1, 1, 1])
    }

    @Test("folds the convolution's own bias too")
    func foldBias() throws {
        let (folded, parameters) = try foldBatchNormalization(
            foldable(bias: ", bias: %4"), tensors)
        #expect(outline(folded).last == "convolution(0,1,2) bias")
        // (bias - mean) is 0 for both channels.
        #expect(parameters["bn.bias.folded"]?.floats() == [0.5, 10])
    }

    @Test("computes factors in float64")
    func foldPrecision() throws {
        var tensors = tensors
        tensors["bn.var"] = HostTensor([2, 6] as [Float], shape: [2])
        tensors["bn.weight"] = HostTensor([0.1, 0.7] as [Float], shape: [2])
        let (_, parameters) = try foldBatchNormalization(foldable(), tensors)
        let factors = [
            Double(Float(0.1)) / 3.0.squareRoot(), Double(Float(0.7)) / 7.0.squareRoot(),
        ]
        #expect(
            parameters["conv.weight.folded"]?.floats() == [
                Float(2 * factors[0]), Float(-3 * factors[1]),
            ])
        #expect(
            parameters["bn.bias.folded"]?.floats() == [
                Float(0.5 - factors[0]), Float(10 + 2 * factors[1]),
            ])
    }

    @Test("leaves a batch norm whose convolution is read elsewhere, or that is no constant's")
    func foldNothing() throws {
        let text = try foldable().description
        let readTwice = try Graph(
            text: text.replacing("output y = %7", with: "output y = %7\n  output raw = %6"))
        #expect(try foldBatchNormalization(readTwice, tensors).graph == readTwice)
        let variable = try Graph(
            text: text.replacing("parameter bn.mean", with: "input bn.mean"))
        #expect(try foldBatchNormalization(variable, tensors).graph == variable)
        let activated = try Graph(
            text: text.replacing("0,0,0,0", with: "0,0,0,0 activation=relu"))
        #expect(try foldBatchNormalization(activated, tensors).graph == activated)
    }

    @Test("gives each folded use of a shared filter a name of its own")
    func foldShared() throws {
        let shared = try graph(
            """
            %0 = input x : float32[1, 1, 4, 4]
            %1 = parameter w : float32[1, 1, 1, 1]
            %2 = parameter p : float32[1]
            %3 = convolution(%0, %1) stride=1x1 padding=0,0,0,0 : float32[1, 1, 4, 4]
            %4 = batchNormalization(%3, %2, %2, %2, %2) epsilon=0.0 : float32[1, 1, 4, 4]
            %5 = convolution(%4, %1) stride=1x1 padding=0,0,0,0 : float32[1, 1, 4, 4]
            %6 = batchNormalization(%5, %2, %2, %2, %2) epsilon=0.0 : float32[1, 1, 4, 4]
            output y = %6
            """)
        let (folded, parameters) = try foldBatchNormalization(
            shared,
            [
                "w": HostTensor([3] as [Float], shape: [1, 1, 1, 1]),
                "p": HostTensor([4] as [Float], shape: [1]),
            ])
        #expect(
            Set(folded.parameters.map(\.name))
                == ["w.folded", "p.folded", "w.folded.2", "p.folded.2"])
        #expect(parameters["w.folded.2"]?.floats() == [6])
    }

    @Test("tells which tensor is missing or does not fit")
    func foldErrors() throws {
        let graph = try foldable()
        func failure(_ change: (inout [String: HostTensor]) -> Void) -> GraphError? {
            var changed = tensors
            change(&changed)
            do throws(GraphError) {
                _ = try foldBatchNormalization(graph, changed)
                return nil
            } catch {
                return error
            }
        }
        let missing = failure { $0["bn.var"] = nil }
        #expect(missing?.code == .missingParameter)
        #expect(missing?.message.contains("bn.var") == true)
        let misshapen = failure { $0["bn.mean"] = HostTensor([1] as [Float], shape: [1]) }
        #expect(misshapen?.code == .shapeMismatch)
        #expect(misshapen?.message == "bn.mean: expected a tensor [2], found [1]")
        let integers = failure { $0["bn.mean"] = HostTensor([1, 2] as [UInt8], shape: [2]) }
        #expect(integers?.code == .elementTypeMismatch)
    }

    // MARK: - Precision

    private func classifier() throws -> Graph {
        try graph(
            """
            %0 = input image : uint8[1, 4, 4, 2]
            %1 = normalizeImage(%0) mean=0.0,0.0 deviation=1.0,1.0 : float32[1, 2, 4, 4]
            %2 = parameter filter : float32[2, 2, 1, 1]
            %3 = parameter bias : float32[2]
            %4 = convolution(%1, %2, bias: %3) stride=1x1 padding=0,0,0,0 : float32[1, 2, 4, 4]  # conv
            %5 = globalAveragePool(%4) : float32[1, 2]  # avgpool
            %6 = parameter fc.weight : float32[3, 2]
            %7 = parameter fc.bias : float32[3]
            %8 = dense(%5, %6, %7) : float32[1, 3]  # fc
            %9 = softmax(%8) : float32[1, 3]
            output logits = %8
            output probabilities = %9
            output features = %5
            """)
    }

    @Test("computes in bfloat16, with biases, logits and outputs in float32")
    func convertToBFloat16() throws {
        let converted = try convert(classifier(), to: .bfloat16)
        try converted.verify()
        #expect(
            converted.nodes.map { "\($0.operation.name) \($0.type)" } == [
                "input uint8[1, 4, 4, 2]", "normalizeImage bfloat16[1, 2, 4, 4]",
                "parameter bfloat16[2, 2, 1, 1]", "parameter float32[2]",
                "convolution bfloat16[1, 2, 4, 4]", "globalAveragePool bfloat16[1, 2]",
                "parameter bfloat16[3, 2]", "parameter float32[3]", "dense float32[1, 3]",
                "softmax float32[1, 3]", "cast float32[1, 2]",
            ])
        #expect(converted.outputs.map(\.value.index) == [8, 9, 10])
        #expect(converted.nodes[10].label == "avgpool")
    }

    @Test("computes in float64 and still gives float32")
    func convertToFloat64() throws {
        let converted = try convert(classifier(), to: .float64)
        #expect(converted.nodes[8].type.elementType == .float64)
        #expect(converted.nodes[3].type.elementType == .float64)
        #expect(converted.outputs.allSatisfy { converted[$0.value].type.elementType == .float32 })
        try converted.verify()
    }

    @Test("leaves a graph that has the type already")
    func convertNothing() throws {
        let graph = try classifier()
        #expect(try convert(graph, to: .float32) == graph)
        let narrow = try convert(graph, to: .bfloat16)
        #expect(try convert(narrow, to: .bfloat16) == narrow)
    }

    @Test("casts a floating-point input once, and a parameter that is read in two types")
    func convertInput() throws {
        let converted = try convert(
            graph(
                start + """
                    %2 = parameter p : float32[2]
                    %3 = convolution(%0, %1, bias: %2) \(convolution)
                    %4 = add(%0, %3) \(type)
                    %5 = relu(%2) : float32[2]
                    output y = %4
                    output z = %5
                    """), to: .bfloat16)
        try converted.verify()
        #expect(converted.nodes.count { $0.operation == .cast(.bfloat16) } == 2)
        #expect(converted[Value(index: 2)].type == TensorType(.float32, [2]))
        #expect(converted.inputs.map(\.type) == [TensorType(.float32, [1, 2, 4, 4])])
    }

    @Test("refuses to compute in whole numbers")
    func convertToIntegers() throws {
        let graph = try classifier()
        do throws(GraphError) {
            _ = try convert(graph, to: .int8)
            Issue.record("expected an error")
        } catch {
            #expect(error.code == .invalidAttribute)
            #expect(error.message.contains("int8"))
        }
    }

    // MARK: - Dead code and composition

    @Test("removes what no output needs, but no input")
    func deadCode() throws {
        let pruned = try removeDeadCode(
            graph(
                start + """
                    %2 = convolution(%0, %1) \(convolution)
                    %3 = input unused : float32[1]
                    %4 = relu(%0) \(type)
                    %5 = relu(%2) \(type)
                    output y = %4
                    """))
        #expect(outline(pruned) == ["input x", "input unused", "relu(0)"])
    }

    @Test("composes the passes")
    func optimize() throws {
        let text = try foldable().description.replacing(
            "output y = %7", with: "%8 = relu(%7) : float32[1, 2, 4, 4]\n  output y = %8")
        let (graph, parameters) = try optimizeForInference(
            Graph(text: text), tensors, precision: .bfloat16)
        #expect(
            outline(graph) == [
                "input x", "parameter conv.weight.folded", "parameter bn.bias.folded", "cast(0)",
                "convolution(3,1,2) bias relu", "cast(4)",
            ])
        #expect(graph.parameters.map(\.type.elementType) == [.bfloat16, .float32])
        #expect(parameters.values.allSatisfy { $0.elementType == .float32 })
    }
}
