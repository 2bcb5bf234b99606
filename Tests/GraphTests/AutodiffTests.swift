import Graph
import Tensors
import Testing

/// Which nodes gradients consist of; that their numbers are right is shown where graphs are run.
@Suite("Gradients")
struct AutodiffTests {
    private func graph(_ lines: String) throws(GraphError) -> Graph {
        try Graph(text: "graph g {\n\(lines)\n}\n")
    }

    /// The nodes that the gradients of `%loss` add, as text, and the gradients' places.
    private func differentiate(
        _ lines: String, loss: Int, by wanted: [Int], scale: Int? = nil
    ) throws(GraphError) -> (added: [String], gradients: [Int]) {
        let graph = try graph(lines + "\noutput loss = %\(loss)")
        var builder = try GraphBuilder(continuing: graph)
        let gradients = try builder.gradients(
            of: Value(index: loss), withRespectTo: wanted.map { Value(index: $0) },
            scale: scale.map { Value(index: $0) })
        let result = try builder.finish()
        try result.verify()
        #expect(Array(result.nodes.prefix(graph.nodes.count)) == graph.nodes)
        let text = result.description.split(separator: "\n").dropFirst(1 + graph.nodes.count)
        return (text.dropLast(2).map { String($0.dropFirst(2)) }, gradients.map(\.index))
    }

    private func failure(
        _ lines: String, loss: Int, by wanted: [Int], scale: Int? = nil
    ) -> GraphError? {
        do throws(GraphError) {
            _ = try differentiate(lines, loss: loss, by: wanted, scale: scale)
            return nil
        } catch {
            return error
        }
    }

    /// What turns `[1, 2, 4, 4]` of `%9` into a loss `%14`.
    private let head = """
        %10 = globalAveragePool(%9) : float32[1, 2]  # pool
        %11 = input labels : int32[1]
        %12 = state fc.weight : float32[2, 2]
        %13 = crossEntropy(%10, %11) smoothing=0.1 : float32[]  # loss
        """

