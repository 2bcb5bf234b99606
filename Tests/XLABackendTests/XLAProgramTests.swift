import Graph
import Tensors
import Testing
import XLABackend

@Suite("XLA program")
struct XLAProgramTests {
    @Test("keeps filters as they are stored, and shifts what it sums")
    func golden() throws {
        var builder = GraphBuilder(name: "golden")
        let x = try builder.input("x", type: TensorType(.bfloat16, [2, 3, 5, 5]))
        let filter = try builder.state("filter", type: TensorType(.float32, [4, 3, 3, 3]))
        let narrow = try builder.cast(filter, to: .bfloat16, label: "conv")
        let y = try builder.convolution(
            x, filter: narrow, stride: Spatial(2), padding: Padding(1), label: "conv")
        let moments = try builder.batchMoments(y, label: "bn")
        let mean = try builder.state("mean", type: TensorType(.float32, [4]))
        let share = try builder.constant(0.125)
        try builder.update(
            "mean",
            builder.movingAverage(mean, builder.row(moments, index: 0), share: share))
        let program = try XLAProgram(builder.finish())
        #expect(program.text == goldenText)
    }

    @Test("says what its arguments and results are")
    func lists() throws {
        var builder = GraphBuilder(name: "lists")
        let filterType = TensorType(.float32, [4, 3, 1, 1])
        let a = try builder.state("a", type: filterType)
        let x = try builder.input("x", type: TensorType(.float32, [2, 3, 5, 6]))
        let b = try builder.state("b", type: filterType)
        let bias = try builder.parameter("bias", type: TensorType(.float32, [4]))
        let kept = try builder.state("kept", type: TensorType(.float32, [2]))
        let y = try builder.convolution(x, filter: a, bias: bias)
        for (name, value) in [("y", y), ("again", y), ("x", x), ("kept", kept), ("a", a)] {
            try builder.output(name, value)
        }
        try builder.update("b", a)
        try builder.update("a", b)
        let program = try XLAProgram(builder.finish(), replicas: 2)
        #expect(
            program.arguments.map(\.source) == [
                .input(0), .parameter("bias"), .state("a"), .state("b"), .state("kept"),
            ])
        #expect(
            program.arguments.map(\.type.shape) == [
                [2, 3, 5, 6], [4], [4, 3, 1, 1], [4, 3, 1, 1], [2],
            ])
        #expect(program.arguments.map(\.isChannelsLast) == [false, false, true, true, false])
        #expect(
            program.results.map(\.target) == [
                .output(0), .output(1), .output(2), .output(3), .output(4), .state("b"),
                .state("a"),
            ])
        #expect(
            program.results.map(\.isChannelsLast) == [
                false, false, false, false, false, true, true,
            ])
        #expect(
            program.text.contains(
                """
                @main(%arg0: tensor<2x3x5x6xf32>, %arg1: tensor<4xf32>, \
                %arg2: tensor<4x1x1x3xf32> {tf.aliasing_output = 6 : i32}, \
                %arg3: tensor<4x1x1x3xf32> {tf.aliasing_output = 5 : i32}, %arg4: tensor<2xf32>)
                """))
        // Swapped states are given back as they came; the output of the input takes no operation.
        #expect(program.text.contains(", %arg0, %arg4, "))
        #expect(program.text.contains(", %arg2, %arg3) : ("))
    }

    @Test("reads pixels as they arrive")
    func pixels() throws {
        var builder = GraphBuilder(name: "pixels")
        let x = try builder.input("image", type: TensorType(.uint8, [2, 8, 8, 3]))
        let y = try builder.normalizeImage(
            x, mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25], elementType: .bfloat16)
        try builder.output("sums", builder.channelSums(y))
        let program = try XLAProgram(builder.finish())
        #expect(!program.text.contains("transpose"))
        #expect(program.arguments[0].type.shape == [2, 8, 8, 3])
        #expect(!program.arguments[0].isChannelsLast)
    }

    @Test("rounds float32 operands only where that is allowed")
    func precision() throws {
        func text(_ elementType: ElementType, allowsTensorFloat32: Bool) throws -> String {
            var builder = GraphBuilder(name: "precision")
            let x = try builder.input("x", type: TensorType(elementType, [1, 2, 3, 3]))
            let filter = try builder.parameter(
                "filter", type: TensorType(elementType, [2, 2, 1, 1]))
            try builder.output("y", builder.convolution(x, filter: filter))
            return try XLAProgram(
                builder.finish(), allowsTensorFloat32: allowsTensorFloat32
            ).text
        }
        #expect(try text(.float32, allowsTensorFloat32: false).contains("precision HIGHEST"))
        #expect(try !text(.float32, allowsTensorFloat32: true).contains("precision HIGHEST"))
        #expect(try !text(.bfloat16, allowsTensorFloat32: false).contains("precision HIGHEST"))
    }
}
