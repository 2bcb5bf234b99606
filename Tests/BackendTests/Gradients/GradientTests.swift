import Execution
import Graph
import ReferenceBackend
import ResNetModel
import Tensors
import Testing

@Suite("Gradients")
struct GradientTests {
    @Test("are what differences of the loss are", arguments: gradientCases)
    func differences(gradientCase: GradientCase) throws {
        try GradientCheck(gradientCase).run()
    }

    @Test("are checked for every rule")
    func coverage() throws {
        let names = try gradientCases.reduce(into: Set<String>()) { names, gradientCase in
            names.formUnion(try gradientCase.lossGraph().graph.nodes.map(\.operation.name))
        }
        // A cast to a narrower type is a staircase, which has no derivative; its rule is tested on graphs.
        #expect(
            names.isSuperset(of: [
                "convolution", "batchNormalization", "normalizeBatch", "relu", "add", "multiply",
                "maxPool", "globalAveragePool", "dense", "crossEntropy", "replicaMean",
                "replicaMoments",
            ]))
    }

    /// Operations of the gradients' graphs with a small mistake in each.
    static let mistakes: [(caseName: String, change: @Sendable (inout Node) -> Void)] = [
        (
            "batch statistics [2, 3, 5, 3]",
            { node in
                if case .normalizeBatchGradient = node.operation {
                    node.operation = .normalizeBatchGradient(epsilon: 1.1e-5)
                }
            }
        ),
        (
            "synchronised batch statistics of 2 replicas",
            { node in
                // The sums of the other replicas forgotten.
                guard case .normalizeBatchGradient = node.operation else { return }
                node.operands[4] = Value(index: node.operands[4].index - 1)
            }
        ),
        (
            "frozen statistics [2, 3, 5, 3]",
            { node in
                if case .batchNormalizationGradient = node.operation {
                    node.operation = .batchNormalizationGradient(epsilon: 2e-5)
                }
            }
        ),
        (
            "relu",
            { node in if case .reluGradient = node.operation { node.operands[1] = node.operands[0] }
            }
        ),
        (
            "crossEntropy of 3 labels smoothed",
            { node in
                if case .crossEntropyGradient = node.operation {
                    node.operation = .crossEntropyGradient(CrossEntropy(smoothing: 0.1001))
                }
            }
        ),
        (
            "convolution [2, 2, 6, 6] to 3, 3x3 step 2x2 padding 0,0,1,1",
            { node in
                if case .convolutionInputGradient(var convolution, let size) = node.operation {
                    convolution.padding = Padding(top: 1, left: 0, bottom: 0, right: 1)
                    node.operation = .convolutionInputGradient(convolution, size: size)
                }
            }
        ),
    ]

    @Test("are found wrong where an operation is", arguments: mistakes.indices)
    func noticing(index: Int) throws {
        let mistake = Self.mistakes[index]
        let gradientCase = try #require(gradientCases.first { $0.name == mistake.caseName })
        let check = try GradientCheck(gradientCase) { graph in
            let nodes = graph.nodes.map { node in
                var changed = node
                mistake.change(&changed)
                return changed
            }
            return Graph(
                name: graph.name, replicaCount: graph.replicaCount, nodes: nodes,
                outputs: graph.outputs)
        }
        withKnownIssue { try check.run() }
    }

    @Test(
        "of whole networks are what differences of the loss are",
        .enabled(if: isOptimizedBuild, "slow without optimisation: swift test -c release"),
        arguments: [Depth.resNet18, .resNet50], [false, true])
    func networks(depth: Depth, frozen: Bool) throws {
        let architecture = ResNetArchitecture(depth: depth, classCount: 10)
        let network = DifferentiableNetwork(
            architecture: architecture, batch: 2, imageSize: 33, frozen: frozen)
        let check = try network.check()
        // In each network a stem, norms, strided and projecting filters, the last block and the classifier.
        // Of ResNet-18 every third tensor; of ResNet-50, which is slower, one of each kind.
        let names =
            depth == .resNet18
            ? check.states.keys.sorted().enumerated().filter { $0.offset % 3 == 0 }.map(\.element)
            : [
                "conv1.weight", "bn1.weight", "layer1.0.conv2.weight", "layer2.0.conv2.weight",
                "layer3.0.downsample.0.weight", "layer4.2.bn3.bias", "layer4.2.conv3.weight",
                "fc.weight",
            ]
        for name in names {
            let gradient = try #require(check.gradients[name]).doubles()
            let direction = randomDirection(gradient.count, seed: 7)
            let wanted = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
            let size = (gradient.reduce(0) { $0 + $1 * $1 } / 3).squareRoot()
            // Of hundreds of thousands of activations one may cross zero within a step, which bends the quotient;
            // a shorter step has it on one side. Rounding adds `2^-53` of the loss over the step, times what layers
            // amplify: up to 4e-6 of the gradient's size is seen. A wrong gradient is off at every step.
            var error = Double.infinity
            for step in [0x1p-28, 0x1p-26, 0x1p-30, 0x1p-32] where !(error <= 1e-5 * size) {
                error = abs(try check.derivative(of: name, along: direction, step: step) - wanted)
            }
            #expect(
                error <= 1e-5 * size && size > 0,
                "\(architecture.name), \(name): the gradient is \(wanted), the error \(error)")
        }
    }
}