    /// The gradient of `%10`, made of `head`.
    private func expectHead(_ added: [String]) {
        #expect(added[0] == "%14 = constant 1.0 : float32[]  # loss.gradient")
        #expect(
            added[1]
                == "%15 = crossEntropyGradient(%10, %11, %14) smoothing=0.1 : float32[1, 2]"
                + "  # loss.gradient")
        #expect(
            added[2] == "%16 = globalAveragePoolGradient(%15) : float32[1, 2, 4, 4]"
                + "  # pool.gradient")
    }

    @Test("of a convolution: input, then filter, then bias, in reverse order of the nodes")
    func convolution() throws {
        let (added, gradients) = try differentiate(
            """
            %0 = input x : float32[1, 3, 9, 8]
            %1 = state conv1.weight : float32[2, 3, 3, 3]
            %2 = state conv1.bias : float32[2]
            %3 = convolution(%0, %1, bias: %2) stride=2x2 padding=0,1,1,0 : float32[1, 2, 4, 4]  # conv1
            %4 = state conv2.weight : float32[2, 2, 3, 3]
            %5 = convolution(%3, %4) stride=1x1 padding=1,1,1,1 : float32[1, 2, 4, 4]  # conv2
            %6 = constant 0.5 : float32[]
            %7 = constant 2.0 : float32[]
            %8 = relu(%5) : float32[1, 2, 4, 4]  # relu
            %9 = multiply(%8, %6) : float32[1, 2, 4, 4]
            \(head)
            """, loss: 13, by: [4, 1, 2])
        expectHead(added)
        #expect(
            Array(added.dropFirst(3)) == [
                "%17 = multiply(%16, %6) : float32[1, 2, 4, 4]  # %9.gradient",
                "%18 = reluGradient(%17, %8) : float32[1, 2, 4, 4]  # relu.gradient",
                "%19 = convolutionInputGradient(%18, %4) stride=1x1 padding=1,1,1,1 "
                    + ": float32[1, 2, 4, 4]  # conv2.gradient",
                "%20 = convolutionFilterGradient(%18, %3) stride=1x1 padding=1,1,1,1 "
                    + ": float32[2, 2, 3, 3]  # conv2.filter.gradient",
                // The picture needs no gradient.
                "%21 = convolutionFilterGradient(%19, %0) stride=2x2 padding=0,1,1,0 "
                    + ": float32[2, 3, 3, 3]  # conv1.filter.gradient",
                "%22 = channelSums(%19) : float32[2]  # conv1.bias.gradient",
            ])
        #expect(gradients == [20, 21, 22])
    }

    @Test("of a batch norm, through its moments")
    func normalizeBatch() throws {
        let lines = """
            %0 = state x : float32[1, 2, 4, 4]
            %1 = state bn.weight : float32[2]
            %2 = state bn.bias : float32[2]
            %3 = batchMoments(%0) : float32[2, 2]
            %4 = constant 0.5 : float32[]
            %5 = constant 2.0 : float32[]
            %6 = constant 2.0 : float32[]
            %7 = constant 2.0 : float32[]
            %8 = constant 2.0 : float32[]
            %9 = normalizeBatch(%0, %1, %2, %3) epsilon=0.25 : float32[1, 2, 4, 4]  # bn
            \(head)
            """
        let (added, gradients) = try differentiate(lines, loss: 13, by: [0, 1, 2])
        expectHead(added)
        #expect(
            Array(added.dropFirst(3)) == [
                "%17 = normalizationSums(%16, %0, %3) epsilon=0.25 : float32[2, 2]"
                    + "  # bn.sums.gradient",
                "%18 = normalizeBatchGradient(%16, %0, %1, %3, %17) epsilon=0.25 "
                    + ": float32[1, 2, 4, 4]  # bn.gradient",
                "%19 = row(%17) index=1 : float32[2]  # bn.scale.gradient",
                "%20 = row(%17) index=0 : float32[2]  # bn.shift.gradient",
            ])
        #expect(gradients == [18, 19, 20])
        // Only what is asked for.
        #expect(try differentiate(lines, loss: 13, by: [2]).added.count == 5)
        // Moments of something else.
        let other = lines.replacing("batchMoments(%0)", with: "state moments")
        #expect(failure(other, loss: 13, by: [1, 2]) == nil)
        let error = failure(other, loss: 13, by: [0])
        #expect(error?.code == .missingGradient)
        #expect(error?.message.contains("bn") == true)
        #expect(error?.message.contains("batch moments of its x") == true)
        #expect(failure(other, loss: 13, by: [3])?.code == .missingGradient)
        #expect(failure(lines, loss: 13, by: [3])?.code == .missingGradient)
    }

    @Test(
        "of a synchronised batch norm take the mean of the sums for x, and each replica's own for its vectors"
    )
    func synchronizedBatchNorm() throws {
        let lines = """
            %0 = state x : float32[1, 2, 4, 4]
            %1 = state bn.weight : float32[2]
            %2 = state bn.bias : float32[2]
            %3 = batchMoments(%0) : float32[2, 2]
            %4 = replicaMoments(%3) : float32[2, 2]
            %5 = constant 2.0 : float32[]
            %6 = constant 2.0 : float32[]
            %7 = constant 2.0 : float32[]
            %8 = constant 2.0 : float32[]
            %9 = normalizeBatch(%0, %1, %2, %4) epsilon=0.25 : float32[1, 2, 4, 4]  # bn
            \(head)
            """
        let (added, gradients) = try differentiate(lines, loss: 13, by: [0, 1, 2])
        expectHead(added)
        #expect(
            Array(added.dropFirst(3)) == [
                "%17 = normalizationSums(%16, %0, %4) epsilon=0.25 : float32[2, 2]"
                    + "  # bn.sums.gradient",
                "%18 = replicaMean(%17) : float32[2, 2]  # bn.gradient",
                "%19 = normalizeBatchGradient(%16, %0, %1, %4, %18) epsilon=0.25 "
                    + ": float32[1, 2, 4, 4]  # bn.gradient",
                "%20 = row(%17) index=1 : float32[2]  # bn.scale.gradient",
                "%21 = row(%17) index=0 : float32[2]  # bn.shift.gradient",
            ])
        #expect(gradients == [19, 20, 21])
        // Moments of something else, and moments themselves.
        let other = lines.replacing("batchMoments(%0)", with: "state moments")
        #expect(failure(other, loss: 13, by: [0])?.code == .missingGradient)
        #expect(failure(lines, loss: 13, by: [3])?.code == .missingGradient)
        #expect(failure(lines, loss: 13, by: [4])?.code == .missingGradient)
    }

    @Test("of a mean over replicas are one")
    func replicaMean() throws {
        let lines = """
            %0 = state logits : float32[1, 3]
            %1 = replicaMean(%0) : float32[1, 3]  # mean
            %2 = input labels : int32[1]
            %3 = crossEntropy(%1, %2) smoothing=0.0 : float32[]  # loss
            """
        let (added, gradients) = try differentiate(lines, loss: 3, by: [0])
        #expect(added.last == "%6 = replicaMean(%5) : float32[1, 3]  # mean.gradient")
        #expect(gradients == [6])
    }

    @Test("of a batch norm with stored statistics")
    func batchNormalization() throws {
        let lines = """
            %0 = state x : float32[1, 2, 4, 4]
            %1 = state bn.weight : float32[2]
            %2 = state bn.bias : float32[2]
            %3 = state bn.mean : float32[2]
            %4 = state bn.var : float32[2]
            %5 = constant 2.0 : float32[]
            %6 = constant 2.0 : float32[]
            %7 = constant 2.0 : float32[]
            %8 = constant 2.0 : float32[]
            %9 = batchNormalization(%0, %1, %2, %3, %4) epsilon=0.25 : float32[1, 2, 4, 4]  # bn
            \(head)
            """
        let (added, gradients) = try differentiate(lines, loss: 13, by: [0, 1, 2])
        #expect(
            Array(added.dropFirst(3)) == [
                "%17 = batchNormalizationGradient(%16, %1, %4) epsilon=0.25 "
                    + ": float32[1, 2, 4, 4]  # bn.gradient",
                "%18 = stack(%3, %4) : float32[2, 2]  # bn.sums.gradient",
                "%19 = normalizationSums(%16, %0, %18) epsilon=0.25 : float32[2, 2]"
                    + "  # bn.sums.gradient",
                "%20 = row(%19) index=1 : float32[2]  # bn.scale.gradient",
                "%21 = row(%19) index=0 : float32[2]  # bn.shift.gradient",
            ])
        #expect(gradients == [17, 20, 21])
        #expect(try differentiate(lines, loss: 13, by: [0]).added.count == 4)
        let error = failure(lines, loss: 13, by: [4])
        #expect(error?.code == .missingGradient)
        #expect(error?.message.contains("mean or variance") == true)
    }

    @Test("of a value read twice are added, of both operands of a sum are the same")
    func residual() throws {
        let (added, gradients) = try differentiate(
            """
            %0 = state x : float32[1, 2, 4, 4]
            %1 = state conv.weight : float32[2, 2, 1, 1]
            %2 = convolution(%0, %1) stride=1x1 padding=0,0,0,0 : float32[1, 2, 4, 4]  # conv
            %3 = constant 2.0 : float32[]
            %4 = constant 2.0 : float32[]
            %5 = constant 2.0 : float32[]
            %6 = constant 2.0 : float32[]
            %7 = constant 2.0 : float32[]
            %8 = constant 2.0 : float32[]
            %9 = add(%0, %2) : float32[1, 2, 4, 4]  # sum
            \(head)
            """, loss: 13, by: [0, 1])
        #expect(
            Array(added.dropFirst(3)) == [
                "%17 = convolutionInputGradient(%16, %1) stride=1x1 padding=0,0,0,0 "
                    + ": float32[1, 2, 4, 4]  # conv.gradient",
                "%18 = convolutionFilterGradient(%16, %0) stride=1x1 padding=0,0,0,0 "
                    + ": float32[2, 2, 1, 1]  # conv.filter.gradient",
                "%19 = add(%16, %17) : float32[1, 2, 4, 4]  # x.gradient",
            ])
        #expect(gradients == [19, 18])
    }

    @Test("of a maximum find its places again")
    func maxPool() throws {
        let (added, gradients) = try differentiate(
            """
            %0 = state x : float32[1, 2, 8, 7]
            %1 = constant 2.0 : float32[]
            %2 = constant 2.0 : float32[]
            %3 = constant 2.0 : float32[]
            %4 = constant 2.0 : float32[]
            %5 = constant 2.0 : float32[]
            %6 = constant 2.0 : float32[]
            %7 = constant 2.0 : float32[]
            %8 = constant 2.0 : float32[]
            %9 = maxPool(%0) size=3x3 stride=2x2 padding=1,1,1,1 : float32[1, 2, 4, 4]  # maxpool
            \(head)
            """, loss: 13, by: [0])
        #expect(
            Array(added.dropFirst(3)) == [
                "%17 = maxPoolIndices(%0) size=3x3 stride=2x2 padding=1,1,1,1 : uint8[1, 2, 4, 4]"
                    + "  # maxpool.indices.gradient",
                "%18 = maxPoolGradient(%16, %17) size=3x3 stride=2x2 padding=1,1,1,1 "
                    + ": float32[1, 2, 8, 7]  # maxpool.gradient",
            ])
        #expect(gradients == [18])
    }

    /// A dense layer on bfloat16, whose weight is a float32 state.
    private let mixed = """
        %0 = input x : bfloat16[4, 3]
        %1 = state fc.weight : float32[5, 3]
        %2 = cast(%1) : bfloat16[5, 3]  # fc.weight
        %3 = state fc.bias : float32[5]
        %4 = dense(%0, %2, %3) : float32[4, 5]  # fc
        %5 = input labels : int32[4]
        %6 = state class.weights : float32[5]
        %7 = crossEntropy(%4, %5, weights: %6) smoothing=0.0 : float32[]
        """

    @Test("in mixed precision: narrow products, float32 for weights without a cast back")
    func mixedPrecision() throws {
        let (added, gradients) = try differentiate(mixed, loss: 7, by: [0, 1, 3])
        #expect(
            added == [
                "%8 = constant 1.0 : float32[]  # %7.gradient",
                "%9 = crossEntropyGradient(%4, %5, weights: %6, %8) smoothing=0.0 : float32[4, 5]"
                    + "  # %7.gradient",
                "%10 = cast(%9) : bfloat16[4, 5]  # fc.gradient",
                "%11 = denseInputGradient(%10, %2) : bfloat16[4, 3]  # fc.gradient",
                "%12 = denseWeightGradient(%10, %0) : float32[5, 3]  # fc.weight.gradient",
                "%13 = channelSums(%9) : float32[5]  # fc.bias.gradient",
            ])
        #expect(gradients == [11, 12, 13])
    }

    @Test("are cast back where a value was cast, and added in float32 where they meet in two types")
    func casts() throws {
        let (added, gradients) = try differentiate(
            """
            %0 = state w : float32[3, 3]
            %1 = cast(%0) : bfloat16[3, 3]
            %2 = state b : float32[3]
            %3 = dense(%1, %1, %2) : float32[3, 3]  # fc
            %4 = input labels : int32[3]
            %5 = crossEntropy(%3, %4) smoothing=0.0 : float32[]
            """, loss: 5, by: [0])
        #expect(
            Array(added.dropFirst(2)) == [
                "%8 = cast(%7) : bfloat16[3, 3]  # fc.gradient",
                "%9 = denseInputGradient(%8, %1) : bfloat16[3, 3]  # fc.gradient",
                "%10 = denseWeightGradient(%8, %1) : float32[3, 3]  # fc.weight.gradient",
                "%11 = cast(%9) : float32[3, 3]  # %1.gradient",
                "%12 = add(%11, %10) : float32[3, 3]  # %1.gradient",
            ])
        #expect(gradients == [12])

        let pixels = """
            %0 = state x : float32[1, 2, 4, 4]
            %1 = cast(%0) : bfloat16[1, 2, 4, 4]  # narrow
            %2 = globalAveragePool(%1) : bfloat16[1, 2]
            %3 = cast(%2) : float32[1, 2]
            %4 = input labels : int32[1]
            %5 = crossEntropy(%3, %4) smoothing=0.0 : float32[]
            """
        #expect(
            try differentiate(pixels, loss: 5, by: [0]).added.suffix(3) == [
                "%8 = cast(%7) : bfloat16[1, 2]  # %3.gradient",
                "%9 = globalAveragePoolGradient(%8) : bfloat16[1, 2, 4, 4]  # %2.gradient",
                "%10 = cast(%9) : float32[1, 2, 4, 4]  # narrow.gradient",
            ])
    }

    @Test("start from the scale given")
    func scale() throws {
        let lines = mixed + "\n%8 = state scale : float32[]"
        let (added, _) = try differentiate(lines, loss: 7, by: [3], scale: 8)
        #expect(
            added.first
                == "%9 = crossEntropyGradient(%4, %5, weights: %6, %8) smoothing=0.0 "
                + ": float32[4, 5]  # %7.gradient")
        #expect(added.count == 2)
        #expect(try differentiate(lines, loss: 7, by: [7], scale: 8).gradients == [8])
        #expect(failure(lines, loss: 7, by: [3], scale: 3)?.code == .rankMismatch)
        let wide = lines.replacing("scale : float32", with: "scale : float64")
        #expect(failure(wide, loss: 7, by: [3], scale: 8)?.code == .elementTypeMismatch)
        #expect(failure(lines, loss: 7, by: [3], scale: 99)?.code == .unknownValue)
    }

    @Test("of a product go to both factors of one shape, and not to one without axes")
    func product() throws {
        let lines = """
            %0 = state x : float32[2, 3]
            %1 = state y : float32[2, 3]
            %2 = state factor : float32[]
            %3 = multiply(%0, %1) : float32[2, 3]
            %4 = multiply(%3, %2) : float32[2, 3]  # scaled
            %5 = input labels : int32[2]
            %6 = crossEntropy(%4, %5) smoothing=0.0 : float32[]
            """
        let (added, gradients) = try differentiate(lines, loss: 6, by: [0, 1])
        #expect(
            Array(added.dropFirst(2)) == [
                "%9 = multiply(%8, %2) : float32[2, 3]  # scaled.gradient",
                "%10 = multiply(%9, %1) : float32[2, 3]  # %3.gradient",
                "%11 = multiply(%9, %0) : float32[2, 3]  # %3.gradient",
            ])
        #expect(gradients == [10, 11])
        let error = failure(lines, loss: 6, by: [2])
        #expect(error?.code == .missingGradient)
        #expect(error?.message.contains("scaled") == true)
    }

    @Test("are missing where an operation on the way has no rule, and only there")
    func missingRules() throws {
        let softmax = """
            %0 = state x : float32[2, 3]
            %1 = softmax(%0) : float32[2, 3]  # probabilities
            %2 = state y : float32[2, 3]
            %3 = add(%1, %2) : float32[2, 3]
            %4 = input labels : int32[2]
            %5 = crossEntropy(%3, %4) smoothing=0.0 : float32[]
            """
        let error = failure(softmax, loss: 5, by: [0])
        #expect(error?.code == .missingGradient)
        #expect(error?.message.hasPrefix("probabilities: ") == true)
        #expect(error?.message.contains("softmax") == true)
        #expect(failure(softmax, loss: 5, by: [2]) == nil)

        let fused = """
            %0 = state x : float32[1, 2, 1, 1]
            %1 = state w : float32[2, 2, 1, 1]
            %2 = convolution(%0, %1) stride=1x1 padding=0,0,0,0 activation=relu : float32[1, 2, 1, 1]  # conv
            %3 = globalAveragePool(%2) : float32[1, 2]
            %4 = input labels : int32[1]
            %5 = crossEntropy(%3, %4) smoothing=0.0 : float32[]
            """
        #expect(failure(fused, loss: 5, by: [1])?.message.contains("before `fuse`") == true)
        let residual = fused.replacing("(%0, %1)", with: "(%0, %1, residual: %0)")
            .replacing(" activation=relu", with: "")
        #expect(failure(residual, loss: 5, by: [1])?.code == .missingGradient)

        let targets = """
            %0 = state logits : float32[2, 3]
            %1 = state targets : float32[2, 3]
            %2 = state weights : float32[3]
            %3 = crossEntropy(%0, %1, weights: %2) smoothing=0.0 : float32[]
            """
        #expect(failure(targets, loss: 3, by: [0]) == nil)
        #expect(failure(targets, loss: 3, by: [1])?.code == .missingGradient)
        #expect(failure(targets, loss: 3, by: [2])?.code == .missingGradient)
    }

    @Test("are missing for what the loss does not depend on, and for whole numbers")
    func independent() throws {
        let lines = mixed + "\n%8 = state unread : float32[2]\n%9 = cast(%5) : float32[4]"
        let error = failure(lines, loss: 7, by: [1, 8])
        #expect(error?.code == .missingGradient)
        #expect(error?.message.contains("unread") == true)
        #expect(failure(lines, loss: 7, by: [5])?.code == .missingGradient)
        #expect(failure(lines, loss: 7, by: [99])?.code == .unknownValue)
        #expect(failure(lines, loss: 4, by: [1])?.code == .rankMismatch)
        #expect(
            failure("%0 = state x : bfloat16[]\n%1 = relu(%0) : bfloat16[]", loss: 1, by: [0])?
                .code == .elementTypeMismatch)
    }

    @Test("leave the builder as it was where they fail")
    func failureChangesNothing() throws {
        var builder = try GraphBuilder(continuing: graph(mixed + "\noutput loss = %7"))
        #expect(throws: GraphError.self) {
            _ = try builder.gradients(of: Value(index: 7), withRespectTo: [Value(index: 6)])
        }
        #expect(try builder.finish().nodes.count == 8)
    }
}
