import Tensors

/// The residual network that an ONNX model computes: its tensors under torchvision's names.
///
/// The walk goes from the classifier's features back to the picture, block by block, along both branches of each sum. Names
/// in the model are not asked: exporters rename, and folding batch norms leaves numbers for names.
///
/// A convolution without a batch norm gets one that changes nothing, its bias as the shift: with variance `1 - 1e-5` and
/// epsilon `1e-5` the factor is within 2^-26 of 1, so that folding it again gives the same filter bit for bit.
struct ONNXNetwork {
    let tensors: [NamedTensor]
    /// The model's own texts, and what the graph says: `variant`, `padding`, `mean` and `std`.
    let metadata: [String: String]
    let notes: [String]

    /// What every ResNet here adds to variances.
    private static let epsilon: Float = 1e-5

    private struct Block {
        var main: [Int]
        var projection: Int?
    }

    /// Finds the network in a model.
    ///
    /// - Throws: `ModelFormatError` with code `.unsupported` where the graph is no ResNet's, and what reading throws.
    init(_ model: ONNXModel) throws(ModelFormatError) {
        let reader = try ONNXGraphReader(model)
        guard let pooled = reader.pooled, let classifier = reader.classifier else {
            throw ModelFormatError(
                .noWeights,
                "\(model.name): expected a ResNet with a classifier, found none in the graph")
        }
        let (blocks, stem) = try Self.blocks(of: reader, from: pooled)
        var builder = Builder(reader: reader)
        try builder.add(stem, name: "conv1", normalization: "bn1")
        try builder.check(stride: 2, of: [stem], at: nil)
        let variant = try builder.add(blocks)
        builder.tensors.append(NamedTensor(name: "fc.weight", tensor: classifier.weight))
        let count = classifier.weight.shape[0]
        builder.tensors.append(
            NamedTensor(
                name: "fc.bias",
                tensor: classifier.bias
                    ?? HostTensor([Float](repeating: 0, count: count), shape: [count])))
        guard builder.usedCount == reader.convolutionCount else {
            throw ModelFormatError(
                .unsupported,
                "\(model.name): \(builder.usedCount) convolutions make a ResNet, but the graph has "
                    + "\(reader.convolutionCount)")
        }
        tensors = builder.tensors
        var metadata = model.metadata
        if let variant { metadata["variant"] = variant }
        metadata["padding"] = try Self.padding(reader, builder.paddings)
        let pictures = try ONNXPictures(
            scale: reader.imageScale, shift: reader.imageShift, said: model.metadata,
            name: model.name)
        metadata.merge(pictures.metadata) { $1 }
        var notes = Self.notes(
            reader, foldedCount: builder.foldedCount, isNormalizedInside: pictures.isInside)
        if metadata["padding"] == "tensorflow-pooling", count == 1001, metadata["mean"] == nil,
            metadata["std"] == nil
        {
            metadata.merge(Self.officialTensorFlow) { said, _ in said }
            notes.append(
                "taken for TensorFlow's official ResNet, as MLPerf publishes it: pixels less their "
                    + "mean, undivided; class 0 is the background")
        }
        self.metadata = metadata
        self.notes = notes
    }

    /// How pictures are prepared for TensorFlow's official ResNets, of which a graph says nothing.
    ///
    /// Source: mlcommons/inference, `vision/classification_and_detection/python/dataset.py`, `pre_process_vgg`; tensorflow/models,
    /// `official/r1/resnet/imagenet_preprocessing.py`. Class 0 is the background.
    private static let officialTensorFlow: [String: String] = {
        let means = [123.68, 116.78, 103.94].map { "\($0 / 255)" }
        let deviations = [String](repeating: "\(1.0 / 255)", count: 3)
        return [
            "mean": means.joined(separator: ","), "std": deviations.joined(separator: ","),
            "resize": "256", "crop": "224", "class_offset": "1",
        ]
    }()

