import Execution
import Graph
import Native
import ResNetModel
import Tensors
import Testing
import XLABackend

/// XLA's CPU plugin, which stands in for GPUs: the programs are the same.
enum XLAPlugin {
    static let isAvailable = XLABackend.isInstalled(.cpu) && isOptimizedBuild
    static let reason: Comment =
        "no plugin, or no optimisation: Scripts/setup-xla-cpu, then swift test -c release"

    /// A back end of some devices.
    static func backend(devices: Int = 1) throws -> XLABackend {
        var options = XLABackend.Options()
        options.cpuDeviceCount = devices
        return try XLABackend(.cpu, options: options)
    }
}

@Suite("XLA back end", .serialized, .enabled(if: XLAPlugin.isAvailable, XLAPlugin.reason))
struct XLAConformanceTests {
    @Test("agrees with float64 to the rounding", arguments: [ElementType.float32, .bfloat16])
    func inference(elementType: ElementType) throws {
        let backend = try XLAPlugin.backend()
        for conformanceCase in conformanceCases {
            try checkConformance(
                conformanceCase, of: backend, in: elementType, rounding: .convolutionSums)
        }
    }

    @Test("trains as float64 does, to the rounding", arguments: [ElementType.float32, .bfloat16])
    func training(elementType: ElementType) throws {
        let backend = try XLAPlugin.backend()
        for conformanceCase in trainingConformanceCases {
            do {
                try checkConformance(
                    conformanceCase, of: backend, in: elementType, rounding: .convolutionSums)
            } catch { Issue.record("\(conformanceCase.name): \(error)") }
        }
    }

    @Test(
        "has replicas meet where the graph says",
        arguments: [ElementType.float32, .bfloat16])
    func replicas(elementType: ElementType) throws {
        let backend = try XLAPlugin.backend(devices: 4)
        for conformanceCase in replicaConformanceCases {
            try checkConformance(
                conformanceCase, of: backend, in: elementType, rounding: .convolutionSums)
        }
    }

    @Test(
        "runs whole networks as float64 does, to the rounding of the element type",
        arguments: [ElementType.float32, .bfloat16])
    func networks(elementType: ElementType) throws {
        let backend = try XLAPlugin.backend()
        try checkNetwork(
            ResNetArchitecture(depth: .resNet18, classCount: 10), batch: 5, imageSize: 32,
            of: backend, in: elementType)
        try checkNetwork(
            ResNetArchitecture(classCount: 10), batch: 2, imageSize: 64, of: backend,
            in: elementType)
        try checkNetwork(
            ResNetArchitecture(variant: .v1, classCount: 10), batch: 1, imageSize: 64, of: backend,
            in: elementType)
    }
}
