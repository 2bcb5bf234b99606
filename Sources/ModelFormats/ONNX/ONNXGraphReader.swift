import Native
import Tensors

/// Walks an ONNX graph from its input to its outputs and notes the layers of a residual network.
///
/// Exporters differ in much: batch norms folded or not, pads as nodes, channels last around the network, a classifier as
/// `Gemm`, as `MatMul` and `Add` or as a convolution, casts, a normalisation of pictures in front and a softmax behind. All
/// that is followed by what it computes, never by names. What a ResNet does not have is refused by the name of its node.
struct ONNXGraphReader {
    /// A value that depends on the picture.
    struct Flow {
        var form: ONNXForm
        /// Whether the axes are `N, H, W, C`.
        var isChannelsLast = false
        /// Zeros around it that the next window counts as its own: top, left, bottom, right.
        var padding = [0, 0, 0, 0]
        /// Whether minus infinity is around it instead, which only a maximum takes for zeros.
        var isPaddedByInfinity = false
        /// What the picture's numbers were multiplied by, and what was added, per channel.
        var scale = [1.0, 1.0, 1.0]
        var shift = [0.0, 0.0, 0.0]
    }

    /// A tensor that does not.
    struct Constant {
        var tensor: ONNXTensorProto
        var label: String
        /// How its axes are to be put in another order.
        var permutation: [Int]?
    }

    enum Operand {
        case flow(Flow)
        case constant(Constant)
    }

    /// More than ResNet-152 has, which is 155; each takes a few mappings of memory.
    static let maximumConvolutionCount = 300
    /// More than a ResNet's 2,048; a filter that many nodes share gets batch norms of as many numbers at each.
    static let maximumChannelCount = 1 << 14

    let model: ONNXModel
    var convolutions: [ONNXConvolution] = []
    var sums: [(left: ONNXForm, right: ONNXForm, label: String)] = []
    /// How many convolutions the network has; those above are copied when something is fused into one.
    var convolutionCount = 0
    var poolPadding = ONNXPadding.either
    /// What the classifier's features are the means of.
    var pooled: ONNXForm?
    var classifier: (weight: HostTensor, bias: HostTensor?)?
    /// The picture's scale and shift when it reaches the first convolution.
    var imageScale = [1.0, 1.0, 1.0]
    var imageShift = [0.0, 0.0, 0.0]
    private(set) var notes: Set<String> = []
    private var values: [String: Operand] = [:]
    /// Elements that may still be copied, to be put in another order or out of a message's numbers; a few nodes that
    /// share a tensor must not keep a processor busy for minutes, nor fill the memory.
    private var copyBudget = Self.maximumCopyCount
    /// More elements than ResNet-152 has.
    private static let maximumCopyCount = 1 << 26

    /// Reads all nodes.
    ///
    /// - Throws: `ModelFormatError` with code `.unsupported` for what a ResNet does not have, `.malformed`, and what
    ///   reading tensors throws.
    init(_ model: ONNXModel) throws(ModelFormatError) {
        self.model = model
        for (name, tensor) in model.initializers {
            values[name] = .constant(Constant(tensor: tensor, label: name))
        }
        guard let input = model.inputs.first, model.inputs.count == 1 else {
            throw ModelFormatError(
                .unsupported,
                "\(model.name): expected an ONNX model with one input, found \(model.inputs.count)")
        }
        let extents = input.type.tensorType.shape.dim.map { $0.dimValue }
        values[input.name] = .flow(
            Flow(form: .image, isChannelsLast: extents.count == 4 && extents[3] == 3))
        for node in model.nodes { try read(node) }
    }

    // MARK: Nodes

