import Graph
import ModelFormats
import ResNetModel
import Tensors

/// Writes a ResNet as a graph of TensorFlow, from pixels to probabilities, from the graph that all back ends run.
///
/// Activations are `[N, H, W, C]`. Batch norms are nodes of their own. Names are those of NVIDIA's graphs where these
/// name what other programs ask for.
struct TensorFlowNetwork {
    /// The nodes that others ask for.
    enum Name {
        static let input = "input_tensor"
        static let features = "features_ref"
        static let logits = "logits_ref"
        static let probabilities = "probs_ref"
        static let classes = "y_preds_ref"
    }

    private let architecture: ResNetArchitecture
    private let variables: TensorFlowVariables
    private let root: String
    private(set) var writer = TensorFlowGraphWriter()
    private var isDeclared: Set<String> = []

    /// Writes the graph for pictures of a size, of any number at once; logits are divided by the temperature before
    /// softmax.
    ///
    /// - Throws: `GraphError` as `ResNetArchitecture.inferenceGraph` does, or `ModelFormatError` with code
    ///   `.unsupported` for an operation that has no counterpart there.
    init(
        _ architecture: ResNetArchitecture, _ variables: TensorFlowVariables, imageSize: Int,
        temperature: Double
    ) throws {
        self.architecture = architecture
        self.variables = variables
        root = TensorFlowVariables.root(of: architecture)
        let graph = try architecture.inferenceGraph(
            batch: 1, imageSize: imageSize, outputs: [.logits])
        writer.node(
            Name.input, "Placeholder", [],
            ["dtype": .type(.dtFloat), "shape": .shape([-1, imageSize, imageSize, 3])])
        for variable in variables.variables { declare(variable) }
        var names: [Int: String] = [:]
        for (index, node) in graph.nodes.enumerated() {
            let inputs = node.operands.map { names[$0.index] ?? "" }
            names[index] = try write(node, inputs, in: graph, number: index)
        }
        writeAnswers(names[graph.outputs[0].value.index] ?? "", temperature: temperature)
    }

    private static let plain: [String: TensorFlowAttrValue] = ["T": .type(.dtFloat)]

    // MARK: - Variables

    private mutating func declare(_ variable: TensorBundle.Variable) {
        let type: [String: TensorFlowAttrValue] = ["dtype": .type(.dtFloat)]
        let name = variable.name
        writer.node(
            name, "VarHandleOp", [],
            type.merging(["shape": .shape(variable.shape), "shared_name": .text(name)]) { $1 })
        // One element stands for all of them.
        let initial = writer.constant(
            "\(name)/Initializer/zeros", [0 as Float], shape: variable.shape)
        writer.node("\(name)/Assign", "AssignVariableOp", [name, initial], type)
        writer.node("\(name)/Read/ReadVariableOp", "ReadVariableOp", [name], type)
    }

    // MARK: - Layers

    private mutating func write(
        _ node: Node, _ inputs: [String], in graph: Graph, number: Int
    ) throws -> String {
        let name = "\(root)/\(number)"
        switch node.operation {
        case .input: return Name.input
        case .parameter(let parameter):
            return "\(variables.name(of: parameter))/Read/ReadVariableOp"
        case .normalizeImage: return normalize(inputs[0])
        case .convolution(let convolution) where convolution.operandCount == 2:
            return self.convolution(convolution, graph[node.operands[1]].type.shape[2], inputs)
        case .batchNormalization(let epsilon):
            return writer.node(
                trimmed(inputs[1], "gamma") + "FusedBatchNormV3", "FusedBatchNormV3", inputs,
                [
                    "T": .type(.dtFloat), "U": .type(.dtFloat), "epsilon": .number(Float(epsilon)),
                    "is_training": .flag(false), "data_format": .text("NHWC"),
                ])
        case .relu: return writer.node("\(name)/Relu", "Relu", inputs, Self.plain)
        case .add: return writer.node("\(name)/add", "AddV2", inputs, Self.plain)
        case .maxPool(let window): return maxPool(window, inputs[0])
        case .globalAveragePool:
            let axes = writer.constant("\(root)/mean/axes", [1, 2] as [Int32], shape: [2])
            let mean = writer.node(
                "\(root)/mean", "Mean", inputs + [axes],
                ["T": .type(.dtFloat), "Tidx": .type(.dtInt32), "keep_dims": .flag(false)])
            return writer.node(Name.features, "Identity", [mean], Self.plain)
        case .dense:
            let product = writer.node(
                "\(root)/output/dense/MatMul", "MatMul", [inputs[0], inputs[1]], Self.plain)
            return writer.node(
                "\(root)/output/dense/BiasAdd", "BiasAdd", [product, inputs[2]], Self.plain)
        default:
            throw ModelFormatError(
                .unsupported, "\(node.label): TensorFlow's graph has no counterpart here")
        }
    }

