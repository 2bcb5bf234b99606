import Tensors

extension ONNXGraphReader {
    // MARK: Convolutions

    mutating func readConvolution(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let flow = try flow(node, 0)
        guard let filter = try tensor(node, 1), filter.elementType.isFloatingPoint,
            filter.shape.rank == 4, filter.shape[2] == filter.shape[3],
            filter.shape.elementCount > 0
        else { throw refusal(node, "a filter of floating-point numbers [O, I, k, k]", "another") }
        let bias = try tensor(node, 2)
        guard bias.map({ $0.shape == [filter.shape[0]] }) ?? true else {
            throw refusal(node, "a bias [\(filter.shape[0])]", "\(bias?.shape ?? [])")
        }
        if flow.form == .features {
            try readClassifier(
                node,
                weight: filter.reshaped(node, model.name, to: Array(filter.shape.dimensions[..<2])),
                bias: bias)
            return
        }
        guard filter.shape[0] <= Self.maximumChannelCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(model.name): \(node.label): expected at most \(Self.maximumChannelCount) channels, "
                    + "found \(filter.shape[0])")
        }
        guard node.integer("group", default: 1) == 1,
            node.integers("dilations")?.allSatisfy({ $0 == 1 }) ?? true
        else { throw refusal(node, "a convolution without groups or dilation", "another") }
        try checkAxes(node, flow)
        guard !flow.isPaddedByInfinity else {
            throw refusal(node, "zeros around its input", "minus infinity")
        }
        switch flow.form {
        case .image:
            imageScale = flow.scale
            imageShift = flow.shift
        case .rectified, .stem, .block: break
        default: throw refusal(node, "an input after ReLU", describe(flow.form))
        }
        let stride = try stride(node)
        convolutionCount += 1
        guard convolutionCount <= Self.maximumConvolutionCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(model.name): expected at most \(Self.maximumConvolutionCount) convolutions, found more"
            )
        }
        convolutions.append(
            ONNXConvolution(
                label: node.label, filter: filter, bias: bias, normalization: nil, stride: stride,
                padding: try padding(node, size: filter.shape[2], stride: stride, flow),
                source: flow.form))
        define(node, Flow(form: .convolution(convolutions.count - 1)))
    }

    mutating func readNormalization(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let flow = try flow(node, 0)
        guard case .convolution(let index) = flow.form, convolutions[index].normalization == nil
        else { throw refusal(node, "a convolution's result", describe(flow.form)) }
        try checkAxes(node, flow)
        try checkPadding(node, flow)
        guard node.integer("training_mode", default: 0) == 0,
            node.integer("spatial", default: 1) == 1
        else { throw refusal(node, "stored statistics of whole channels", "others") }
        let count = convolutions[index].filter.shape[0]
        var tensors: [HostTensor] = []
        for operand in 1...4 {
            guard let tensor = try tensor(node, operand), tensor.shape == [count],
                tensor.elementType.isFloatingPoint
            else { throw refusal(node, "four times \(count) floating-point numbers", "others") }
            tensors.append(tensor)
        }
        try replaceConvolution(node, index) { convolution in
            convolution.normalization = ONNXNormalization(
                scale: tensors[0], shift: tensors[1], mean: tensors[2], variance: tensors[3],
                epsilon: node.number("epsilon", default: 1e-5))
        }
    }

    /// Notes a convolution with something fused into it; the one without stays for whoever reads it too.
    private mutating func replaceConvolution(
        _ node: ONNXNodeProto, _ index: Int, _ change: (inout ONNXConvolution) -> Void
    ) throws(ModelFormatError) {
        guard convolutions.count < 3 * Self.maximumConvolutionCount else {
            throw refusal(node, "a network of fewer layers", "more")
        }
        var convolution = convolutions[index]
        change(&convolution)
        convolutions.append(convolution)
        define(node, Flow(form: .convolution(convolutions.count - 1)))
    }

    /// Refuses zeros that wait for the next window before something after which they would be others.
    private func checkPadding(_ node: ONNXNodeProto, _ flow: Flow) throws(ModelFormatError) {
        guard flow.padding == [0, 0, 0, 0] else {
            throw refusal(node, "zeros right before a window", "zeros before \(node.opType)")
        }
    }

    /// Refuses channels that are not where a vector of one number a channel meets them.
    private func checkAxes(_ node: ONNXNodeProto, _ flow: Flow) throws(ModelFormatError) {
        guard !flow.isChannelsLast else {
            throw refusal(node, "channels before height and width", "channels last")
        }
    }

    // MARK: Elementwise

    mutating func readRectifier(_ node: ONNXNodeProto) throws(ModelFormatError) {
        var flow = try flow(node, 0)
        switch flow.form {
        case .convolution(let index): flow.form = .rectified(index)
        case .sum(let index): flow.form = .block(index)
        default: throw refusal(node, "a convolution's result or a sum", describe(flow.form))
        }
        define(node, flow)
    }

    mutating func readClip(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let least = try numbers(node, 1) ?? node.attribute("min").map { [Double($0.f)] }
        let most = try numbers(node, 2) ?? node.attribute("max").map { [Double($0.f)] }
        guard least == [0], most.map({ $0.first ?? 0 >= 1e30 }) ?? true else {
            throw refusal(node, "a bound of 0 alone, as ReLU has", "others")
        }
        try readRectifier(node)
    }

    mutating func readArithmetic(_ node: ONNXNodeProto) throws(ModelFormatError) {
        switch (try operand(node, 0), try operand(node, 1)) {
        case (.flow(let flow), _) where flow.form == .extents: define(node, flow)
        case (_, .flow(let flow)) where flow.form == .extents: define(node, flow)
        case (.flow(let left), .flow(let right)): try readSum(node, left, right)
        case (.flow(let flow), .constant(let constant)):
            try combine(node, flow, try tensor(constant), isFirst: true)
        case (.constant(let constant), .flow(let flow)):
            try combine(node, flow, try tensor(constant), isFirst: false)
        case (.constant, .constant):
            throw refusal(node, "something that depends on the picture", "constants")
        }
    }

    private mutating func readSum(
        _ node: ONNXNodeProto, _ left: Flow, _ right: Flow
    ) throws(ModelFormatError) {
        guard node.opType == "Add", left.isChannelsLast == right.isChannelsLast else {
            throw refusal(node, "the sum of two branches", "\(node.opType) of others")
        }
        for flow in [left, right] {
            switch flow.form {
            case .convolution, .block, .stem: break
            default: throw refusal(node, "the sum of two branches", describe(flow.form))
            }
            try checkPadding(node, flow)
        }
        sums.append((left.form, right.form, node.label))
        define(node, Flow(form: .sum(sums.count - 1), isChannelsLast: left.isChannelsLast))
    }

    /// A value combined with constants: a picture normalised, or a bias added.
    private mutating func combine(
        _ node: ONNXNodeProto, _ flow: Flow, _ tensor: HostTensor, isFirst: Bool
    ) throws(ModelFormatError) {
        let count = tensor.shape.elementCount
        switch (flow.form, node.opType) {
        case (.image, _)
        where count == 1 || count == 3 && tensor.varies(along: flow.isChannelsLast ? -1 : -3):
            let numbers = tensor.doubles()
            define(
                node,
                try normalized(
                    node, flow, count == 3 ? numbers : [numbers[0], numbers[0], numbers[0]],
                    isFirst: isFirst))
        case (.convolution(let index), "Add"):
            let channels = convolutions[index].filter.shape[0]
            guard convolutions[index].bias == nil, convolutions[index].normalization == nil,
                count == channels, tensor.varies(along: -3), tensor.elementType.isFloatingPoint
            else { throw refusal(node, "a bias [\(channels), 1, 1]", "\(tensor.shape)") }
            try checkAxes(node, flow)
            try checkPadding(node, flow)
            let bias = try tensor.reshaped(node, model.name, to: [channels])
            try replaceConvolution(node, index) { $0.bias = bias }
        case (.logits, "Add"):
            guard let known = classifier, known.bias == nil, count == known.weight.shape[0],
                tensor.varies(along: -1), tensor.elementType.isFloatingPoint
            else { throw refusal(node, "the classifier's bias", "\(tensor.shape)") }
            classifier?.bias = try tensor.reshaped(node, model.name, to: [count])
            define(node, flow)
        case (.logits, "Mul"), (.logits, "Div"), (.answers, _):
            guard count == 1 else { throw refusal(node, "one number", "\(tensor.shape)") }
            if flow.form == .logits, model.metadata["temperature"] == nil {
                add(note: "scores are scaled inside by \(tensor.doubles()[0]); that is left out")
            }
            define(node, Flow(form: .answers))
        default:
            throw refusal(
                node, "a bias, or a picture to normalise",
                "\(describe(flow.form)) and \(tensor.shape)")
        }
    }

    private func normalized(
        _ node: ONNXNodeProto, _ flow: Flow, _ numbers: [Double], isFirst: Bool
    ) throws(ModelFormatError) -> Flow {
        var flow = flow
        // A product keeps zeros.
        if node.opType == "Add" || node.opType == "Sub" { try checkPadding(node, flow) }
        for channel in 0..<3 {
            let number = numbers[channel]
            switch (node.opType, isFirst) {
            case ("Add", _): flow.shift[channel] += number
            case ("Sub", true): flow.shift[channel] -= number
            case ("Mul", _):
                flow.scale[channel] *= number
                flow.shift[channel] *= number
            case ("Div", true):
                flow.scale[channel] /= number
                flow.shift[channel] /= number
            default: throw refusal(node, "the picture as the first operand", "the second")
            }
        }
        return flow
    }

    // MARK: Pooling and the classifier

    mutating func readMaxPool(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let flow = try flow(node, 0)
        guard case .rectified(let index) = flow.form, convolutions[index].source == .image,
            !flow.isChannelsLast
        else {
            throw refusal(node, "the first convolution's result after ReLU", describe(flow.form))
        }
        let stride = try stride(node)
        guard node.integers("kernel_shape") == [3, 3], stride == 2,
            node.integers("dilations")?.allSatisfy({ $0 == 1 }) ?? true
        else { throw refusal(node, "windows of 3 by 3 at every second place", "others") }
        if node.integer("ceil_mode", default: 0) == 1, amounts(node, flow) == [0, 0, 0, 0] {
            // Images are of even size here, so that the last window reaches one beyond: TensorFlow's SAME.
            poolPadding = .tensorFlow
        } else {
            guard node.integer("ceil_mode", default: 0) == 0 else {
                throw refusal(node, "windows counted downwards", "ceil_mode with padding")
            }
            poolPadding = try padding(node, size: 3, stride: 2, flow)
        }
        define(node, Flow(form: .stem(index)))
    }

    mutating func readMean(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let flow = try flow(node, 0)
        guard case .block = flow.form, flow.padding == [0, 0, 0, 0] else {
            throw refusal(node, "a block's result", describe(flow.form))
        }
        guard pooled == nil || pooled == flow.form else {
            throw refusal(node, "one layer of features", "a second")
        }
        switch node.opType {
        case "ReduceMean":
            // An attribute up to version 17, an operand since.
            let given = try numbers(node, 1)?.map { Int(exactly: $0) ?? -100 }
            let axes = given ?? node.integers("axes") ?? []
            let positive = axes.map { $0 < 0 ? $0 + 4 : $0 }.sorted()
            guard positive == (flow.isChannelsLast ? [1, 2] : [2, 3]) else {
                throw refusal(node, "the mean over height and width", "over axes \(axes.prefix(8))")
            }
        case "AveragePool":
            guard node.integers("kernel_shape") == [7, 7], !flow.isChannelsLast else {
                throw refusal(node, "the mean over 7 by 7 places", "another")
            }
            add(note: "means over 7 by 7 places: for pictures of 224 pixels")
        default:
            guard !flow.isChannelsLast else {
                throw refusal(node, "channels before height and width", "channels last")
            }
        }
        pooled = flow.form
        define(node, Flow(form: .features))
    }

    mutating func readGemm(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let flow = try flow(node, 0)
        guard flow.form == .features else {
            throw refusal(node, "the means of the last block", describe(flow.form))
        }
        guard node.number("alpha", default: 1) == 1, node.number("beta", default: 1) == 1,
            node.integer("transA", default: 0) == 0
        else { throw refusal(node, "a plain product", "a scaled or transposed one") }
        guard let weight = try tensor(node, 1), weight.shape.rank == 2 else {
            throw refusal(node, "a weight of two axes", "another")
        }
        let isOutputFirst = node.integer("transB", default: 0) == 1
        try readClassifier(
            node, weight: isOutputFirst ? weight : transposed(weight, [1, 0]),
            bias: try tensor(node, 2))
    }

    mutating func readMatMul(_ node: ONNXNodeProto) throws(ModelFormatError) {
        let flow = try flow(node, 0)
        guard flow.form == .features, let weight = try tensor(node, 1), weight.shape.rank == 2
        else {
            throw refusal(
                node, "the means of the last block times a weight of two axes", describe(flow.form))
        }
        try readClassifier(node, weight: transposed(weight, [1, 0]), bias: nil)
    }

    private mutating func readClassifier(
        _ node: ONNXNodeProto, weight: HostTensor, bias: HostTensor?
    ) throws(ModelFormatError) {
        guard classifier == nil else { throw refusal(node, "one classifier", "a second") }
        guard weight.elementType.isFloatingPoint, weight.shape.elementCount > 0,
            bias?.elementType.isFloatingPoint ?? true
        else { throw refusal(node, "floating-point numbers", "others") }
        var flat: HostTensor?
        if let bias {
            guard bias.shape.elementCount == weight.shape[0] else {
                throw refusal(node, "a bias [\(weight.shape[0])]", "\(bias.shape)")
            }
            flat = try bias.reshaped(node, model.name, to: [weight.shape[0]])
        }
        classifier = (weight, flat)
        define(node, Flow(form: .logits))
    }

    // MARK: Windows

    mutating func readPad(_ node: ONNXNodeProto) throws(ModelFormatError) {
        var flow = try flow(node, 0)
        let given = try numbers(node, 1)?.map { Int(exactly: $0) ?? -1 }
        let amounts = given ?? node.integers("pads") ?? []
        let value = try numbers(node, 2)?.first ?? Double(node.number("value", default: 0))
        guard node.text("mode", default: "constant") == "constant", amounts.count == 8,
            try optionalOperand(node, 3) == nil, value == 0 || value == -Double.infinity,
            amounts.allSatisfy({ (0...16).contains($0) })
        else { throw refusal(node, "a few zeros around height and width", "\(amounts.prefix(8))") }
        let (height, width) = flow.isChannelsLast ? (1, 2) : (2, 3)
        let spatial = [amounts[height], amounts[width], amounts[4 + height], amounts[4 + width]]
        guard amounts.reduce(0, +) == spatial.reduce(0, +) else {
            throw refusal(node, "a few zeros around height and width", "\(amounts)")
        }
        // Before max pooling zeros are as good as minus infinity: nothing after ReLU is smaller.
        if value != 0, case .rectified = flow.form {
            flow.isPaddedByInfinity = true
        } else if value != 0 {
            throw refusal(node, "zeros", "minus infinity")
        }
        flow.padding = zip(flow.padding, spatial).map { $0 + $1 }
        define(node, flow)
    }

    private func stride(_ node: ONNXNodeProto) throws(ModelFormatError) -> Int {
        let strides = node.integers("strides") ?? [1, 1]
        guard strides.count == 2, strides[0] == strides[1], (1...2).contains(strides[0]) else {
            throw refusal(node, "steps of 1 or 2 along both axes", "\(strides.prefix(4))")
        }
        return strides[0]
    }

    /// Zeros around a window's input: top, left, bottom, right.
    private func amounts(_ node: ONNXNodeProto, _ flow: Flow) -> [Int]? {
        let own = node.integers("pads") ?? [0, 0, 0, 0]
        guard own.count == 4, own.allSatisfy({ (0...16).contains($0) }) else { return nil }
        return zip(own, flow.padding).map { $0 + $1 }
    }

    private func padding(
        _ node: ONNXNodeProto, size: Int, stride: Int, _ flow: Flow
    ) throws(ModelFormatError) -> ONNXPadding {
        let rule = node.text("auto_pad", default: "NOTSET")
        let found: ONNXPadding?
        switch rule {
        case "NOTSET", "":
            found = amounts(node, flow).flatMap { ONNXPadding($0, size: size, stride: stride) }
        case "VALID": found = ONNXPadding(flow.padding, size: size, stride: stride)
        case "SAME_UPPER" where flow.padding == [0, 0, 0, 0],
            "SAME_LOWER" where flow.padding == [0, 0, 0, 0] && stride == 1:
            found = size > stride && stride > 1 ? .tensorFlow : .either
        default: found = nil
        }
        guard let found else {
            throw refusal(
                node, "a padding as PyTorch or TensorFlow has it for windows of \(size)",
                "\(rule == "NOTSET" ? "\(amounts(node, flow) ?? [])" : rule)")
        }
        return found
    }
}

extension HostTensor {
    /// Whether all extents but one are 1; that one is counted from the end: -1 is the last axis.
    fileprivate func varies(along axis: Int) -> Bool {
        let place = shape.rank + axis
        return shape.dimensions.indices.allSatisfy { $0 == place || shape[$0] == 1 }
            && (shape.dimensions.indices.contains(place) || shape.elementCount == 1)
    }

    /// The same elements under another shape.
    fileprivate func reshaped(
        _ node: ONNXNodeProto, _ file: String, to extents: [Int]
    ) throws(ModelFormatError) -> HostTensor {
        do {
            return try reshaped(to: Shape(validating: extents))
        } catch {
            throw ModelFormatError(.sizeMismatch, "\(file): \(node.label): \(error.message)")
        }
    }
}
