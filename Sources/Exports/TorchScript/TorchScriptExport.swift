import Graph
import Inference
import ModelFormats
import ResNetModel
import Tensors

extension ExportFormat {
    /// A TorchScript program, for `torch.jit.load` and libtorch.
    package static let torchscript = ExportFormat(
        name: "torchscript", summary: "a TorchScript program for libtorch (.pt)",
        options: [.half, .preprocessing, .softmax, .size]
    ) { model, facts, options, path in
        try TorchScriptExport(model, facts, options).write(to: path)
        var notes = model.roundingNotes
        if model.architecture.padding != .symmetric {
            notes.append(
                "TensorFlow's padding is written for pictures of \(facts.imageSize) x \(facts.imageSize); "
                    + "for others export with --size")
        }
        return ExportedModel(files: [path], readablePath: path, notes: notes)
    }
}

/// A model on its way into a TorchScript file.
struct TorchScriptExport {
    private let writer: TorchScriptWriter
    private let metadata: [String: String]

    /// - Throws: `ExportError`, or `GraphError` where parameters are missing.
    init(_ model: LoadedModel, _ facts: ExportedFacts, _ options: ExportOptions) throws {
        writer = try TorchScriptWriter(
            try model.architecture.inferenceGraph(batch: 1, imageSize: facts.imageSize),
            model.parameters, isHalf: options.isHalf,
            takesPixels: options.includesPreprocessing,
            softmaxTemperature: options.includesSoftmax ? facts.temperature : nil)
        metadata = facts.metadata(
            takesPixels: options.includesPreprocessing,
            givesProbabilities: options.includesSoftmax)
    }

    /// Writes the file, or replaces it whole.
    ///
    /// - Throws: `ModelFormatError` with code `.limitExceeded`, `.notFound` or `.cannotWrite`.
    func write(to path: String) throws(ModelFormatError) {
        try TorchScriptFile.write(
            writer.module, source: writer.source, metadata: metadata, to: path)
    }
}

/// Writes a graph for inference down as TorchScript: modules under torchvision's names, and one `forward`.
///
/// The input is float32 `[N, 3, H, W]`, normalised; or uint8 `[N, H, W, 3]`, pixels. The result is float32 `[N, classes]`.
/// Height and width may be any where the padding is symmetric. TensorFlow's depends on them, and is written as numbers:
/// then they are those of the graph.
///
/// Source: what PyTorch 2.13 prints of scripted modules.
struct TorchScriptWriter {
    /// The outermost module.
    private(set) var module = TorchScriptFile.Module(className: "ResNet")
    /// The classes of all modules.
    private(set) var source = ""

    private let graph: Graph
    private let parameters: [String: HostTensor]
    private let isHalf: Bool
    private let takesPixels: Bool
    private let softmaxTemperature: Double?
    private var lines: [String] = []
    private var names: [Int: String] = [:]

    init(
        _ graph: Graph, _ parameters: [String: HostTensor], isHalf: Bool, takesPixels: Bool,
        softmaxTemperature: Double?
    ) throws {
        self.graph = graph
        self.parameters = parameters
        self.isHalf = isHalf
        self.takesPixels = takesPixels
        self.softmaxTemperature = softmaxTemperature
        for index in graph.nodes.indices { try write(index) }
        guard let result = graph.outputs.first.flatMap({ names[$0.value.index] }) else {
            throw ExportError(.notRepresentable, "\(graph.name): expected one output, found none")
        }
        lines.append("return \(result)")
        printClasses(of: module, isOutermost: true)
    }

    // MARK: Nodes

    private mutating func write(_ index: Int) throws {
        let node = graph.nodes[index]
        switch node.operation {
        case .input: names[index] = "x"
        case .parameter(let name): try add(parameter: name, index)
        case .normalizeImage(let mean, let deviation, _): normalize(mean, deviation, index)
        case .convolution(let attributes):
            guard !attributes.hasResidual, attributes.activation == .none else {
                throw ExportError(
                    .notRepresentable, "\(node.label): a fused convolution is not written")
            }
            let (x, padding) = padded(name(node, 0), attributes.padding)
            let bias = attributes.hasBias ? name(node, 2) : "None"
            define(
                index,
                "torch.conv2d(\(x), \(name(node, 1)), \(bias), "
                    + "[\(attributes.stride.height), \(attributes.stride.width)], \(padding), [1, 1], 1)"
            )
        case .batchNormalization(let epsilon):
            let operands = (0..<5).map { name(node, $0) }.joined(separator: ", ")
            define(index, "torch.batch_norm(\(operands), False, 0., \(epsilon), True)")
        case .relu: define(index, "torch.relu(\(name(node, 0)))")
        case .add: define(index, "torch.add(\(name(node, 0)), \(name(node, 1)))")
        case .maxPool(let window):
            // Zeros are as good as minus infinity here: what is pooled comes out of ReLU.
            let (x, padding) = padded(name(node, 0), window.padding)
            define(
                index,
                "torch.max_pool2d(\(x), [\(window.size.height), \(window.size.width)], "
                    + "[\(window.stride.height), \(window.stride.width)], \(padding))")
        case .globalAveragePool:
            define(index, "torch.flatten(torch.adaptive_avg_pool2d(\(name(node, 0)), [1, 1]), 1)")
        case .dense:
            var value = "torch.linear(\(name(node, 0)), \(name(node, 1)), \(name(node, 2)))"
            if isHalf { value = "torch.to(\(value), 6)" }
            if let softmaxTemperature {
                let scaled =
                    softmaxTemperature == 1 ? value : "torch.div(\(value), \(softmaxTemperature))"
                value = "torch.softmax(\(scaled), -1)"
            }
            define(index, value)
        default:
            throw ExportError(
                .notRepresentable,
                "\(node.operation.name): the operation has no counterpart in TorchScript here")
        }
    }