/// A network's loss, in float64, with its parameters as states.
struct DifferentiableNetwork {
    let architecture: ResNetArchitecture
    let batch: Int
    let imageSize: Int
    let frozen: Bool

    func check() throws -> GradientCheck {
        let all = FormulaNetwork.parameters(architecture)
        let statistics = all.filter { $0.key.contains("running_") }
        let states = try all.filter { !$0.key.contains("running_") }
            .mapValues { try $0.converted(to: .float64) }
        var random = RandomGenerator(seed: 1)
        let labels = try Numbers.labels(classes: architecture.classCount).tensor(
            TensorType(.int32, [batch]), &random)
        return try GradientCheck(
            architecture.name, loss: graph(gradients: false), gradients: graph(gradients: true),
            parameters: statistics, states: states,
            inputs: [FormulaNetwork.images(batch: batch, imageSize: imageSize), labels])
    }

    /// The graph of inference with other leaves and batch norms, and a loss.
    private func graph(gradients: Bool) throws -> Graph {
        let inference = try architecture.inferenceGraph(batch: batch, imageSize: imageSize)
        var builder = GraphBuilder(name: architecture.name)
        var values: [Value] = []
        var states: [(name: String, value: Value)] = []
        for node in inference.nodes {
            let operands = node.operands.map { values[$0.index] }
            let type = TensorType(.float64, node.type.shape)
            switch node.operation {
            case .input(let name): values.append(try builder.input(name, type: node.type))
            case .parameter(let name) where name.contains("running_"):
                values.append(try builder.parameter(name, type: type))
            case .parameter(let name):
                values.append(try builder.state(name, type: type))
                states.append((name, values[values.count - 1]))
            case .normalizeImage(let mean, let deviation, _):
                values.append(
                    try builder.normalizeImage(
                        operands[0], mean: mean, deviation: deviation, elementType: .float64))
            case .dense:
                values.append(
                    try builder.dense(operands[0], weight: operands[1], bias: operands[2]))
            case .batchNormalization(let epsilon) where !frozen:
                let moments = try builder.batchMoments(operands[0])
                values.append(
                    try builder.normalizeBatch(
                        operands[0], scale: operands[1], shift: operands[2], moments: moments,
                        epsilon: epsilon))
            default: values.append(try builder.append(node.operation, operands))
            }
        }
        let logits = values[inference.outputs[0].value.index]
        let labels = try builder.input("labels", type: TensorType(.int32, [batch]))
        let loss = try builder.crossEntropy(logits, targets: labels, smoothing: 0.1)
        guard gradients else {
            try builder.output("loss", loss)
            return try removeDeadCode(builder.finish())
        }
        let results = try builder.gradients(of: loss, withRespectTo: states.map(\.value))
        for (state, gradient) in zip(states, results) { try builder.output(state.name, gradient) }
        return try builder.finish()
    }
}
