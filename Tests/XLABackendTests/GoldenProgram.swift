/// What `XLAProgramTests.golden` expects: a convolution, the moments of its result, and an update of a state.
let goldenText = """
    module @graph_golden attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
      func.func public @main(%arg0: tensor<2x3x5x5xbf16>, %arg1: tensor<4x3x3x3xf32>, %arg2: tensor<4xf32> {tf.aliasing_output = 0 : i32}) -> (tensor<4xf32>) {
        %0 = "stablehlo.convert"(%arg1) : (tensor<4x3x3x3xf32>) -> tensor<4x3x3x3xbf16> loc("conv")
        %1 = "stablehlo.transpose"(%arg0) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<2x3x5x5xbf16>) -> tensor<2x5x5x3xbf16> loc("conv")
        %2 = "stablehlo.convolution"(%1, %0) {batch_group_count = 1 : i64, feature_group_count = 1 : i64, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>, window_strides = array<i64: 2, 2>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, window_reversal = array<i1: false, false>, precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>]} : (tensor<2x5x5x3xbf16>, tensor<4x3x3x3xbf16>) -> tensor<2x3x3x4xbf16> loc("conv")
        %3 = "stablehlo.convert"(%2) : (tensor<2x3x3x4xbf16>) -> tensor<2x3x3x4xf32> loc("bn")
        %4 = "stablehlo.slice"(%2) {start_indices = array<i64: 0, 0, 0, 0>, limit_indices = array<i64: 2, 3, 3, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<2x3x3x4xbf16> loc("bn")
        %5 = "stablehlo.convert"(%4) : (tensor<2x3x3x4xbf16>) -> tensor<2x3x3x4xf32> loc("bn")
        %6 = "stablehlo.constant"() {value = dense<0x00000000> : tensor<f32>} : () -> tensor<f32> loc("bn")
        %7 = "stablehlo.reduce"(%5, %6) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          "stablehlo.return"(%c) : (tensor<f32>) -> ()
        }) {dimensions = array<i64: 0, 1, 2>} : (tensor<2x3x3x4xf32>, tensor<f32>) -> tensor<4xf32> loc("bn")
        %8 = "stablehlo.constant"() {value = dense<0x41900000> : tensor<f32>} : () -> tensor<f32> loc("bn")
        %9 = "stablehlo.broadcast_in_dim"(%8) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32> loc("bn")
        %10 = "stablehlo.divide"(%7, %9) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %11 = "stablehlo.reduce_precision"(%10) {exponent_bits = 8 : i32, mantissa_bits = 7 : i32} : (tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %12 = "stablehlo.broadcast_in_dim"(%11) {broadcast_dimensions = array<i64: 3>} : (tensor<4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %13 = "stablehlo.subtract"(%3, %12) : (tensor<2x3x3x4xf32>, tensor<2x3x3x4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %14 = "stablehlo.reduce"(%13, %6) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          "stablehlo.return"(%c) : (tensor<f32>) -> ()
        }) {dimensions = array<i64: 0, 1, 2>} : (tensor<2x3x3x4xf32>, tensor<f32>) -> tensor<4xf32> loc("bn")
        %15 = "stablehlo.multiply"(%13, %13) : (tensor<2x3x3x4xf32>, tensor<2x3x3x4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %16 = "stablehlo.reduce"(%15, %6) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          "stablehlo.return"(%c) : (tensor<f32>) -> ()
        }) {dimensions = array<i64: 0, 1, 2>} : (tensor<2x3x3x4xf32>, tensor<f32>) -> tensor<4xf32> loc("bn")
        %17 = "stablehlo.broadcast_in_dim"(%8) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32> loc("bn")
        %18 = "stablehlo.divide"(%14, %17) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %19 = "stablehlo.divide"(%16, %17) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %20 = "stablehlo.multiply"(%18, %18) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %21 = "stablehlo.subtract"(%19, %20) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %22 = "stablehlo.add"(%11, %18) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %23 = "stablehlo.broadcast_in_dim"(%6) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32> loc("bn")
        %24 = "stablehlo.maximum"(%21, %23) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %25 = "stablehlo.constant"() {value = dense<0x3E000000> : tensor<f32>} : () -> tensor<f32>
        %26 = "stablehlo.subtract"(%22, %arg2) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        %27 = "stablehlo.broadcast_in_dim"(%25) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32>
        %28 = "stablehlo.multiply"(%27, %26) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        %29 = "stablehlo.add"(%arg2, %28) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        "func.return"(%29) : (tensor<4xf32>) -> ()
      }
    }

    """
