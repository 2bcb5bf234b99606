/// What `XLAProgramTests.golden` expects: a convolution, the moments of its result, and an update of a state.
let goldenText = """
    module @graph_golden attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
      func.func public @main(%arg0: tensor<2x3x5x5xbf16>, %arg1: tensor<4x3x3x3xf32>, %arg2: tensor<4xf32> {tf.aliasing_output = 0 : i32}) -> (tensor<4xf32>) {
        %0 = "stablehlo.convert"(%arg1) : (tensor<4x3x3x3xf32>) -> tensor<4x3x3x3xbf16> loc("conv")
        %1 = "stablehlo.transpose"(%arg0) {permutation = array<i64: 0, 2, 3, 1>} : (tensor<2x3x5x5xbf16>) -> tensor<2x5x5x3xbf16> loc("conv")
        %2 = "stablehlo.convolution"(%1, %0) {batch_group_count = 1 : i64, feature_group_count = 1 : i64, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>, window_strides = array<i64: 2, 2>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, window_reversal = array<i1: false, false>, precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>]} : (tensor<2x5x5x3xbf16>, tensor<4x3x3x3xbf16>) -> tensor<2x3x3x4xbf16> loc("conv")
        %3 = "stablehlo.convert"(%2) : (tensor<2x3x3x4xbf16>) -> tensor<2x3x3x4xf32> loc("bn")
        %4 = "stablehlo.slice"(%2) {start_indices = array<i64: 0, 0, 0, 0>, limit_indices = array<i64: 1, 1, 1, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<1x1x1x4xbf16> loc("bn")
        %5 = "stablehlo.reshape"(%4) : (tensor<1x1x1x4xbf16>) -> tensor<4xbf16> loc("bn")
        %6 = "stablehlo.convert"(%5) : (tensor<4xbf16>) -> tensor<4xf32> loc("bn")
        %7 = "stablehlo.slice"(%2) {start_indices = array<i64: 1, 0, 0, 0>, limit_indices = array<i64: 2, 1, 1, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<1x1x1x4xbf16> loc("bn")
        %8 = "stablehlo.reshape"(%7) : (tensor<1x1x1x4xbf16>) -> tensor<4xbf16> loc("bn")
        %9 = "stablehlo.convert"(%8) : (tensor<4xbf16>) -> tensor<4xf32> loc("bn")
        %10 = "stablehlo.add"(%6, %9) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %11 = "stablehlo.slice"(%2) {start_indices = array<i64: 0, 2, 0, 0>, limit_indices = array<i64: 1, 3, 1, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<1x1x1x4xbf16> loc("bn")
        %12 = "stablehlo.reshape"(%11) : (tensor<1x1x1x4xbf16>) -> tensor<4xbf16> loc("bn")
        %13 = "stablehlo.convert"(%12) : (tensor<4xbf16>) -> tensor<4xf32> loc("bn")
        %14 = "stablehlo.add"(%10, %13) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %15 = "stablehlo.slice"(%2) {start_indices = array<i64: 1, 2, 0, 0>, limit_indices = array<i64: 2, 3, 1, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<1x1x1x4xbf16> loc("bn")
        %16 = "stablehlo.reshape"(%15) : (tensor<1x1x1x4xbf16>) -> tensor<4xbf16> loc("bn")
        %17 = "stablehlo.convert"(%16) : (tensor<4xbf16>) -> tensor<4xf32> loc("bn")
        %18 = "stablehlo.add"(%14, %17) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %19 = "stablehlo.slice"(%2) {start_indices = array<i64: 0, 0, 2, 0>, limit_indices = array<i64: 1, 1, 3, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<1x1x1x4xbf16> loc("bn")
        %20 = "stablehlo.reshape"(%19) : (tensor<1x1x1x4xbf16>) -> tensor<4xbf16> loc("bn")
        %21 = "stablehlo.convert"(%20) : (tensor<4xbf16>) -> tensor<4xf32> loc("bn")
        %22 = "stablehlo.add"(%18, %21) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %23 = "stablehlo.slice"(%2) {start_indices = array<i64: 1, 0, 2, 0>, limit_indices = array<i64: 2, 1, 3, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<1x1x1x4xbf16> loc("bn")
        %24 = "stablehlo.reshape"(%23) : (tensor<1x1x1x4xbf16>) -> tensor<4xbf16> loc("bn")
        %25 = "stablehlo.convert"(%24) : (tensor<4xbf16>) -> tensor<4xf32> loc("bn")
        %26 = "stablehlo.add"(%22, %25) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %27 = "stablehlo.slice"(%2) {start_indices = array<i64: 0, 2, 2, 0>, limit_indices = array<i64: 1, 3, 3, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<1x1x1x4xbf16> loc("bn")
        %28 = "stablehlo.reshape"(%27) : (tensor<1x1x1x4xbf16>) -> tensor<4xbf16> loc("bn")
        %29 = "stablehlo.convert"(%28) : (tensor<4xbf16>) -> tensor<4xf32> loc("bn")
        %30 = "stablehlo.add"(%26, %29) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %31 = "stablehlo.slice"(%2) {start_indices = array<i64: 1, 2, 2, 0>, limit_indices = array<i64: 2, 3, 3, 4>, strides = array<i64: 1, 1, 1, 1>} : (tensor<2x3x3x4xbf16>) -> tensor<1x1x1x4xbf16> loc("bn")
        %32 = "stablehlo.reshape"(%31) : (tensor<1x1x1x4xbf16>) -> tensor<4xbf16> loc("bn")
        %33 = "stablehlo.convert"(%32) : (tensor<4xbf16>) -> tensor<4xf32> loc("bn")
        %34 = "stablehlo.add"(%30, %33) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %35 = "stablehlo.constant"() {value = dense<0x3E000000> : tensor<f32>} : () -> tensor<f32> loc("bn")
        %36 = "stablehlo.broadcast_in_dim"(%35) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32> loc("bn")
        %37 = "stablehlo.multiply"(%34, %36) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %38 = "stablehlo.reduce_precision"(%37) {exponent_bits = 8 : i32, mantissa_bits = 7 : i32} : (tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %39 = "stablehlo.broadcast_in_dim"(%38) {broadcast_dimensions = array<i64: 3>} : (tensor<4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %40 = "stablehlo.subtract"(%3, %39) : (tensor<2x3x3x4xf32>, tensor<2x3x3x4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %41 = "stablehlo.multiply"(%40, %40) : (tensor<2x3x3x4xf32>, tensor<2x3x3x4xf32>) -> tensor<2x3x3x4xf32> loc("bn")
        %42 = "stablehlo.reshape"(%40) : (tensor<2x3x3x4xf32>) -> tensor<2x9x4xf32> loc("bn")
        %43 = "stablehlo.constant"() {value = dense<0x00000000> : tensor<f32>} : () -> tensor<f32> loc("bn")
        %44 = "stablehlo.reduce"(%42, %43) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          "stablehlo.return"(%c) : (tensor<f32>) -> ()
        }) {dimensions = array<i64: 1>} : (tensor<2x9x4xf32>, tensor<f32>) -> tensor<2x4xf32> loc("bn")
        %45 = "stablehlo.reshape"(%44) : (tensor<2x4xf32>) -> tensor<1x2x4xf32> loc("bn")
        %46 = "stablehlo.reshape"(%41) : (tensor<2x3x3x4xf32>) -> tensor<2x9x4xf32> loc("bn")
        %47 = "stablehlo.reduce"(%46, %43) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          "stablehlo.return"(%c) : (tensor<f32>) -> ()
        }) {dimensions = array<i64: 1>} : (tensor<2x9x4xf32>, tensor<f32>) -> tensor<2x4xf32> loc("bn")
        %48 = "stablehlo.reshape"(%47) : (tensor<2x4xf32>) -> tensor<1x2x4xf32> loc("bn")
        %49 = "stablehlo.concatenate"(%45, %48) {dimension = 0 : i64} : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<2x2x4xf32> loc("bn")
        %50 = "stablehlo.reduce"(%49, %43) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          "stablehlo.return"(%c) : (tensor<f32>) -> ()
        }) {dimensions = array<i64: 1>} : (tensor<2x2x4xf32>, tensor<f32>) -> tensor<2x4xf32> loc("bn")
        %51 = "stablehlo.slice"(%50) {start_indices = array<i64: 1, 0>, limit_indices = array<i64: 2, 4>, strides = array<i64: 1, 1>} : (tensor<2x4xf32>) -> tensor<1x4xf32> loc("bn")
        %52 = "stablehlo.reshape"(%51) : (tensor<1x4xf32>) -> tensor<4xf32> loc("bn")
        %53 = "stablehlo.slice"(%50) {start_indices = array<i64: 0, 0>, limit_indices = array<i64: 1, 4>, strides = array<i64: 1, 1>} : (tensor<2x4xf32>) -> tensor<1x4xf32> loc("bn")
        %54 = "stablehlo.reshape"(%53) : (tensor<1x4xf32>) -> tensor<4xf32> loc("bn")
        %55 = "stablehlo.constant"() {value = dense<0x41900000> : tensor<f32>} : () -> tensor<f32> loc("bn")
        %56 = "stablehlo.broadcast_in_dim"(%55) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32> loc("bn")
        %57 = "stablehlo.divide"(%54, %56) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %58 = "stablehlo.divide"(%52, %56) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %59 = "stablehlo.multiply"(%57, %57) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %60 = "stablehlo.subtract"(%58, %59) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %61 = "stablehlo.add"(%38, %57) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %62 = "stablehlo.broadcast_in_dim"(%43) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32> loc("bn")
        %63 = "stablehlo.maximum"(%60, %62) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("bn")
        %64 = "stablehlo.subtract"(%61, %arg2) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        %65 = "stablehlo.broadcast_in_dim"(%35) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> tensor<4xf32>
        %66 = "stablehlo.multiply"(%65, %64) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        %67 = "stablehlo.add"(%arg2, %66) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        "func.return"(%67) : (tensor<4xf32>) -> ()
      }
    }

    """
