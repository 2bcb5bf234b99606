import FoundationEssentials
package import Images
import ModelFormats
import ResNetModel

/// What a weight file says of how its network is to be used: the texts of a safetensors file's metadata that
/// training writes and that everything which looks at pictures reads.
///
/// How pixels are normalised is part of the network: see `ResNetArchitecture.metadata`.
package struct ModelDescription: Sendable, Hashable {
    /// What the classes are called, by index.
    package var classNames: [String]?
    /// How a picture becomes the network's input.
    package var transform: EvaluationTransform?
    /// What logits are to be divided by before softmax.
    package var temperature: Double?
    /// What the file says that cannot be kept to, one sentence each.
    package private(set) var warnings: [String] = []

    /// Describes a network that was trained here.
    package init(
        classNames: [String]? = nil, transform: EvaluationTransform? = nil,
        temperature: Double? = nil
    ) {
        self.classNames = classNames
        self.transform = transform
        self.temperature = temperature
    }

    /// Reads what a file says; what makes no sense is left out, with a warning.
    package init(metadata: [String: String]) {
        if let text = metadata[Key.classNames] {
            classNames = ClassNames.names(ofJSON: text)
            if classNames == nil {
                warn(Key.classNames, "a JSON array of names", text)
            }
        }
        if let resize = metadata[Key.resize], let crop = metadata[Key.crop] {
            let sides = [resize, crop].compactMap { Int($0) }
            transform =
                sides.count == 2
                ? try? EvaluationTransform(resize: sides[0], crop: sides[1]) : nil
            if transform == nil {
                warn("\(Key.resize) and \(Key.crop)", "two numbers of pixels", "\(resize), \(crop)")
            }
        }
        if let text = metadata[Key.temperature] {
            temperature = Double(text).flatMap { Self.temperatures.contains($0) ? $0 : nil }
            if temperature == nil { warn(Key.temperature, "a number from 0.01 to 100", text) }
        }
        for key in ImageNormalization.unreadableKeys(metadata) {
            warn(key, "three numbers of the range 0 to 1", metadata[key] ?? "")
        }
    }

    /// What a file says, as `init(metadata:)` reads it.
    package var metadata: [String: String] {
        var texts: [String: String] = [:]
        if let classNames, let data = try? JSONEncoder().encode(classNames) {
            texts[Key.classNames] = String(decoding: data, as: UTF8.self)
        }
        if let transform {
            texts[Key.resize] = String(transform.resize)
            texts[Key.crop] = String(transform.crop)
        }
        if let temperature { texts[Key.temperature] = "\(temperature)" }
        return texts
    }

    /// The temperatures that make sense.
    package static let temperatures = 0.01...100

    private enum Key {
        static let classNames = "class_names"
        static let resize = "resize"
        static let crop = "crop"
        static let temperature = "temperature"
    }

    private mutating func warn(_ key: String, _ expected: String, _ found: String) {
        let shown = found.count <= 60 ? found : found.prefix(57) + "..."
        warnings.append("metadata \(key): expected \(expected), found \(shown)")
    }
}

extension LoadedModel {
    /// What the weight file says of how its network is to be used.
    package var stated: ModelDescription { ModelDescription(metadata: metadata) }

    /// What the weight file does not say of itself, so that it is taken to be as usual, by the keys under which it would
    /// say it.
    package var assumedKeys: [String] {
        let said = stated
        var keys: [String] = []
        let variant = try? ResNetArchitecture.statedVariant(metadata)
        if architecture.depth.hasBottlenecks, variant == nil { keys.append("variant") }
        if said.transform == nil { keys += ["resize", "crop"] }
        // The graph of an ONNX model says its padding, and of PyTorch's there is no text.
        keys += ["mean", "std", "padding"].filter { key in
            metadata[key] == nil && !(key == "padding" && container == .onnx)
        }
        let count = architecture.classCount
        if ClassNames.named(in: metadata, count: count) == nil, metadata["class_offset"] == nil {
            keys.append("class_names")
        }
        return keys
    }
}
