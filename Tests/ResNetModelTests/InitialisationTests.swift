import ResNetModel
import Tensors
import Testing

@Suite("Initialisation")
struct InitialisationTests {
    /// Mean and standard deviation of a tensor.
    private func moments(_ tensor: HostTensor) -> (mean: Double, deviation: Double) {
        let values = tensor.doubles()
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        return (mean, variance.squareRoot())
    }

    /// Checks mean 0 and a deviation within five standard errors.
    private func expectDeviation(
        _ expected: Double, _ tensor: HostTensor, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let (mean, deviation) = moments(tensor)
        let count = Double(tensor.shape.elementCount)
        #expect(
            abs(mean) <= 5 * expected / count.squareRoot(), sourceLocation: sourceLocation)
        #expect(
            abs(deviation / expected - 1) <= 5 / (2 * count).squareRoot(),
            sourceLocation: sourceLocation)
    }

    private let architecture = ResNetArchitecture(depth: .resNet18, classCount: 20)

    /// The numbers of one parameter, drawn without those of the others.
    private func tensor(
        _ name: String, seed: UInt64, _ initialisation: Initialisation = Initialisation()
    ) throws -> HostTensor {
        let list = architecture.parameterList
        let index = try #require(list.firstIndex { $0.name == name })
        return architecture.initialTensor(
            list[index], seed: seed, stream: UInt64(index), initialisation)
    }

    @Test("makes every parameter, of its shape, in float32, each from its own stream")
    func shapes() throws {
        let tensors = architecture.initialParameters(seed: 1)
        for name in ["conv1.weight", "layer1.1.conv2.weight", "fc.bias"] {
            #expect(try tensors[name]?.floats() == tensor(name, seed: 1).floats())
        }
        #expect(tensors.count == architecture.parameterList.count)
        for parameter in architecture.parameterList {
            #expect(tensors[parameter.name]?.shape == parameter.shape)
            #expect(tensors[parameter.name]?.elementType == .float32)
        }
    }

    @Test("draws filters from a normal distribution with variance 2 / fan")
    func kaiming() throws {
        let fans: [(Initialisation.Fan, stem: Int, block: Int)] = [
            (.fanIn, 3 * 49, 64 * 9), (.fanOut, 64 * 49, 128 * 9),
        ]
        for (fan, stem, block) in fans {
            let choice = Initialisation(fan: fan)
            try expectDeviation(
                (2 / Double(stem)).squareRoot(), tensor("conv1.weight", seed: 2, choice))
            try expectDeviation(
                (2 / Double(block)).squareRoot(), tensor("layer2.0.conv1.weight", seed: 2, choice))
        }
    }

    @Test("draws the classifier uniformly between 1/sqrt(features) either way")
    func classifier() throws {
        let bound = 1 / 512.0.squareRoot()
        for name in ["fc.weight", "fc.bias"] {
            let values = try tensor(name, seed: 3).doubles()
            #expect(values.allSatisfy { abs($0) <= bound })
            #expect(values.contains { abs($0) > bound * 0.8 })
        }
        try expectDeviation(bound / 3.0.squareRoot(), tensor("fc.weight", seed: 3))
    }

    @Test("starts batch norms as identities, and blocks too where asked")
    func batchNorms() throws {
        for startsAtZero in [false, true] {
            let choice = Initialisation(startsBlocksAtZero: startsAtZero)
            func all(_ name: String) throws -> Set<Float> {
                Set(try tensor(name, seed: 4, choice).floats())
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
        let choice = Initialisation(distribution: .truncatedNormal, fan: .fanOut)
        let deviation = (2.0 / (128 * 9)).squareRoot()
        let filter = try tensor("layer2.0.conv1.weight", seed: 5, choice)
        expectDeviation(deviation, filter)
        #expect(filter.doubles().allSatisfy { abs($0) <= 2 * deviation / 0.8796 })
        try expectDeviation((2.0 / 20).squareRoot(), tensor("fc.weight", seed: 5, choice))
        #expect(try tensor("fc.bias", seed: 5, choice).floats().allSatisfy { $0 == 0 })
    }

    @Test("repeats for a seed, differs between seeds and between parameters")
    func seeds() throws {
        let name = "layer1.0.conv1.weight"
        let one = try tensor(name, seed: 6).floats()
        #expect(try tensor(name, seed: 6).floats() == one)
        #expect(try tensor(name, seed: 7).floats() != one)
        #expect(try tensor("layer1.0.conv2.weight", seed: 6).floats() != one)
    }
}