    /// The name of a variable's read without its last part and what follows.
    private func trimmed(_ read: String, _ last: String) -> String {
        String(read.dropLast("\(last)/Read/ReadVariableOp".count))
    }

    /// As the back ends do: over 255, less the mean, over the deviation.
    private mutating func normalize(_ image: String) -> String {
        let numbers = architecture.normalization
        let steps: [(String, String, [Double])] = [
            ("scaled", "RealDiv", [255]), ("centred", "Sub", numbers.mean),
            ("normalised", "RealDiv", numbers.deviation),
        ]
        return steps.reduce(image) { value, step in
            let by = writer.constant(
                "\(step.0)/by", step.2.map { Float($0) }, shape: step.2.count == 1 ? [] : [3])
            return writer.node(step.0, step.1, [value, by], Self.plain)
        }
    }

    private mutating func convolution(
        _ convolution: Convolution, _ size: Int, _ inputs: [String]
    ) -> String {
        let scope = trimmed(inputs[1], "kernel")
        let (image, padding) = padded(
            inputs[0], convolution.padding, size: size, stride: convolution.stride.height,
            isSame: architecture.padding == .tensorFlow, at: scope)
        let stride = convolution.stride
        return writer.node(
            scope + "Conv2D", "Conv2D", [image, inputs[1]],
            [
                "T": .type(.dtFloat), "strides": .integers([1, stride.height, stride.width, 1]),
                "padding": .text(padding), "data_format": .text("NHWC"),
            ])
    }

    private mutating func maxPool(_ window: Window, _ x: String) -> String {
        // Zeros never win over what ReLU gives, nor does TensorFlow's own padding.
        let (image, padding) = padded(
            x, window.padding, size: window.size.height, stride: window.stride.height,
            isSame: architecture.padding != .symmetric, at: "\(root)/max_pooling2d/")
        return writer.node(
            "\(root)/max_pooling2d/MaxPool", "MaxPool", [image],
            [
                "T": .type(.dtFloat), "data_format": .text("NHWC"), "padding": .text(padding),
                "ksize": .integers([1, window.size.height, window.size.width, 1]),
                "strides": .integers([1, window.stride.height, window.stride.width, 1]),
            ])
    }

    /// What a window moves over, and how TensorFlow is to pad it: by itself where that is the padding asked for.
    private mutating func padded(
        _ x: String, _ padding: Padding, size: Int, stride: Int, isSame: Bool, at scope: String
    ) -> (image: String, padding: String) {
        if isSame || (stride == 1 && padding == Padding((size - 1) / 2)) {
            return (x, "SAME")
        }
        if padding == Padding(0) { return (x, "VALID") }
        let edges = [
            0, 0, padding.top, padding.bottom, padding.left, padding.right, 0, 0,
        ].map(Int32.init)
        let amounts = writer.constant(scope + "Pad/paddings", edges, shape: [4, 2])
        let image = writer.node(
            scope + "Pad", "Pad", [x, amounts],
            ["T": .type(.dtFloat), "Tpaddings": .type(.dtInt32)])
        return (image, "VALID")
    }

    private mutating func writeAnswers(_ logits: String, temperature: Double) {
        let logits = writer.node(Name.logits, "Identity", [logits], Self.plain)
        var scores = logits
        if temperature != 1 {
            let by = writer.constant("temperature", [Float(temperature)], shape: [])
            scores = writer.node("calibrated", "RealDiv", [logits, by], Self.plain)
        }
        let probabilities = writer.node("softmax", "Softmax", [scores], Self.plain)
        writer.node(Name.probabilities, "Identity", [probabilities], Self.plain)
        let axis = writer.constant("argmax/dimension", [1 as Int32], shape: [])
        let classes = writer.node(
            "argmax", "ArgMax", [logits, axis],
            [
                "T": .type(.dtFloat), "Tidx": .type(.dtInt32), "output_type": .type(.dtInt32),
            ])
        writer.node(Name.classes, "Identity", [classes], ["T": .type(.dtInt32)])
    }
}
