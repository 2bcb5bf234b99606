import ResNetModel
import Tensors
import Testing

@Suite("Initialisation")
struct InitialisationTests {
    /// Mean and standard deviation of a tensor.
    private func moments(_ tensor: HostTensor?) throws -> (mean: Double, deviation: Double) {
        let values = try #require(tensor).doubles()
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        return (mean, variance.squareRoot())
    }

    /// Checks mean 0 and a deviation within five standard errors.
    private func expectDeviation(
        _ expected: Double, _ tensor: HostTensor?, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (mean, deviation) = try moments(tensor)
        let count = Double(try #require(tensor).shape.elementCount)
        #expect(
            abs(mean) <= 5 * expected / count.squareRoot(), sourceLocation: sourceLocation)
        #expect(
            abs(deviation / expected - 1) <= 5 / (2 * count).squareRoot(),
            sourceLocation: sourceLocation)
    }

    /// A small network.
    private let architecture = ResNetArchitecture(depth: .resNet18, classCount: 20)

    @Test("makes every parameter, of its shape, in float32")
    func shapes() {
        let tensors = architecture.initialParameters(seed: 1)
        #expect(tensors.count == architecture.parameterList.count)
        for parameter in architecture.parameterList {
            #expect(tensors[parameter.name]?.shape == parameter.shape)
            #expect(tensors[parameter.name]?.elementType == .float32)
        }
    }

    @Test("draws filters from a normal distribution with variance 2 / fan")
    func kaiming() throws {
        let byInput = architecture.initialParameters(seed: 2)
        try expectDeviation((2.0 / (3 * 49)).squareRoot(), byInput["conv1.weight"])
        try expectDeviation((2.0 / (64 * 9)).squareRoot(), byInput["layer2.0.conv1.weight"])
        let byOutput = architecture.initialParameters(seed: 2, Initialisation(fan: .fanOut))
        try expectDeviation((2.0 / (64 * 49)).squareRoot(), byOutput["conv1.weight"])
        try expectDeviation((2.0 / (128 * 9)).squareRoot(), byOutput["layer2.0.conv1.weight"])
    }

    @Test("draws the classifier uniformly between 1/sqrt(features) either way")
    func classifier() throws {
        let tensors = architecture.initialParameters(seed: 3)
        let bound = 1 / 512.0.squareRoot()
        for name in ["fc.weight", "fc.bias"] {
            let values = try #require(tensors[name]).doubles()
            #expect(values.allSatisfy { abs($0) <= bound })
            #expect(values.contains { abs($0) > bound * 0.8 })
        }
        try expectDeviation(bound / 3.0.squareRoot(), tensors["fc.weight"])
    }

    @Test("starts batch norms as identities, and blocks too where asked")
    func batchNorms() throws {
        for startsAtZero in [false, true] {
            let tensors = architecture.initialParameters(
                seed: 4, Initialisation(startsBlocksAtZero: startsAtZero))
            func all(_ name: String) throws -> Set<Float> {
                Set(try #require(tensors[name]).floats())
            }
            #expect(try all("layer1.0.bn1.weight") == [1])
            #expect(try all("layer1.0.bn2.weight") == (startsAtZero ? [0] : [1]))
            #expect(try all("layer2.0.downsample.1.weight") == [1])
            #expect(try all("bn1.bias") == [0])
            #expect(try all("bn1.running_mean") == [0])
            #expect(try all("bn1.running_var") == [1])
        }
    }

    @Test("draws filters and classifier from a truncated normal distribution as TensorFlow does")
    func truncated() throws {
        let tensors = architecture.initialParameters(
            seed: 5, Initialisation(distribution: .truncatedNormal, fan: .fanOut))
        let deviation = (2.0 / (128 * 9)).squareRoot()
        try expectDeviation(deviation, tensors["layer2.0.conv1.weight"])
        let values = try #require(tensors["layer2.0.conv1.weight"]).doubles()
        #expect(values.allSatisfy { abs($0) <= 2 * deviation / 0.8796 })
        try expectDeviation((2.0 / 20).squareRoot(), tensors["fc.weight"])
        #expect(try #require(tensors["fc.bias"]).floats().allSatisfy { $0 == 0 })
    }

    @Test("repeats for a seed, differs between seeds and between parameters")
    func seeds() throws {
        let one = architecture.initialParameters(seed: 6)
        let again = architecture.initialParameters(seed: 6)
        let other = architecture.initialParameters(seed: 7)
        let name = "layer1.0.conv1.weight"
        #expect(one[name]?.floats() == again[name]?.floats())
        #expect(one[name]?.floats() != other[name]?.floats())
        #expect(one[name]?.floats() != one["layer1.0.conv2.weight"]?.floats())
    }
}
