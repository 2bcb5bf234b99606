import Native
import Testing
import XLABackend

@Suite("Reports of optimised programs")
struct ProgramReportTests {
    private static let program = """
        module @sums {
          "func.func"() ({
          ^bb0(%x: tensor<64x128xf32>):
            %y = "stablehlo.multiply"(%x, %x) : (tensor<64x128xf32>, tensor<64x128xf32>) -> tensor<64x128xf32>
            "func.return"(%y) : (tensor<64x128xf32>) -> ()
          }) {sym_name = "main", function_type = (tensor<64x128xf32>) -> tensor<64x128xf32>} : () -> ()
        }
        """

    private static let isAvailable = !PJRTPlugin.candidates(.cpu).isEmpty

    private func optimized() throws -> [UInt8] {
        let found = try #require(PJRTPlugin.candidates(.cpu).first)
        let client = try PJRTPlugin.load(found.path).makeClient()
        return try client.compile(Self.program, PJRTCompileOptions()).optimizedProgram().bytes
    }

    @Test("count kernels, and bytes where they are read and written", .enabled(if: isAvailable))
    func counts() throws {
        let report = ProgramReport(OptimizedProgram(try optimized()))
        #expect(report.kernelCount == 1)
        #expect(report.wideConvolutions.isEmpty && report.transposes.isEmpty)
        // One operand, read once or by both sides of the product, and one result.
        let tensor = 64 * 128 * 4
        #expect(report.byteCount == 2 * tensor || report.byteCount == 3 * tensor)
    }

    @Test("take any bytes", .enabled(if: isAvailable))
    func damaged() throws {
        let bytes = try optimized()
        for end in stride(from: 0, to: bytes.count, by: 7) {
            _ = ProgramReport(OptimizedProgram(Array(bytes[..<end]))).byteCount
        }
        for place in stride(from: 0, to: bytes.count, by: 3) {
            var copy = bytes
            copy[place] ^= 0xFF
            _ = ProgramReport(OptimizedProgram(copy)).kernelCount
        }
    }

    @Test("know the GPUs that users may name")
    func targets() {
        #expect(GPUTarget.named("h200")?.coreCount == 132)
        #expect(GPUTarget.named("H200")?.name == nil)
    }
}
