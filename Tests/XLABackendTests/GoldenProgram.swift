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
        %11 = "stablehlo.broadcast_in_dim"(%10) {broadcast_dimensions = array<i64: 3>} : (tensor<4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %12 = "stablehlo.subtract"(%3, %11) : (tensor<2x3x3x4xf32>, tensor<2x3x3x4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %13 = "stablehlo.reduce"(%12, %6) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          "stablehlo.return"(%c) : (tensor<f32>) -> ()
        }) {dimensions = array<i64: 0, 1, 2>} : (tensor<2x3x3x4xf32>, tensor<f32>) -> tensor<4xf32> loc("bn")
        %14 = "stablehlo.multiply"(%12, %12) : (tensor<2x3x3x4xf32>, tensor<2x3x3x4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %15 = "stablehlo.reduce"(%14, %6) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          "stablehlo.return"(%c) : (tensor<f32>) -> ()
        }) {dimensions = array<i64: 0, 1, 2>} : (tensor<2x3x3x4xf32>, tensor<f32>) -> tensor<4xf32> loc("bn")
        %16 = "stablehlo.broadcast_in_dim"(%8) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32> loc("bn")
        %17 = "stablehlo.divide"(%13, %16) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %18 = "stablehlo.divide"(%15, %16) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %19 = "stablehlo.multiply"(%17, %17) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %20 = "stablehlo.subtract"(%18, %19) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %21 = "stablehlo.add"(%10, %17) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %22 = "stablehlo.broadcast_in_dim"(%6) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32> loc("bn")
        %23 = "stablehlo.maximum"(%20, %22) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %24 = "stablehlo.constant"() {value = dense<0x3E000000> : tensor<f32>} : () -> tensor<f32>
        %25 = "stablehlo.subtract"(%21, %arg2) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        %26 = "stablehlo.broadcast_in_dim"(%24) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32>
        %27 = "stablehlo.multiply"(%26, %25) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        %28 = "stablehlo.add"(%arg2, %27) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        "func.return"(%28) : (tensor<4xf32>) -> ()
      }
    }

    """
