import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Testing

private let allConformanceCases =
    conformanceCases + trainingConformanceCases + replicaConformanceCases

@Suite("Reference back end")
struct ReferenceConformanceTests {
    @Test(
        "agrees with itself in float64 when it computes in float32", arguments: allConformanceCases)
    func float32(conformanceCase: ConformanceCase) throws {
        try checkConformance(conformanceCase, of: ReferenceBackend(), in: .float32)
    }

    @Test("agrees with float64 to the rounding of bfloat16", arguments: allConformanceCases)
    func bfloat16(conformanceCase: ConformanceCase) throws {
        try checkConformance(conformanceCase, of: ReferenceBackend(), in: .bfloat16)
    }

    @Test(
        "runs whole networks as float64 does, to the rounding of the element type",
        .enabled(if: isOptimizedBuild, "slow without optimisation: swift test -c release"),
        arguments: [ElementType.float32, .bfloat16])
    func networks(elementType: ElementType) throws {
        try checkNetwork(
            ResNetArchitecture(depth: .resNet18, classCount: 10), batch: 2, imageSize: 32,
            of: ReferenceBackend(), in: elementType)
        try checkNetwork(
            ResNetArchitecture(classCount: 10), batch: 1, imageSize: 64, of: ReferenceBackend(),
            in: elementType)
    }
}
