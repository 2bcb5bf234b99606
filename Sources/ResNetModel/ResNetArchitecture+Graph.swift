public import Graph
import Tensors

extension ResNetArchitecture {
    /// The graph that classifies images.
    ///
    /// Its one input is `image`, uint8 `[batch, imageSize, imageSize, 3]`: pixels as decoded, red first. Its
    /// parameters have the names of `parameterList`, its nodes the labels of torchvision's modules. It is as the
    /// architecture is written: batch norms are nodes of their own; `optimizeForInference` folds and fuses.
    ///
    /// - Parameters:
    ///   - batch: images a run.
    ///   - imageSize: height and width; 224 in the published recipes.
    ///   - outputs: what to compute; the graph lists them in the order of `ResNetOutput`'s cases.
    /// - Throws: `GraphError` with code `.invalidAttribute` where batch or image size is below 1, or
    ///   `.missingOutput` where no output is asked for.
    public func inferenceGraph(
        batch: Int, imageSize: Int = 224, outputs: Set<ResNetOutput> = [.logits]
    ) throws(GraphError) -> Graph {
        guard batch >= 1, imageSize >= 1, batch <= 1 << 20, imageSize <= 1 << 16 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a batch of 1 to \(1 << 20) and images of 1 to \(1 << 16) pixels "
                    + "a side, found \(batch) and \(imageSize)")
        }
        var network = NetworkBuilder(architecture: self)
        let image = try network.graph.input(
            "image", type: TensorType(.uint8, [batch, imageSize, imageSize, 3]))
        var x = try network.graph.normalizeImage(
            image, mean: ImageNormalization.mean, deviation: ImageNormalization.deviation)
        x = try network.convolutionAndNormalization(stem, x)
        x = try network.graph.relu(x, label: "relu")
        x = try network.graph.maxPool(
            x, size: Spatial(3), stride: Spatial(2), padding: Padding(1), label: "maxpool")
        for block in blocks { x = try network.residualBlock(block, x) }
        let activations = x
        let features = try network.graph.globalAveragePool(x, label: "avgpool")
        let logits = try network.classifier(features)

        for output in ResNetOutput.allCases where outputs.contains(output) {
            switch output {
            case .logits: try network.graph.output(output.rawValue, logits)
            case .probabilities:
                let probabilities = try network.graph.softmax(logits)
                try network.graph.output(output.rawValue, probabilities)
            case .features: try network.graph.output(output.rawValue, features)
            case .activations: try network.graph.output(output.rawValue, activations)
            }
        }
        return try removeDeadCode(network.graph.finish())
    }
}

private struct NetworkBuilder {
    let architecture: ResNetArchitecture
    var graph: GraphBuilder
    private let shapes: [String: Shape]

    init(architecture: ResNetArchitecture) {
        self.architecture = architecture
        graph = GraphBuilder(name: architecture.name)
        shapes = Dictionary(
            uniqueKeysWithValues: architecture.parameterList.map { ($0.name, $0.shape) })
    }

    private mutating func parameter(_ name: String) throws(GraphError) -> Value {
        guard let shape = shapes[name] else {
            preconditionFailure("\(name) is not in the architecture's parameter list")
        }
        return try graph.parameter(name, type: TensorType(.float32, shape))
    }

    mutating func convolutionAndNormalization(
        _ layer: ConvolutionLayer, _ x: Value
    ) throws(GraphError) -> Value {
        let y = try graph.convolution(
            x, filter: parameter("\(layer.name).weight"), stride: Spatial(layer.stride),
            padding: Padding(layer.padding), label: layer.name)
        return try graph.batchNormalization(
            y, scale: parameter("\(layer.normalizationName).weight"),
            shift: parameter("\(layer.normalizationName).bias"),
            mean: parameter("\(layer.normalizationName).running_mean"),
            variance: parameter("\(layer.normalizationName).running_var"),
            label: layer.normalizationName)
    }

    mutating func residualBlock(_ block: ResidualBlock, _ x: Value) throws(GraphError) -> Value {
        // The projection comes first, so that the main branch's last convolution is the later of the two
        // and takes the sum when nodes are fused.
        var shortcut = x
        if let projection = block.projection {
            shortcut = try convolutionAndNormalization(projection, x)
        }
        var y = x
        for (index, convolution) in block.convolutions.enumerated() {
            y = try convolutionAndNormalization(convolution, y)
            if index < block.convolutions.count - 1 {
                y = try graph.relu(y, label: "\(block.name).relu")
            }
        }
        let sum = try graph.add(y, shortcut, label: block.name)
        return try graph.relu(sum, label: "\(block.name).relu")
    }

    mutating func classifier(_ features: Value) throws(GraphError) -> Value {
        try graph.dense(
            features, weight: parameter("fc.weight"), bias: parameter("fc.bias"), label: "fc")
    }
}
