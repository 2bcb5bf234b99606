import Graph
import ModelFormats
import Tensors

/// Writes a graph for inference down as ONNX nodes and initialisers.
///
/// Operators are those of version 17. The batch is left open: no node states it.
struct ONNXGraphWriter {
    /// What a caller gives and gets, and how it is computed.
    struct Interface {
        /// The picture's side in pixels.
        var imageSize: Int
        /// Whether the input is uint8 `[N, H, W, 3]` rather than float32 `[N, 3, H, W]`.
        var takesPixels: Bool
        /// Whether weights and activations are in half precision; inputs and outputs never are.
        var isHalf: Bool
        /// What logits are divided by before softmax; `nil` for logits.
        var softmaxTemperature: Double?
    }

    /// The name of the one input.
    static let inputName = "input"

    private let graph: Graph
    private let parameters: [String: HostTensor]
    private let interface: Interface
    private(set) var nodes: [ONNXNodeProto] = []
    private(set) var initializers: [NamedTensor] = []
    private var names: [Int: String] = [:]
    private var used: Set<String> = [inputName, "logits", "probabilities"]

    /// Writes a graph whose one output is its logits.
    ///
    /// - Throws: `ExportError` with code `.notRepresentable`.
    init(
        _ graph: Graph, _ parameters: [String: HostTensor], interface: Interface
    ) throws {
        self.graph = graph
        self.parameters = parameters
        self.interface = interface
        for index in graph.nodes.indices { try write(index) }
    }

    /// The name of the one output.
    var outputName: String { interface.softmaxTemperature == nil ? "logits" : "probabilities" }

    // MARK: Nodes

    private mutating func write(_ index: Int) throws {
        let node = graph.nodes[index]
        switch node.operation {
        case .input: names[index] = Self.inputName
        case .parameter(let name): names[index] = name
        case .normalizeImage(let mean, let deviation, _):
            names[index] = try normalizedImage(mean: mean, deviation: deviation)
        case .convolution(let attributes): try write(convolution: attributes, index)
        case .batchNormalization(let epsilon):
            let operands = try operandNames(node, shapes: 4)
            add(
                index, "BatchNormalization", operands,
                [.make("epsilon", Float(epsilon))])
        case .relu: add(index, "Relu", [name(node, 0)])
        case .add: add(index, "Add", [name(node, 0), name(node, 1)])
        case .maxPool(let window):
            add(
                index, "MaxPool", [name(node, 0)],
                [
                    .make("kernel_shape", [window.size.height, window.size.width]),
                    .make("pads", window.padding.onnx),
                    .make("strides", [window.stride.height, window.stride.width]),
                ])
        case .globalAveragePool:
            let means = add("GlobalAveragePool", [name(node, 0)], label: node.label)
            add(index, "Flatten", [means], [.make("axis", 1)], label: "flatten")
        case .dense: try write(dense: index)
        default:
            throw ExportError(
                .notRepresentable,
                "\(node.operation.name): the operation has no counterpart in ONNX")
        }
    }

    private mutating func write(convolution attributes: Convolution, _ index: Int) throws {
        let node = graph.nodes[index]
        let filter = graph[node.operands[1]].type.shape
        guard !attributes.hasResidual, attributes.activation == .none else {
            throw ExportError(
                .notRepresentable, "\(node.label): a fused convolution has no counterpart in ONNX")
        }
        add(
            index, "Conv", try operandNames(node, shapes: attributes.hasBias ? 2 : 1),
            [
                .make("dilations", [1, 1]), .make("group", 1),
                .make("kernel_shape", [filter[2], filter[3]]),
                .make("pads", attributes.padding.onnx),
                .make("strides", [attributes.stride.height, attributes.stride.width]),
            ])
    }

    /// The classifier, and what follows it to the graph's end.
    private mutating func write(dense index: Int) throws {
        let node = graph.nodes[index]
        var steps: [(String, [String], [ONNXAttributeProto])] = []
        steps.append(("Gemm", try operandNames(node, shapes: 2), [.make("transB", 1)]))
        if interface.isHalf { steps.append(("Cast", [], [.make("to", 1)])) }
        if let temperature = interface.softmaxTemperature {
            if temperature != 1 {
                let divisor = initializer(
                    "temperature", HostTensor([Float(temperature)], shape: []))
                steps.append(("Div", [divisor], []))
            }
            steps.append(("Softmax", [], [.make("axis", -1)]))
        }
        var value: String?
        for (place, step) in steps.enumerated() {
            let isLast = place == steps.count - 1
            let operands = (value.map { [$0] } ?? []) + step.1
            value = add(
                step.0, operands, step.2, label: place == 0 ? node.label : step.0.lowercased(),
                output: isLast ? outputName : nil)
        }
        names[index] = value
    }

