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
        (0..<UInt64(count)).map { index in
            var value = (index &* 2_654_435_761 &+ UInt64(stream) &* 40_503 &+ 12_345) & 0xFFFF_FFFF
            value ^= value >> 16
            value = (value &* 2_246_822_519) & 0xFFFF_FFFF
            value ^= value >> 13
            return Double(value) / 0x1p32
        }
    }

    /// The parameters of that script.
    static func parameters(_ architecture: ResNetArchitecture) -> Parameters {
        var tensors: Parameters = [:]
        for (index, parameter) in architecture.parameterList.enumerated() {
            let shape = parameter.shape
            let numbers = uniform(stream: index + 1, count: shape.elementCount)
            let values: [Double] =
                switch parameter.role {
                case .filter:
                    numbers.map {
                        ($0 * 2 - 1)
                            * (6 / (Double(shape.elementCount) / Double(shape[0]))).squareRoot()
                    }
                case .weight: numbers.map { ($0 * 2 - 1) * 0.125 }
                case .bias, .shift: numbers.map { $0 - 0.5 }
                case .runningMean: numbers.map { ($0 - 0.5) * 0.25 }
                case .runningVariance: numbers.map { $0 + 0.5 }
                case .scale: numbers.map { $0 * 0.5 + 0.5 }
                }
            tensors[parameter.name] = HostTensor(values.map { Float($0) }, shape: shape)
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

    @Test(
        "give the same logits in float64, from the same formula's parameters",
        arguments: torchvisionLogits.keys.sorted())
    func logits(name: String) throws {
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