    // MARK: Structure

    /// The blocks in order, and the first convolution.
    private static func blocks(
        of reader: ONNXGraphReader, from last: ONNXForm
    ) throws(ModelFormatError) -> (blocks: [Block], stem: Int) {
        var blocks: [Block] = []
        var form = last
        while case .block(let index) = form {
            let sum = reader.sums[index]
            let left = branch(sum.left, reader)
            let right = branch(sum.right, reader)
            let (main, side) =
                left.convolutions.count >= right.convolutions.count ? (left, right) : (right, left)
            guard left.root == right.root, (2...3).contains(main.convolutions.count),
                side.convolutions.count <= 1
            else {
                throw ModelFormatError(
                    .unsupported,
                    "\(reader.model.name): \(sum.label): expected a residual block's branches, of 2 or "
                        + "3 and 0 or 1 convolutions from one input, found \(left.convolutions.count) "
                        + "and \(right.convolutions.count)"
                        + (left.root == right.root ? "" : " from two"))
            }
            blocks.append(
                Block(main: main.convolutions.reversed(), projection: side.convolutions.first))
            form = main.root
        }
        guard case .stem(let stem) = form else {
            throw ModelFormatError(
                .unsupported,
                "\(reader.model.name): expected blocks back to the max pooling, found "
                    + reader.describe(form))
        }
        return (blocks.reversed(), stem)
    }

    /// The convolutions from a value back to what they begin from, the last first.
    private static func branch(
        _ start: ONNXForm, _ reader: ONNXGraphReader
    ) -> (convolutions: [Int], root: ONNXForm) {
        var convolutions: [Int] = []
        var form = start
        while case .convolution(let index) = form {
            convolutions.append(index)
            form = reader.convolutions[index].source
            if case .rectified(let before) = form { form = .convolution(before) }
        }
        return (convolutions, form)
    }

    // MARK: Facts

    /// How windows that halve the image are padded: `nil` as PyTorch does it.
    private static func padding(
        _ reader: ONNXGraphReader, _ paddings: Set<ONNXPadding>
    ) throws(ModelFormatError) -> String? {
        let convolutions = paddings.subtracting([.either])
        guard convolutions.count <= 1 else {
            throw ModelFormatError(
                .unsupported,
                "\(reader.model.name): expected all convolutions to be padded as PyTorch or as "
                    + "TensorFlow does it, found some of each")
        }
        switch (convolutions.first ?? .symmetric, reader.poolPadding) {
        case (.tensorFlow, .tensorFlow): return "tensorflow"
        case (.symmetric, .tensorFlow): return "tensorflow-pooling"
        case (.tensorFlow, _):
            throw ModelFormatError(
                .unsupported,
                "\(reader.model.name): expected the max pooling to be padded as TensorFlow does it, as "
                    + "the convolutions are")
        default: return nil
        }
    }

    private static func notes(
        _ reader: ONNXGraphReader, foldedCount: Int, isNormalizedInside: Bool
    ) -> [String] {
        let model = reader.model
        var notes = [
            "operators of version \(model.opset)"
                + (model.producer.isEmpty ? "" : ", written by \(model.producer)")
        ]
        if foldedCount > 0 {
            notes.append(
                "\(foldedCount) batch norms are folded into their convolutions; they are read as ones "
                    + "that change nothing")
        }
        if isNormalizedInside { notes.append("pictures are normalised inside") }
        return notes + reader.notes.sorted()
    }

    // MARK: Tensors

    private struct Builder {
        let reader: ONNXGraphReader
        var tensors: [NamedTensor] = []
        var paddings: Set<ONNXPadding> = []
        var usedCount = 0
        var foldedCount = 0

        init(reader: ONNXGraphReader) { self.reader = reader }

