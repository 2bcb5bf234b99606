import Native
import Testing

/// XLA's plugin for the processor, where it is there.
enum CPUPlugin {
    static let path = PJRTPlugin.candidates(.cpu).map(\.path).first {
        FileKind(atPath: $0) == .regular
    }

    /// Devices that all tests share; opening them takes threads.
    static let shared = Result { try open(devices: 2) }

    static func open(devices: Int64) throws -> PJRTClient {
        try PJRTPlugin.load(path ?? "").makeClient(["cpu_device_count": .number(devices)])
    }
}

extension Trait where Self == ConditionTrait {
    /// Only where the plugin is there.
    static var withCPUPlugin: ConditionTrait {
        .enabled(
            if: CPUPlugin.path != nil,
            "XLA's plugin for the processor is not there; make setup-xla-cpu fetches it")
    }
}

extension PJRTClient {
    /// Copies numbers to a device.
    func upload(_ values: [Float], _ dimensions: [Int], device: Int = 0) throws -> PJRTBuffer {
        try upload(Memory(copying: values), .float32, dimensions: dimensions, device: device)
    }
}

extension PJRTBuffer {
    /// The numbers of a float32 array.
    func floats() throws -> [Float] {
        let memory = try download()
        let span = memory.span(of: Float.self)
        return span.indices.map { span[$0] }
    }
}

/// StableHLO.
enum Program {
    /// Adds two arrays of six; the first is given away where `donating`.
    static func add(donating: Bool = false) -> String {
        """
        module @add {
          func.func public @main(
              %a: tensor<2x3xf32>\(donating ? " {tf.aliasing_output = 0 : i32}" : ""),
              %b: tensor<2x3xf32>) -> tensor<2x3xf32> {
            %0 = "stablehlo.add"(%a, %b) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
            "func.return"(%0) : (tensor<2x3xf32>) -> ()
          }
        }
        """
    }

    /// A 3x3 convolution with padding 1 of images `[2, 5, 5, 3]` with filters `[4, 3, 3, 3]`, channels innermost.
    static let convolution = """
        module @convolution {
          func.func public @main(%x: tensor<2x5x5x3xbf16>, %w: tensor<4x3x3x3xbf16>)
              -> tensor<2x5x5x4xbf16> {
            %0 = "stablehlo.convolution"(%x, %w) {
              batch_group_count = 1 : i64, feature_group_count = 1 : i64,
              dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>,
              padding = dense<1> : tensor<2x2xi64>, window_strides = array<i64: 1, 1>
            } : (tensor<2x5x5x3xbf16>, tensor<4x3x3x3xbf16>) -> tensor<2x5x5x4xbf16>
            "func.return"(%0) : (tensor<2x5x5x4xbf16>) -> ()
          }
        }
        """

    /// The sum of what two replicas have.
    static let allReduce = """
        module @sum attributes {mhlo.num_replicas = 2 : i32} {
          func.func public @main(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<f32>) {
            %0 = "stablehlo.all_reduce"(%x) ({
            ^bb0(%p: tensor<f32>, %q: tensor<f32>):
              %s = "stablehlo.add"(%p, %q) : (tensor<f32>, tensor<f32>) -> tensor<f32>
              "stablehlo.return"(%s) : (tensor<f32>) -> ()
            }) {
              replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>
            } : (tensor<3xf32>) -> tensor<3xf32>
            %c = "stablehlo.constant"() {value = dense<7.0> : tensor<f32>} : () -> tensor<f32>
            "func.return"(%0, %c) : (tensor<3xf32>, tensor<f32>) -> ()
          }
        }
        """

    /// An array as it is, laid out on the device with its first axis innermost.
    static let otherLayout = """
        module @layout {
          func.func public @main(%a: tensor<2x3xf32>)
              -> (tensor<2x3xf32> {mhlo.layout_mode = "{0,1}"}) {
            %0 = "stablehlo.add"(%a, %a) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
            "func.return"(%0) : (tensor<2x3xf32>) -> ()
          }
        }
        """
}
