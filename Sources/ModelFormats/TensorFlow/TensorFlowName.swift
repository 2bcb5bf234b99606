/// What the name of a variable says: which parameter it is, and how its elements lie.
struct TensorFlowName: Hashable {
    /// Whose way of naming.
    enum Scheme: CaseIterable {
        /// NVIDIA's networks for TensorFlow 1: `resnet50/btlnck_block_0_0/bottleneck_1/conv2d/kernel`.
        case nvidia
        /// Those of `keras.applications`: `conv2_block1_1_conv/kernel`.
        case keras
    }

    /// How elements lie, against how they lie here.
    enum Layout {
        /// `[h, w, I, O]`; here `[O, I, h, w]`.
        case filter
        /// `[I, O]`, or `[1, 1, I, O]` where the classifier was made a convolution; here `[O, I]`.
        case dense
        /// One axis.
        case vector
    }

    /// torchvision's name; that of a convolution's bias, which torchvision has not, is made in the same way.
    let canonical: String
    let layout: Layout

    /// Reads a name; `nil` for one that the scheme does not know.
    init?(_ name: String, _ scheme: Scheme) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch scheme {
        case .nvidia: self.init(nvidia: parts)
        case .keras: self.init(keras: parts)
        }
    }

    private init(_ canonical: String, _ layout: Layout) {
        self.canonical = canonical
        self.layout = layout
    }

    /// A batch norm's vector under torchvision's name of its module.
    private init?(normalization module: String, _ vector: String) {
        let names = [
            "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
            "moving_variance": "running_var",
        ]
        guard let name = names[vector] else { return nil }
        self.init("\(module).\(name)", .vector)
    }

    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, `model/resnet.py`.
    private init?(nvidia parts: [String]) {
        guard parts.count >= 4 || parts.dropFirst().first == "output" else { return nil }
        switch (parts[1], Array(parts.dropFirst(2))) {
        case ("conv2d", ["conv2d", "kernel"]): self.init("conv1.weight", .filter)
        case ("conv2d", let rest) where rest.count == 2 && rest[0] == "BatchNorm":
            self.init(normalization: "bn1", rest[1])
        case ("output", ["dense", "kernel"]): self.init("fc.weight", .dense)
        case ("output", ["dense", "bias"]): self.init("fc.bias", .vector)
        case (let block, let rest):
            guard let module = Self.nvidiaBlock(block) else { return nil }
            self.init(nvidiaBlock: module, rest)
        }
    }

    private init?(nvidiaBlock module: String, _ rest: [String]) {
        if rest == ["shortcut", "conv2d", "conv2d", "kernel"] {
            self.init("\(module).downsample.0.weight", .filter)
        } else if rest.count == 4, rest[0] == "shortcut", rest[1] == "conv2d",
            rest[2] == "BatchNorm"
        {
            self.init(normalization: "\(module).downsample.1", rest[3])
        } else if rest.count == 3, rest[0].hasPrefix("bottleneck_"),
            let number = Self.small(rest[0].dropFirst("bottleneck_".count)),
            (1...3).contains(number)
        {
            if rest[1] == "conv2d", rest[2] == "kernel" {
                self.init("\(module).conv\(number).weight", .filter)
            } else if rest[1] == "BatchNorm" {
                self.init(normalization: "\(module).bn\(number)", rest[2])
            } else {
                return nil
            }
        } else {
            return nil
        }
    }

    /// `layer1.0` of `btlnck_block_0_0`.
    private static func nvidiaBlock(_ text: String) -> String? {
        let prefix = "btlnck_block_"
        let numbers = text.dropFirst(prefix.count).split(separator: "_").map(small)
        guard text.hasPrefix(prefix), numbers.count == 2, let stage = numbers[0],
            let block = numbers[1], (0...3).contains(stage)
        else { return nil }
        return "layer\(stage + 1).\(block)"
    }

    /// Source: Keras 3.15, `keras/src/applications/resnet.py`; other layers may stand around these.
    private init?(keras parts: [String]) {
        guard parts.count >= 2 else { return nil }
        let (layer, variable) = (parts[parts.count - 2], parts[parts.count - 1])
        if ["predictions", "probs"].contains(layer) {
            switch variable {
            case "kernel": self.init("fc.weight", .dense)
            case "bias": self.init("fc.bias", .vector)
            default: return nil
            }
            return
        }
        let words = layer.split(separator: "_").map(String.init)
        guard let kind = words.last, kind == "conv" || kind == "bn" else { return nil }
        let module: String
        if words.count == 2, words[0] == "conv1" {
            module = kind == "conv" ? "conv1" : "bn1"
        } else if words.count == 4, words[0].hasPrefix("conv"), words[1].hasPrefix("block"),
            let stage = Self.small(words[0].dropFirst(4)), (2...5).contains(stage),
            let block = Self.small(words[1].dropFirst(5)), block >= 1,
            let number = Self.small(words[2][...]), (0...3).contains(number)
        {
            let outer = "layer\(stage - 1).\(block - 1)"
            switch (number, kind) {
            case (0, "conv"): module = "\(outer).downsample.0"
            case (0, _): module = "\(outer).downsample.1"
            case (_, "conv"): module = "\(outer).conv\(number)"
            default: module = "\(outer).bn\(number)"
            }
        } else {
            return nil
        }
        switch (kind, variable) {
        case ("conv", "kernel"): self.init("\(module).weight", .filter)
        case ("conv", "bias"): self.init("\(module).bias", .vector)
        case ("bn", _): self.init(normalization: module, variable)
        default: return nil
        }
    }

    private static func small(_ text: Substring) -> Int? {
        guard (1...3).contains(text.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }
}

