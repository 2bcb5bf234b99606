import Graph
import ResNetModel
import Tensors
import Testing

@Suite("Layer table")
struct LayerTableTests {
    /// Multiply-adds at 224 pixels that torchvision publishes with its weights, in thousands of millions.
    static let published: [(depth: Depth, giga: Double)] = [
        (.resNet18, 1.814), (.resNet34, 3.664), (.resNet50, 4.089), (.resNet101, 7.801),
        (.resNet152, 11.514),
    ]

    @Test("counts as many multiply-adds as torchvision publishes", arguments: published.indices)
    func multiplyAdds(index: Int) throws {
        let (depth, giga) = Self.published[index]
        let architecture = ResNetArchitecture(depth: depth)
        let table = try architecture.layerTable()
        #expect(abs(Double(table.multiplyAddCount) / 1e9 - giga) <= 0.0005)
        #expect(table.parameterCount == architecture.trainedParameterCount)
        #expect(table.countedLayerCount == depth.rawValue)
    }

    @Test("counts 3.86 thousand million multiply-adds for v1")
    func variant() throws {
        let table = try ResNetArchitecture(variant: .v1).layerTable()
        #expect(table.multiplyAddCount == 3_857_973_248)
        #expect(table.parameterCount == 25_557_032)
    }

    @Test("lists kernel, stride, shape, parameters and multiply-adds of each layer")
    func rows() throws {
        let rows = try ResNetArchitecture().layerTable().rows
        #expect(rows.count == 56)
        #expect(
            rows.prefix(6).map(\.name) == [
                "conv1", "maxpool", "layer1.0.conv1", "layer1.0.conv2", "layer1.0.conv3",
                "layer1.0.downsample.0",
            ])
        #expect(rows[0].kind == .convolution)
        #expect(rows[0].kernel == Spatial(7))
        #expect(rows[0].stride == Spatial(2))
        #expect(rows[0].outputShape == [64, 112, 112])
        #expect(rows[0].parameterCount == 64 * 3 * 49 + 128)
        #expect(rows[0].multiplyAddCount == 64 * 3 * 49 * 112 * 112)
        #expect(rows[5].kind == .projection)
        #expect(!rows[5].isCounted)
        let strided = try #require(rows.first { $0.name == "layer2.0.conv2" })
        #expect(strided.stride == Spatial(2))
        #expect(strided.outputShape == [128, 28, 28])
        #expect(strided.multiplyAddCount == 128 * 128 * 9 * 28 * 28)
        #expect(rows[54].kind == .averagePool)
        #expect(rows[54].outputShape == [2048])
        #expect(rows[55].name == "fc")
        #expect(rows[55].parameterCount == 2_049_000)
        #expect(rows[55].kernel == nil)
    }
}
