import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Testing

@Suite("ResNets against torchvision's")
struct TorchvisionParityTests {
    @Test("give the same logits at depth 18, from the same formula's parameters")
    func resNet18() throws {
        try expectLogits("18 v1.5")
    }

    @Test(
        "give the same logits at depth 50, v1 and v1.5",
        .enabled(if: isOptimizedBuild, "slow without optimisation: swift test -c release"),
        arguments: ["50 v1", "50 v1.5"])
    func resNet50(name: String) throws {
        try expectLogits(name)
    }

    private func expectLogits(_ name: String) throws {
        let parts = name.split(separator: " ").map(String.init)
        let architecture = ResNetArchitecture(
            depth: try #require(Int(parts[0]).flatMap { Depth(rawValue: $0) }),
            variant: try #require(Variant(rawValue: parts[1])), classCount: 10)
        let graph = try architecture.inferenceGraph(
            batch: 2, imageSize: 37)
        let parameters = FormulaNetwork.parameters(architecture)
        let expected = try #require(torchvisionLogits[name])
        let largest = expected.reduce(0) { max($0, abs($1)) }

        // As written, the graph's one rounding is that of the logits to float32.
        let asWritten = try run(convert(graph, to: .float64), parameters)
        for (found, wanted) in zip(asWritten, expected) {
            #expect(abs(found - wanted) <= 0x1p-23 * largest, "\(name)")
        }

        // Optimised, in float32: folded parameters are rounded, and 50 layers accumulate errors of 2^-24 a
        // sum; 2e-5 of the largest logit is a few times what is seen.
        let optimized = try optimizeForInference(graph, parameters)
        let fused = try run(optimized.graph, optimized.parameters)
        for (found, wanted) in zip(fused, expected) {
            #expect(abs(found - wanted) <= 2e-5 * largest, "\(name)")
        }
    }

    private func run(_ graph: Graph, _ parameters: Parameters) throws -> [Double] {
        let step = try ReferenceBackend().compile(graph, parameters: parameters)
        return try step.run([FormulaNetwork.images(batch: 2, imageSize: 37)])[0].doubles()
    }
}
