import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

@Suite("Reference back end")
struct ReferenceConformanceTests {
    @Test("agrees with itself in float64 when it computes in float32", arguments: conformanceCases)
    func float32(conformanceCase: ConformanceCase) throws {
        try checkConformance(conformanceCase, of: ReferenceBackend(), in: .float32)
    }

    @Test("agrees with float64 to the rounding of bfloat16", arguments: conformanceCases)
    func bfloat16(conformanceCase: ConformanceCase) throws {
        try checkConformance(conformanceCase, of: ReferenceBackend(), in: .bfloat16)
    }
}
