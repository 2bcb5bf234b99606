/// The name under which torchvision knows a parameter.
///
/// Drops `module.` (data parallel) and `_orig_mod.` (compiled) at the front, and turns `layers.0.` of NVIDIA's
/// models since 2021 into `layer1.`. Other names stay as they are.
///
/// Source: NVIDIA DeepLearningExamples, PyTorch ConvNets, 20.06 and 21.03.
public func canonicalParameterName(_ name: String) -> String {
    var rest = name[...]
    while let prefix = ["module.", "_orig_mod."].first(where: rest.hasPrefix) {
        rest = rest.dropFirst(prefix.count)
    }
    let generation = "layers."
    guard rest.hasPrefix(generation) else { return String(rest) }
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
