import Graph
import Tensors
import Testing

@Suite("Passes over graphs with state")
struct TrainingPassesTests {
    private func graph(_ lines: String) throws(GraphError) -> Graph {
        try Graph(text: "graph g {\n\(lines)\n}\n")
    }

    /// Each node's operation, operands and type.
    private func outline(_ graph: Graph) -> [String] {
        graph.nodes.map { node in
            let operands = node.operands.map { "\($0.index)" }.joined(separator: ",")
            return "\(node.operation.name)(\(operands)) \(node.type)"
        }
    }

    @Test("dead code: updates keep what they need and the states they name")
    func deadCode() throws {
        let pruned = try removeDeadCode(
            graph(
                """
                %0 = state read : float32[1]
                %1 = state written : float32[1]
                %2 = state unused : float32[1]
                %3 = relu(%0) : float32[1]
                %4 = relu(%2) : float32[1]
                %5 = reciprocal(%3) : float32[1]
                update written = %5
                """))
        #expect(
            pruned.description == """
                graph g {
                  %0 = state read : float32[1]
                  %1 = state written : float32[1]
                  %2 = relu(%0) : float32[1]
                  %3 = reciprocal(%2) : float32[1]
                  update written = %3
                }

                """)
    }

    /// A convolution `%3` with a batch norm `%4` and a ReLU `%5`.
    private func block(_ results: String) throws -> Graph {
        try graph(
            """
            %0 = input x : float32[1, 2, 4, 4]
            %1 = parameter filter : float32[2, 2, 1, 1]
            %2 = parameter vector : float32[2]
            %3 = convolution(%0, %1) stride=1x1 padding=0,0,0,0 : float32[1, 2, 4, 4]
            %4 = batchNormalization(%3, %2, %2, %2, %2) epsilon=1.0 : float32[1, 2, 4, 4]
            %5 = convolution(%4, %1) stride=1x1 padding=0,0,0,0 : float32[1, 2, 4, 4]
            %6 = relu(%5) : float32[1, 2, 4, 4]
            %7 = state kept : float32[1, 2, 4, 4]
            \(results)
            """)
    }

    private let tensors = [
        "filter": HostTensor([1, 2, 3, 4] as [Float], shape: [2, 2, 1, 1]),
        "vector": HostTensor([1, 1] as [Float], shape: [2]),
    ]

    @Test("fold and fuse carry updates over, and leave what an update reads")
    func foldAndFuse() throws {
        let fused = try optimizeForInference(block("update kept = %6"), tensors).graph
        try fused.verify()
        #expect(
            fused.nodes.map(\.operation.name).filter { $0 != "parameter" } == [
                "input", "convolution", "convolution", "state",
            ])
        #expect(fused.updates.map(\.name) == ["kept"])
        #expect(fused[fused.updates[0].value].operation.name == "convolution")

        let unfused = try fuse(block("output y = %6\nupdate kept = %5"))
        #expect(unfused.nodes.contains { $0.operation == .relu })
        let read = try block("output y = %6\nupdate kept = %3")
        #expect(try foldBatchNormalization(read, tensors).graph == removeDeadCode(read))
    }

    /// The forward part of a step, with float32 states.
    private func forward() throws -> Graph {
        try graph(
            """
            %0 = input image : uint8[2, 4, 4, 3]
            %1 = normalizeImage(%0) mean=0.0,0.0,0.0 deviation=1.0,1.0,1.0 : float32[2, 3, 4, 4]
            %2 = state conv.weight : float32[5, 3, 1, 1]
            %3 = state bn.weight : float32[5]
            %4 = convolution(%1, %2) stride=1x1 padding=0,0,0,0 : float32[2, 5, 4, 4]  # conv
            %5 = batchMoments(%4) : float32[2, 5]
            %6 = normalizeBatch(%4, %3, %3, %5) epsilon=0.0 : float32[2, 5, 4, 4]  # bn
            %7 = convolution(%1, %2) stride=1x1 padding=0,0,0,0 : float32[2, 5, 4, 4]
            %8 = add(%6, %7) : float32[2, 5, 4, 4]
            %9 = globalAveragePool(%8) : float32[2, 5]
            %10 = state fc.weight : float32[6, 5]
            %11 = state fc.bias : float32[6]
            %12 = dense(%9, %10, %11) : float32[2, 6]
            %13 = input labels : int32[2]
            %14 = crossEntropy(%12, %13) smoothing=0.1 : float32[]
            %15 = correctCount(%12, %13) top=5 : float32[]
            %16 = constant 0.1 : float32[]
            %17 = state bn.mean : float32[5]
            %18 = row(%5) index=0 : float32[5]
            %19 = movingAverage(%17, %18, %16) : float32[5]
            output loss = %14
            output correct = %15
            update bn.mean = %19
            """)
    }

    @Test("convert: weights stay float32 and are cast once each for what computes in bfloat16")
    func keepParameters() throws {
        let converted = try convert(forward(), to: .bfloat16, keepingParameters: true)
        try converted.verify()
        #expect(
            outline(converted) == [
                "input() uint8[2, 4, 4, 3]",
                "normalizeImage(0) bfloat16[2, 3, 4, 4]",
                "state() float32[5, 3, 1, 1]",
                "state() float32[5]",
                "cast(2) bfloat16[5, 3, 1, 1]",
                "convolution(1,4) bfloat16[2, 5, 4, 4]",
                "batchMoments(5) float32[2, 5]",
                "normalizeBatch(5,3,3,6) bfloat16[2, 5, 4, 4]",
                "convolution(1,4) bfloat16[2, 5, 4, 4]",
                "add(7,8) bfloat16[2, 5, 4, 4]",
                "globalAveragePool(9) bfloat16[2, 5]",
                "state() float32[6, 5]",
                "state() float32[6]",
                "cast(11) bfloat16[6, 5]",
                "dense(10,13,12) float32[2, 6]",
                "input() int32[2]",
                "crossEntropy(14,15) float32[]",
                "correctCount(14,15) float32[]",
                "constant() float32[]",
                "state() float32[5]",
                "row(6) float32[5]",
                "movingAverage(19,20,18) float32[5]",
            ])
        #expect(converted.updates == [GraphOutput(name: "bn.mean", value: Value(index: 21))])
        #expect(converted.outputs.map(\.value.index) == [16, 17])
        // Once more changes nothing, and neither does the type it has.
        #expect(try convert(converted, to: .bfloat16, keepingParameters: true) == converted)
        #expect(try convert(forward(), to: .float32, keepingParameters: true) == forward())
    }

    @Test("convert: parameters kept are cast too, and outputs of a kept one are not")
    func keepReadParameter() throws {
        let converted = try convert(
            graph(
                """
                %0 = parameter w : float32[2]
                %1 = relu(%0) : float32[2]
                output y = %1
                output w = %0
                """), to: .float64, keepingParameters: true)
        #expect(
            outline(converted) == [
                "parameter() float32[2]", "cast(0) float64[2]", "relu(1) float64[2]",
                "cast(2) float32[2]",
            ])
        #expect(converted.outputs.map(\.value.index) == [3, 0])
    }

    @Test("convert: a whole step in float64, its states too or cast on the way in and out")
    func wide() throws {
        let whole = try convert(forward(), to: .float64)
        try whole.verify()
        #expect(whole.states.allSatisfy { $0.type.elementType == .float64 })
        #expect(whole.outputs.allSatisfy { whole[$0.value].type.elementType == .float32 })
        #expect(whole.nodes.contains { $0.operation == .constant(0.1, .float64) })

        let kept = try convert(forward(), to: .float64, keepingParameters: true)
        try kept.verify()
        #expect(kept.states.allSatisfy { $0.type.elementType == .float32 })
        let update = kept[kept.updates[0].value]
        #expect(update.operation == .cast(.float32))
        #expect(kept[update.operands[0]].type == TensorType(.float64, [5]))
        for node in kept.nodes where node.operation.name == "crossEntropy" {
            #expect(node.type.elementType == .float64)
        }
    }

    @Test(
        "convert: every training operation can follow", arguments: [ElementType.float32, .float64])
    func everything(elementType: ElementType) throws {
        for keeping in [false, true] {
            let converted = try convert(
                trainingGraph(), to: elementType, keepingParameters: keeping)
            try converted.verify()
            #expect(converted.updates.map(\.name) == (try trainingGraph().updates.map(\.name)))
            let outputs = try trainingGraph().outputs.map { try trainingGraph()[$0.value].type }
            #expect(converted.outputs.map { converted[$0.value].type } == outputs)
        }
    }

    @Test("a network converted to bfloat16 has gradients, float32 for its weights")
    func gradientsAfterConversion() throws {
        let converted = try convert(forward(), to: .bfloat16, keepingParameters: true)
        var builder = try GraphBuilder(continuing: converted)
        let weights = converted.states.filter { $0.name != "bn.mean" }
        let gradients = try builder.gradients(
            of: converted.outputs[0].value, withRespectTo: weights.map(\.value))
        #expect(gradients.map { builder.type(of: $0) } == weights.map(\.type))
        let added = try builder.finish().nodes.dropFirst(converted.nodes.count)
        // The filter is read twice; its gradients meet, and are not cast, in float32.
        #expect(
            added.map(\.operation.name) == [
                "constant", "crossEntropyGradient", "cast", "denseInputGradient",
                "denseWeightGradient", "channelSums", "globalAveragePoolGradient",
                "convolutionFilterGradient", "normalizationSums", "normalizeBatchGradient", "row",
                "row", "add", "convolutionFilterGradient", "add",
            ])
        for node in added where node.operation.name == "convolutionFilterGradient" {
            #expect(node.type == TensorType(.float32, [5, 3, 1, 1]))
        }
    }
}