        /// Adds blocks under the names that their strides give them; gives the variant, where it makes a difference.
        mutating func add(_ blocks: [Block]) throws(ModelFormatError) -> String? {
            var stage = 1
            var place = 0
            var variant: String?
            for block in blocks {
                let strides = block.main.map { reader.convolutions[$0].stride }
                let stride = strides.reduce(1, *)
                if stride > 1 {
                    stage += 1
                    place = 0
                    if strides.count == 3 {
                        let found = strides[0] == 2 ? "v1" : "v1.5"
                        guard strides[2] == 1, variant == nil || variant == found else {
                            throw refusal(block.main[0], "strides as in ResNet v1 or v1.5")
                        }
                        variant = found
                    } else if strides[0] != 2 {
                        throw refusal(block.main[0], "the stride at the first convolution")
                    }
                }
                if let projection = block.projection {
                    try check(stride: stride, of: [projection], at: block.main[0])
                } else if stride > 1 {
                    throw refusal(block.main[0], "a projection beside a stride")
                }
                guard stage <= 4, stride <= 2 else {
                    throw refusal(block.main[0], "four stages of blocks")
                }
                let name = "layer\(stage).\(place)"
                for (index, convolution) in block.main.enumerated() {
                    try add(
                        convolution, name: "\(name).conv\(index + 1)",
                        normalization: "\(name).bn\(index + 1)")
                }
                if let projection = block.projection {
                    try add(
                        projection, name: "\(name).downsample.0",
                        normalization: "\(name).downsample.1")
                }
                place += 1
            }
            return variant
        }

        func check(
            stride: Int, of convolutions: [Int], at place: Int?
        ) throws(ModelFormatError) {
            for index in convolutions where reader.convolutions[index].stride != stride {
                throw refusal(place ?? index, "a stride of \(stride)")
            }
        }

        func refusal(_ index: Int, _ expected: String) -> ModelFormatError {
            ModelFormatError(
                .unsupported,
                "\(reader.model.name): \(reader.convolutions[index].label): expected \(expected), found "
                    + "another; only ResNets are read")
        }

        mutating func add(
            _ index: Int, name: String, normalization: String
        ) throws(ModelFormatError) {
            let convolution = reader.convolutions[index]
            usedCount += 1
            paddings.insert(convolution.padding)
            tensors.append(NamedTensor(name: "\(name).weight", tensor: convolution.filter))
            let count = convolution.filter.shape[0]
            func constant(_ value: Float) -> HostTensor {
                HostTensor([Float](repeating: value, count: count), shape: [count])
            }
            let vectors: [(String, HostTensor)]
            if let stored = convolution.normalization {
                vectors = [
                    ("weight", stored.scale), ("bias", stored.shift),
                    ("running_mean", Self.mean(stored.mean, convolution.bias)),
                    ("running_var", Self.variance(stored)),
                ]
            } else {
                foldedCount += 1
                vectors = [
                    ("weight", constant(1)), ("bias", convolution.bias ?? constant(0)),
                    ("running_mean", constant(0)),
                    ("running_var", constant(1 - ONNXNetwork.epsilon)),
                ]
            }
            for (suffix, tensor) in vectors {
                tensors.append(NamedTensor(name: "\(normalization).\(suffix)", tensor: tensor))
            }
        }

        /// The mean without a convolution's bias, which the batch norm would take away again.
        private static func mean(_ mean: HostTensor, _ bias: HostTensor?) -> HostTensor {
            guard let bias else { return mean }
            let numbers = zip(mean.doubles(), bias.doubles()).map { Float($0 - $1) }
            return HostTensor(numbers, shape: mean.shape)
        }

        /// The variance to which our epsilon may be added.
        private static func variance(_ stored: ONNXNormalization) -> HostTensor {
            guard stored.epsilon != ONNXNetwork.epsilon else { return stored.variance }
            let more = Double(stored.epsilon) - Double(ONNXNetwork.epsilon)
            return HostTensor(
                stored.variance.doubles().map { Float($0 + more) }, shape: stored.variance.shape)
        }
    }
}
