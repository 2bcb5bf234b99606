import Execution
import Graph
import Tensors
import Testing
import XLABackend

@Suite("StableHLO builder")
struct StableHLOBuilderTests {
    @Test("writes the bits of numbers, and each number once")
    func constants() throws {
        var builder = StableHLOBuilder(name: "numbers")
        let one = builder.constant(1, .float32)
        #expect(builder.constant(1, .float32) == one)
        let rest = [
            one, builder.constant(-0.5, .bfloat16), builder.constant(65504, .float16),
            builder.constant(.nan, .float64), builder.constant(-.infinity, .float32),
            builder.constant(-3, .int32), builder.constant(255, .uint8),
            builder.constant(1, .bool), try builder.constant([0.1, 0.2], .float32),
        ]
        let text = try builder.finish(rest)
        for expected in [
            "dense<0x3F800000> : tensor<f32>", "dense<0xBF00> : tensor<bf16>",
            "dense<0x7BFF> : tensor<f16>", "dense<0x7FF8000000000000> : tensor<f64>",
            "dense<0xFF800000> : tensor<f32>", "dense<-3> : tensor<i32>",
            "dense<255> : tensor<ui8>", "dense<true> : tensor<i1>",
            "dense<[0x3DCCCCCD, 0x3E4CCCCD]> : tensor<2xf32>",
        ] {
            #expect(text.split(separator: expected).count == 2, "\(expected)")
        }
    }

    @Test("keeps names and labels within what the text may hold")
    func names() throws {
        var builder = StableHLOBuilder(name: "ResNet-50 \"step\"", replicaCount: 8)
        builder.label = "a\"b\\c\n.conv1"
        let one = builder.constant(1, .float32)
        let text = try builder.finish([one])
        #expect(
            text.hasPrefix(
                "module @graph_ResNet_50__step_ attributes {mhlo.num_replicas = 8 : i32,"))
        #expect(text.contains("loc(\"a_b_c_.conv1\")\n"))
    }

    @Test("adds up over all replicas")
    func allReduce() throws {
        var builder = StableHLOBuilder(name: "mean", replicaCount: 3)
        let x = builder.argument(TensorType(.float32, [2, 5]))
        let sum = try builder.allReduce(x, replicas: 3)
        let text = try builder.finish([sum])
        #expect(
            text == """
                module @graph_mean attributes {mhlo.num_replicas = 3 : i32, mhlo.num_partitions = 1 : i32} {
                  func.func public @main(%arg0: tensor<2x5xf32>) -> (tensor<2x5xf32>) {
                    %0 = "stablehlo.all_reduce"(%arg0) ({
                    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
                      %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
                      "stablehlo.return"(%c) : (tensor<f32>) -> ()
                    }) {replica_groups = dense<[[0, 1, 2]]> : tensor<1x3xi64>} : (tensor<2x5xf32>) -> tensor<2x5xf32>
                    "func.return"(%0) : (tensor<2x5xf32>) -> ()
                  }
                }

                """)
    }

    private static let operations = [
        "add", "and", "sqrt", "is_finite", "compare", "select", "broadcast_in_dim", "reshape",
        "transpose", "slice", "concatenate", "pad", "reverse", "iota", "reduce", "reduce_window",
        "convolution", "dot_general", "all_reduce", "constant",
        "reduce_precision",
    ]

    /// Asks for an operation on a float32 `x [2, 3, 4, 5]` that it does not do.
    private static func mistake(
        _ operation: String, _ builder: inout StableHLOBuilder, _ x: StableHLOValue
    ) throws {
        let zero = builder.constant(0, .float32)
        switch operation {
        case "add": _ = try builder.add(x, zero)
        case "and": _ = try builder.and(x, x)
        case "sqrt": _ = try builder.squareRoot(builder.constant(1, .int32))
        case "is_finite": _ = try builder.isFinite(builder.constant(1, .uint8))
        case "compare": _ = try builder.compare(x, .less, zero)
        case "select": _ = try builder.select(x, x, x)
        case "broadcast_in_dim":
            _ = try builder.broadcast(x, to: [2, 3, 5, 5], along: [0, 1, 2, 3])
        case "reshape": _ = try builder.reshape(x, to: [7])
        case "transpose": _ = try builder.transpose(x, [0, 1, 1, 2])
        case "slice":
            _ = try builder.slice(x, from: [0, 0, 0, 0], to: [2, 3, 4, 6], by: [1, 1, 1, 1])
        case "concatenate": _ = try builder.concatenate([x, builder.reshape(x, to: [120])])
        case "pad":
            _ = try builder.pad(x, with: zero, edges: [(0, 0)], interior: [0, 0, 0, 0])
        case "reverse": _ = try builder.reverse(x, axes: [4])
        case "iota": _ = try builder.places(.int32, [2], along: 1)
        case "reduce": _ = try builder.reduce(x, .add, over: [2, 1])
        case "reduce_window":
            _ = try builder.windowMaximum(
                x, size: [1, 9, 1, 1], strides: [1, 1, 1, 1],
                padding: [(0, 0), (0, 0), (0, 0), (0, 0)])
        case "convolution":
            _ = try builder.convolution(x, x, .inputGradient, ConvolutionWindow())
        case "dot_general": _ = try builder.product(x, x, over: (0, 0), .float32)
        case "all_reduce": _ = try builder.allReduce(x, replicas: 0)
        case "reduce_precision":
            _ = try builder.rounded(builder.constant(1, .float64), to: .bfloat16)
        case "constant": _ = try builder.constant([], .float32)
        default: break
        }
    }

    @Test(
        "throws where operands do not fit, and names the operation and what was expected",
        arguments: operations)
    func mistakes(operation: String) {
        var builder = StableHLOBuilder(name: "mistake")
        let x = builder.argument(TensorType(.float32, [2, 3, 4, 5]))
        builder.label = "layer1"
        var found: ExecutionError?
        do {
            try Self.mistake(operation, &builder, x)
        } catch {
            found = error as? ExecutionError
        }
        #expect(found?.code == .libraryFailure)
        let start = "program graph_mistake at layer1: stablehlo.\(operation): expected "
        #expect(found?.message.hasPrefix(start) == true, "\(found?.message ?? "no error")")
    }

    @Test("throws where a result cannot take over an argument's memory")
    func aliasing() {
        var builder = StableHLOBuilder(name: "alias")
        let x = builder.argument(TensorType(.float32, [2]), aliasedResult: 0)
        let y = builder.argument(TensorType(.float32, [3]))
        #expect(throws: ExecutionError.self) { try builder.finish([y]) }
        #expect(throws: ExecutionError.self) { try builder.finish([]) }
        #expect(throws: Never.self) { try builder.finish([x]) }
    }
}
