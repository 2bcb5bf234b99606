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
        var network = NetworkBuilder(architecture: self, mode: .inference)
        let values = try network.forwardPass(batch: batch, imageSize: imageSize)

        for output in ResNetOutput.allCases where outputs.contains(output) {
            switch output {
            case .logits: try network.graph.output(output.rawValue, values.logits)
            case .probabilities:
                let probabilities = try network.graph.softmax(values.logits)
                try network.graph.output(output.rawValue, probabilities)
            case .features: try network.graph.output(output.rawValue, values.features)
            case .activations: try network.graph.output(output.rawValue, values.activations)
            }
        }
        return try removeDeadCode(network.graph.finish())
    }
}
