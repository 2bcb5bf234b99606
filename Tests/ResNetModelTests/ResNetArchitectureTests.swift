import Graph
import ResNetModel
import Tensors
import Testing

@Suite("ResNet architecture")
struct ResNetArchitectureTests {
    /// One line a parameter: name and extents.
    private func lines(_ architecture: ResNetArchitecture) -> [String] {
        architecture.parameterList.map { parameter in
            ([parameter.name] + parameter.shape.dimensions.map(String.init))
                .joined(separator: " ")
        }
    }

    /// FNV-1a, 64 bits.
    private func digest(_ lines: [String]) -> UInt64 {
        lines.map { $0 + "\n" }.joined().utf8.reduce(0xCBF2_9CE4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
    }

    @Test("has torchvision's parameters, in its order", arguments: Depth.allCases)
    func parameters(depth: Depth) throws {
        let expected = try #require(torchvisionArchitectures[depth.rawValue])
        let architecture = ResNetArchitecture(depth: depth)
        #expect(architecture.trainedParameterCount == expected.trainedParameterCount)
        #expect(architecture.parameterList.count == expected.tensorCount)
        #expect(digest(lines(architecture)) == expected.digest)
        #expect(architecture.optionalParameterNames.count == expected.counterCount)
    }

    @Test("has torchvision's names and shapes at depths 18 and 50")
    func names() {
        let fixtures = [(Depth.resNet18, torchvisionResNet18), (.resNet50, torchvisionResNet50)]
        for (depth, text) in fixtures {
            #expect(
                lines(ResNetArchitecture(depth: depth))
                    == text.split(separator: "\n").map(String.init))
        }
    }

    @Test("has 25,557,032 parameters at depth 50")
    func parameterCount() {
        #expect(ResNetArchitecture().trainedParameterCount == 25_557_032)
        #expect(ResNetArchitecture(classCount: 10).trainedParameterCount == 23_528_522)
        #expect(
            ResNetArchitecture().optionalParameterNames.prefix(2)
                == ["bn1.num_batches_tracked", "layer1.0.bn1.num_batches_tracked"])
    }

    @Test("is called what the field calls it")
    func name() {
        #expect(ResNetArchitecture().name == "ResNet-50 v1.5")
        #expect(ResNetArchitecture(depth: .resNet101, variant: .v1).name == "ResNet-101 v1")
        #expect(ResNetArchitecture(depth: .resNet18).name == "ResNet-18")
    }

    @Test("builds a graph of its parameters, verified", arguments: Depth.allCases)
    func graph(depth: Depth) throws {
        let architecture = ResNetArchitecture(depth: depth, classCount: 7)
        let graph = try architecture.inferenceGraph(
            batch: 3, imageSize: 224, outputs: Set(ResNetOutput.allCases))
        try graph.verify()
        let expected = architecture.parameterList.map { TensorType(.float32, $0.shape) }
        let names = Set(architecture.parameterList.map(\.name))
        #expect(Set(graph.parameters.map(\.name)) == names)
        #expect(graph.parameters.count == expected.count)
        #expect(graph.inputs.map(\.name) == ["image"])
        #expect(graph.inputs.map(\.type) == [TensorType(.uint8, [3, 224, 224, 3])])
        let features = architecture.featureCount
        #expect(
            graph.outputs.map { "\($0.name) \(graph[$0.value].type)" } == [
                "logits float32[3, 7]", "probabilities float32[3, 7]",
                "features float32[3, \(features)]", "activations float32[3, \(features), 7, 7]",
            ])
        #expect(try Graph(text: graph.description) == graph)
    }

    @Test("puts the stride of a bottleneck on the 3x3 convolution in v1.5, on the first 1x1 in v1")
    func variants() throws {
        for (variant, strides) in [(Variant.v1, [2, 1, 1, 2]), (.v1_5, [1, 2, 1, 2])] {
            let graph = try ResNetArchitecture(variant: variant).inferenceGraph(batch: 1)
            let labels = ["conv1", "conv2", "conv3", "downsample.0"].map { "layer2.0.\($0)" }
            let found = labels.map { label in
                graph.nodes.compactMap { node -> Int? in
                    guard node.label == label, case .convolution(let attributes) = node.operation
                    else { return nil }
                    return attributes.stride.height
                }.first
            }
            #expect(found == strides)
        }
    }

    @Test("becomes one convolution with bias for each batch norm, adds and ReLUs fused")
    func optimized() throws {
        let architecture = ResNetArchitecture(classCount: 5)
        var zeros: [String: HostTensor] = [:]
        for parameter in architecture.parameterList {
            zeros[parameter.name] = HostTensor(shape: parameter.shape) { _ in }
        }
        let (graph, parameters) = try optimizeForInference(
            architecture.inferenceGraph(batch: 2, imageSize: 64), zeros, precision: .bfloat16)
        var counts: [String: Int] = [:]
        for node in graph.nodes { counts[node.operation.name, default: 0] += 1 }
        #expect(
            counts == [
                "input": 1, "parameter": 108, "normalizeImage": 1, "convolution": 53,
                "maxPool": 1, "globalAveragePool": 1, "dense": 1,
            ])
        #expect(parameters.count == 108)
        for node in graph.nodes {
            guard case .convolution(let attributes) = node.operation else { continue }
            #expect(attributes.hasBias)
            #expect(attributes.hasResidual == node.label.hasSuffix("conv3"), "\(node.label)")
            #expect(
                (attributes.activation == .none) == node.label.contains("downsample"),
                "\(node.label)")
        }
    }

    @Test("refuses a graph without images, pixels or outputs")
    func errors() {
        func code(batch: Int, imageSize: Int, outputs: Set<ResNetOutput>) -> GraphError.Code? {
            do throws(GraphError) {
                _ = try ResNetArchitecture().inferenceGraph(
                    batch: batch, imageSize: imageSize, outputs: outputs)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(batch: 0, imageSize: 224, outputs: [.logits]) == .invalidAttribute)
        #expect(code(batch: 1, imageSize: 0, outputs: [.logits]) == .invalidAttribute)
        #expect(code(batch: .max, imageSize: .max, outputs: [.logits]) == .invalidAttribute)
        #expect(code(batch: 1, imageSize: 1, outputs: []) == .missingOutput)
        #expect(code(batch: 1, imageSize: 1, outputs: [.features]) == nil)
    }
}