    private mutating func read(_ node: ONNXNodeProto) throws(ModelFormatError) {
        guard ["", "ai.onnx"].contains(node.domain) else {
            throw refusal(node, "ONNX's own operators", "one of \(node.domain.prefix(60))")
        }
        switch node.opType {
        case "Constant": try readConstant(node)
        case "Identity", "Dropout", "Cast": try pass(node)
        case "Pad": try readPad(node)
        case "Transpose": try readTranspose(node)
        case "Add", "Sub", "Mul", "Div": try readArithmetic(node)
        case "Conv": try readConvolution(node)
        case "BatchNormalization": try readNormalization(node)
        case "Relu": try readRectifier(node)
        case "Clip": try readClip(node)
        case "MaxPool": try readMaxPool(node)
        case "GlobalAveragePool", "ReduceMean", "AveragePool": try readMean(node)
        case "Flatten", "Reshape", "Squeeze", "Unsqueeze": try readReshape(node)
        case "Gemm": try readGemm(node)
        case "MatMul": try readMatMul(node)
        case "Softmax", "LogSoftmax", "ArgMax", "TopK": try readAnswer(node)
        case "Shape", "Gather", "Concat", "Slice":
            define(node, Flow(form: .extents))
        default: throw refusal(node, "an operator of a ResNet", node.opType)
        }
    }

    private mutating func readConstant(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let attribute = node.attribute.first
        let label = node.output.first ?? node.name
        var tensor = ONNXTensorProto()
        switch attribute?.name {
        case "value":
            guard let value = attribute?.t.last, attribute?.t.count == 1 else {
                throw refusal(node, "one tensor", "none or several")
            }
            tensor = value
            try ONNXModel.checkRank(of: tensor, called: label, in: model.name)
        case "value_float":
            tensor.dataType = 1
            tensor.floatData = [attribute?.f ?? 0]
        case "value_floats":
            tensor.dataType = 1
            tensor.floatData = attribute?.floats ?? []
            tensor.dims = [Int64(tensor.floatData.count)]
        case "value_int":
            tensor.dataType = 7
            tensor.int64Data = [attribute?.i ?? 0]
        case "value_ints":
            tensor.dataType = 7
            tensor.int64Data = attribute?.ints ?? []
            tensor.dims = [Int64(tensor.int64Data.count)]
        default: throw refusal(node, "a tensor or numbers", attribute?.name ?? "nothing")
        }
        define(node, .constant(Constant(tensor: tensor, label: label)))
    }

    /// What gives its first operand on; a cast of a picture's pixels too, whose numbers stay the same.
    private mutating func pass(_ node: ONNXNodeProto) throws(ModelFormatError) {
        define(node, try operand(node, 0))
    }

    private mutating func readTranspose(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let order = node.integers("perm")
        switch try operand(node, 0) {
        case .constant(var constant):
            guard constant.permutation == nil else {
                throw refusal(node, "a tensor that is transposed once", "twice")
            }
            let rank = constant.tensor.dims.count
            constant.permutation = order ?? Array((0..<rank).reversed())
            define(node, .constant(constant))
        case .flow(var flow):
            let isLast = flow.isChannelsLast
            guard order == (isLast ? [0, 3, 1, 2] : [0, 2, 3, 1]), flow.padding == [0, 0, 0, 0]
            else { throw refusal(node, "channels moved to or from the end", "\(order ?? [])") }
            flow.isChannelsLast = !isLast
            define(node, flow)
        }
    }

    private mutating func readAnswer(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let flow = try flow(node, 0)
        guard flow.form == .logits || flow.form == .answers else {
            throw refusal(node, "scores of classes", describe(flow.form))
        }
        add(note: "\(node.opType.lowercased()) inside is left out")
        for name in node.output where !name.isEmpty { values[name] = .flow(Flow(form: .answers)) }
    }

    private mutating func readReshape(_ node: ONNXNodeProto) throws(ModelFormatError) {
        switch try operand(node, 0) {
        case .constant(let constant):
            // Extents are reshaped in odd ways; nothing else here asks for a reshaped constant.
            define(node, .constant(constant))
        case .flow(let flow):
            guard [.features, .logits, .answers, .extents].contains(flow.form) else {
                throw refusal(node, "the means of the last block", describe(flow.form))
            }
            define(node, flow)
        }
    }

    // MARK: Operands and results

    /// What an operand is.
    func operand(
        _ node: ONNXNodeProto, _ index: Int
    ) throws(ModelFormatError) -> Operand {
        guard let operand = try optionalOperand(node, index) else {
            throw ModelFormatError(
                .malformed, "\(model.name): \(node.label): operand \(index) is missing")
        }
        return operand
    }