    private mutating func normalize(_ mean: [Double], _ deviation: [Double], _ index: Int) {
        var value = "x"
        if takesPixels {
            let shape: Shape = [1, mean.count, 1, 1]
            for (name, numbers) in [
                ("pixel_mean", mean.map { Float(255 * $0) }),
                ("pixel_factor", deviation.map { Float(1 / (255 * $0)) }),
            ] {
                module.tensors.append(
                    NamedTensor(name: name, tensor: HostTensor(numbers, shape: shape)))
            }
            value = "torch.permute(torch.to(x, 6), [0, 3, 1, 2])"
            value = "torch.mul(torch.sub(\(value), self.pixel_mean), self.pixel_factor)"
        }
        define(index, isHalf ? "torch.to(\(value), 5)" : value)
    }

    /// A window's input and the padding that PyTorch can give it; what differs between sides is added before.
    private func padded(_ x: String, _ padding: Padding) -> (x: String, padding: String) {
        guard padding.top == padding.bottom, padding.left == padding.right else {
            let amounts = [padding.left, padding.right, padding.top, padding.bottom]
            return ("torch.constant_pad_nd(\(x), \(amounts), 0.)", "[0, 0]")
        }
        return (x, "[\(padding.top), \(padding.left)]")
    }

    private mutating func define(_ index: Int, _ expression: String) {
        names[index] = "v\(index)"
        lines.append("v\(index) = \(expression)")
    }

    private func name(_ node: Node, _ operand: Int) -> String {
        names[node.operands[operand].index] ?? ""
    }

    // MARK: Modules

    private mutating func add(parameter name: String, _ index: Int) throws {
        guard let tensor = parameters[name] else {
            throw ExportError(.notRepresentable, "\(name): expected a tensor, found none")
        }
        let numbers =
            isHalf ? try tensor.halved(name: name) : try tensor.converted(to: .float32)
        let path = name.split(separator: ".").map(String.init)
        names[index] = path.reduce("self") { expression, part in
            part.first?.isNumber == true
                ? "getattr(\(expression), \"\(part)\")" : "\(expression).\(part)"
        }
        Self.insert(numbers, path[...], into: &module, prefix: "")
    }

    private static func insert(
        _ tensor: HostTensor, _ path: ArraySlice<String>, into module: inout TorchScriptFile.Module,
        prefix: String
    ) {
        guard let first = path.first else { return }
        guard path.count > 1 else {
            module.tensors.append(NamedTensor(name: first, tensor: tensor))
            return
        }
        let place: Int
        let name = prefix.isEmpty ? first : "\(prefix)_\(first)"
        if let known = module.modules.firstIndex(where: { $0.name == first }) {
            place = known
        } else {
            place = module.modules.count
            module.modules.append((first, TorchScriptFile.Module(className: "Module_\(name)")))
        }
        insert(tensor, path.dropFirst(), into: &module.modules[place].module, prefix: name)
    }

    private mutating func printClasses(
        of module: TorchScriptFile.Module, isOutermost: Bool = false
    ) {
        func list(_ names: [String]) -> String {
            "[" + names.map { "\"\($0)\", " }.joined() + "]"
        }
        let tensors = module.tensors.map(\.name)
        let isBuffer = { (name: String) in name.hasPrefix("running_") || name.hasPrefix("pixel_") }
        source += "class \(module.className)(Module):\n"
        source += "  __parameters__ = \(list(tensors.filter { !isBuffer($0) }))\n"
        source += "  __buffers__ = \(list(tensors.filter(isBuffer)))\n"
        source += "  training : bool\n"
        for tensor in tensors { source += "  \(tensor) : Tensor\n" }
        for (name, inner) in module.modules {
            let type = "__torch__.\(inner.className)"
            source +=
                name.first?.isNumber == true
                ? "  __annotations__[\"\(name)\"] = \(type)\n" : "  \(name) : \(type)\n"
        }
        if isOutermost {
            source +=
                "  def forward(self: __torch__.\(module.className),\n    x: Tensor) -> Tensor:\n"
            for line in lines { source += "    \(line)\n" }
        }
        for (_, inner) in module.modules { printClasses(of: inner) }
    }
}