    private mutating func normalizedImage(mean: [Double], deviation: [Double]) throws -> String {
        var value = Self.inputName
        if interface.takesPixels {
            value = add("Cast", [value], [.make("to", 1)], label: "pixels")
            value = add("Transpose", [value], [.make("perm", [0, 3, 1, 2])], label: "planes")
            let means = mean.map { Float(255 * $0) }
            let factors = deviation.map { Float(1 / (255 * $0)) }
            let shape: Shape = [1, mean.count, 1, 1]
            let meanName = initializer("mean", HostTensor(means, shape: shape))
            let factorName = initializer("factor", HostTensor(factors, shape: shape))
            value = add("Sub", [value, meanName], label: "centered")
            value = add("Mul", [value, factorName], label: "normalized")
        }
        if interface.isHalf { value = add("Cast", [value], [.make("to", 10)], label: "half") }
        return value
    }

    // MARK: Names and tensors

    private func name(_ node: Node, _ operand: Int) -> String {
        names[node.operands[operand].index] ?? ""
    }

    /// The first operand's name and those of parameters, which become initialisers.
    private mutating func operandNames(_ node: Node, shapes count: Int) throws -> [String] {
        var result = [name(node, 0)]
        for place in 1...count {
            guard case .parameter(let name) = graph[node.operands[place]].operation,
                let tensor = parameters[name]
            else {
                throw ExportError(
                    .notRepresentable, "\(node.label): operand \(place) is not a parameter")
            }
            // Folded filters and shifts take the place of those they are made of.
            let suffix = name.split(separator: ".").last
            let plain =
                suffix == "folded" ? "\(node.label).\(place == 1 ? "weight" : "bias")" : name
            let numbers =
                interface.isHalf
                ? try tensor.halved(name: plain) : try tensor.converted(to: .float32)
            result.append(initializer(plain, numbers))
        }
        return result
    }

    private mutating func initializer(_ name: String, _ tensor: HostTensor) -> String {
        let name = unique(name)
        initializers.append(NamedTensor(name: name, tensor: tensor))
        return name
    }

    private mutating func add(
        _ index: Int, _ type: String, _ operands: [String],
        _ attributes: [ONNXAttributeProto] = [], label: String? = nil
    ) {
        names[index] = add(type, operands, attributes, label: label ?? graph.nodes[index].label)
    }

    @discardableResult
    private mutating func add(
        _ type: String, _ operands: [String], _ attributes: [ONNXAttributeProto] = [],
        label: String, output: String? = nil
    ) -> String {
        var node = ONNXNodeProto()
        node.opType = type
        node.input = operands
        node.name = unique(label.isEmpty ? type.lowercased() : label)
        node.output = [output ?? unique("\(node.name).output")]
        node.attribute = attributes
        nodes.append(node)
        return node.output[0]
    }

    private mutating func unique(_ name: String) -> String {
        var result = name
        var suffix = 2
        while !used.insert(result).inserted {
            result = "\(name).\(suffix)"
            suffix += 1
        }
        return result
    }
}

extension Padding {
    /// ONNX's order: where both axes begin, then where they end.
    fileprivate var onnx: [Int] { [top, left, bottom, right] }
}

extension ONNXAttributeProto {
    fileprivate static func make(_ name: String, _ value: Int) -> ONNXAttributeProto {
        var attribute = ONNXAttributeProto()
        attribute.name = name
        attribute.type = .int
        attribute.i = Int64(value)
        return attribute
    }

    fileprivate static func make(_ name: String, _ value: Float) -> ONNXAttributeProto {
        var attribute = ONNXAttributeProto()
        attribute.name = name
        attribute.type = .float
        attribute.f = value
        return attribute
    }

    fileprivate static func make(_ name: String, _ values: [Int]) -> ONNXAttributeProto {
        var attribute = ONNXAttributeProto()
        attribute.name = name
        attribute.type = .ints
        attribute.ints = values.map { Int64($0) }
        return attribute
    }
}
