/// The name under which torchvision knows a parameter.
///
/// Drops `module.` (data parallel) and `_orig_mod.` (compiled) at the front, turns `layers.0.` of NVIDIA's
/// models since 2021 into `layer1.`, and Hugging Face's names into torchvision's. Other names stay as they are.
///
/// Source: NVIDIA DeepLearningExamples, PyTorch ConvNets, 20.06 and 21.03.
public func canonicalParameterName(_ name: String) -> String {
    var rest = name[...]
    while let prefix = ["module.", "_orig_mod."].first(where: rest.hasPrefix) {
        rest = rest.dropFirst(prefix.count)
    }
    let generation = "layers."
    guard rest.hasPrefix(generation) else { return huggingFaceName(rest) ?? String(rest) }
    let digits = rest.dropFirst(generation.count).prefix { $0.isASCII && $0.isNumber }
    let tail = rest.dropFirst(generation.count + digits.count)
    guard digits.count == 1, let stage = Int(digits), tail.hasPrefix(".") else {
        return String(rest)
    }
    return "layer\(stage + 1)\(tail)"
}

/// The names under which torchvision knows some parameters, in the same order.
public func canonicalParameterNames(_ names: [String]) -> [String] {
    names.map(canonicalParameterName)
}

/// torchvision's name for one of Hugging Face's, with the classifier or without; `nil` for any other.
///
/// Source: transformers 5.23, `models/resnet/modeling_resnet.py`.
private func huggingFaceName(_ name: Substring) -> String? {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false)
    if parts.first == "resnet" { parts.removeFirst() }
    guard let parameter = parts.popLast() else { return nil }
    func number(_ text: Substring) -> Int? {
        (1...3).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            ? Int(text) : nil
    }
    if parts == ["classifier", "1"] { return "fc.\(parameter)" }
    guard let kind = parts.popLast(), kind == "convolution" || kind == "normalization" else {
        return nil
    }
    let isConvolution = kind == "convolution"
    if parts == ["embedder", "embedder"] {
        return "\(isConvolution ? "conv1" : "bn1").\(parameter)"
    }
    guard parts.count >= 6, parts[0] == "encoder", parts[1] == "stages", parts[3] == "layers",
        let stage = number(parts[2]), let block = number(parts[4])
    else { return nil }
    let place = "layer\(stage + 1).\(block)"
    if parts[5...] == ["shortcut"] {
        return "\(place).downsample.\(isConvolution ? 0 : 1).\(parameter)"
    }
    guard parts.count == 7, parts[5] == "layer", let layer = number(parts[6]) else { return nil }
    return "\(place).\(isConvolution ? "conv" : "bn")\(layer + 1).\(parameter)"
}