/// The name that NVIDIA's networks for TensorFlow 1 give a parameter, and how its elements lie there; `nil` for a name
/// that no ResNet here has.
///
/// Depths without bottlenecks, which NVIDIA has not, are named in the same way.
///
/// - Parameters:
///   - canonical: torchvision's name.
///   - root: the network, as in `resnet50`.
/// - Returns: the name, and which axis of the tensor here each axis there is.
package func tensorFlowVariable(
    of canonical: String, root: String
) -> (name: String, axes: [Int])? {
    let parts = canonical.split(separator: ".").map(String.init)
    let vectors = [
        "weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
        "running_var": "moving_variance",
    ]
    let filterAxes = [2, 3, 1, 0]
    guard let last = parts.last else { return nil }
    switch parts.first {
    case "conv1" where canonical == "conv1.weight":
        return ("\(root)/conv2d/conv2d/kernel", filterAxes)
    case "bn1" where parts.count == 2:
        return vectors[last].map { ("\(root)/conv2d/BatchNorm/\($0)", [0]) }
    case "fc" where canonical == "fc.weight": return ("\(root)/output/dense/kernel", [1, 0])
    case "fc" where canonical == "fc.bias": return ("\(root)/output/dense/bias", [0])
    case .some(let layer) where layer.hasPrefix("layer") && parts.count >= 4:
        guard let stage = Int(layer.dropFirst(5)) else { return nil }
        let block = "\(root)/btlnck_block_\(stage - 1)_\(parts[1])"
        let module = parts[2]
        if module == "downsample", parts.count == 5 {
            return parts[3] == "0"
                ? ("\(block)/shortcut/conv2d/conv2d/kernel", filterAxes)
                : vectors[last].map { ("\(block)/shortcut/conv2d/BatchNorm/\($0)", [0]) }
        } else if module.hasPrefix("conv") {
            return ("\(block)/bottleneck_\(module.dropFirst(4))/conv2d/kernel", filterAxes)
        } else if module.hasPrefix("bn") {
            return vectors[last].map {
                ("\(block)/bottleneck_\(module.dropFirst(2))/BatchNorm/\($0)", [0])
            }
        }
        return nil
    default: return nil
    }
}