    /// What an operand is, where it is given.
    func optionalOperand(
        _ node: ONNXNodeProto, _ index: Int
    ) throws(ModelFormatError) -> Operand? {
        guard index < node.input.count, !node.input[index].isEmpty else { return nil }
        guard let operand = values[node.input[index]] else {
            throw ModelFormatError(
                .malformed,
                "\(model.name): \(node.label): reads \(node.input[index].prefix(120)), which no earlier "
                    + "node makes")
        }
        return operand
    }

    /// An operand that depends on the picture.
    func flow(_ node: ONNXNodeProto, _ index: Int) throws(ModelFormatError) -> Flow {
        guard case .flow(let flow) = try operand(node, index) else {
            throw refusal(node, "what depends on the picture", "a constant")
        }
        return flow
    }

    /// An operand's elements, where it is a constant that is given.
    mutating func tensor(
        _ node: ONNXNodeProto, _ index: Int
    ) throws(ModelFormatError) -> HostTensor? {
        guard let operand = try optionalOperand(node, index) else { return nil }
        guard case .constant(let constant) = operand else {
            throw refusal(node, "a constant as operand \(index)", "what is computed")
        }
        return try tensor(constant)
    }

    /// A constant's elements in the order of its axes.
    mutating func tensor(_ constant: Constant) throws(ModelFormatError) -> HostTensor {
        try charge(constant.tensor.copiedCount)
        let tensor = try model.tensor(constant.tensor, called: constant.label)
        guard let order = constant.permutation else { return tensor }
        guard order.sorted() == Array(0..<tensor.shape.rank) else {
            throw ModelFormatError(
                .malformed,
                "\(model.name): tensor \(constant.label) \(tensor.shape): cannot be transposed by "
                    + "\(order.prefix(8))")
        }
        return try transposed(tensor, order)
    }

    /// A tensor with its axes in another order.
    mutating func transposed(
        _ tensor: HostTensor, _ order: [Int]
    ) throws(ModelFormatError) -> HostTensor {
        try charge(tensor.shape.elementCount)
        return tensor.transposed(order)
    }

    private mutating func charge(_ elementCount: Int) throws(ModelFormatError) {
        copyBudget -= elementCount
        guard copyBudget >= 0 else {
            throw ModelFormatError(
                .limitExceeded,
                "\(model.name): expected tensors that are used once or twice, found more than "
                    + "\(Self.maximumCopyCount) elements to copy")
        }
    }

    /// The numbers of a constant operand of a few elements.
    mutating func numbers(_ node: ONNXNodeProto, _ index: Int) throws(ModelFormatError) -> [Double]?
    {
        guard let tensor = try tensor(node, index) else { return nil }
        guard tensor.shape.elementCount <= 1 << 16 else {
            throw refusal(node, "a few numbers as operand \(index)", "\(tensor.shape)")
        }
        return tensor.doubles()
    }

    /// Names what a node makes.
    mutating func define(_ node: ONNXNodeProto, _ flow: Flow) { define(node, .flow(flow)) }

    private mutating func define(_ node: ONNXNodeProto, _ operand: Operand) {
        if let name = node.output.first, !name.isEmpty { values[name] = operand }
    }

    mutating func add(note: String) { notes.insert(note) }

    // MARK: Messages

    /// The error of a node that a ResNet does not have.
    func refusal(
        _ node: ONNXNodeProto, _ expected: String, _ found: String
    ) -> ModelFormatError {
        ModelFormatError(
            .unsupported,
            "\(model.name): \(node.label): expected \(expected), found \(found); only ResNets are read"
        )
    }

    /// What messages call a value.
    func describe(_ form: ONNXForm) -> String {
        switch form {
        case .image: "the picture"
        case .convolution: "a convolution's result"
        case .rectified: "a convolution's result after ReLU"
        case .stem: "the max pooling's result"
        case .sum: "a sum"
        case .block: "a block's result"
        case .features: "the means of the last block"
        case .logits: "the scores"
        case .answers: "what is made of the scores"
        case .extents: "extents"
        }
    }
}
