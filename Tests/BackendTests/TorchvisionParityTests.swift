import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Testing

@Suite("ResNets against torchvision's")
struct TorchvisionParityTests {
    /// Numbers in `0..<1`: a hash of stream and place, as in Scripts/fixtures/network_logits.py.
    static func uniform(stream: Int, count: Int) -> [Double] {
        var numbers = [Double](repeating: 0, count: count)
        for index in 0..<count {
            var value = UInt64(index) &* 2_654_435_761 &+ UInt64(stream) &* 40_503 &+ 12_345
            value &= 0xFFFF_FFFF
            value ^= value >> 16
            value = (value &* 2_246_822_519) & 0xFFFF_FFFF
            value ^= value >> 13
            numbers[index] = Double(value) * 0x1p-32
        }
        return numbers
    }

    /// The parameters of that script.
    static func parameters(_ architecture: ResNetArchitecture) -> Parameters {
        var tensors: Parameters = [:]
        for (index, parameter) in architecture.parameterList.enumerated() {
            let shape = parameter.shape
            let fanIn = Double(shape.elementCount) / Double(shape[0])
            let (factor, offset): (Double, Double) =
                switch parameter.role {
                case .filter: (2 * (6 / fanIn).squareRoot(), -(6 / fanIn).squareRoot())
                case .weight: (0.25, -0.125)
                case .bias, .shift: (1, -0.5)
                case .runningMean: (0.25, -0.125)
                case .runningVariance: (1, 0.5)
                case .scale: (0.5, 0.5)
                }
            let numbers = uniform(stream: index + 1, count: shape.elementCount)
            tensors[parameter.name] = HostTensor(shape: shape) { target in
                for index in target.indices {
                    target[index] = Float(numbers[index] * factor + offset)
                }
            }
        }
        return tensors
    }

    static let batch = 2
    static let imageSize = 37

    /// The images of that script.
    static var images: HostTensor {
        let shape: Shape = [batch, imageSize, imageSize, 3]
        return HostTensor(
            uniform(stream: 0, count: shape.elementCount).map { UInt8($0 * 256) }, shape: shape)
    }

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
            batch: Self.batch, imageSize: Self.imageSize)
        let parameters = Self.parameters(architecture)
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
        return try step.run([Self.images])[0].doubles()
    }
}
