import Images
package import Inference
import ResNetModel
import Tensors

/// What an export says of its model, in every format that has a place for texts.
///
/// What the network is, its padding and its mean and deviation among it, is always said: it is what the export computes.
/// Names of classes and the size of pictures are said where the weight file, the publisher or the caller says them.
package struct ExportedFacts: Sendable {
    /// One name a class.
    package let classNames: [String]
    /// Pixels a side of a picture.
    package let imageSize: Int
    /// What logits are divided by before softmax.
    package let temperature: Double
    /// Texts by key: those of the weight file, then class names, the pictures' preparation, the network and its origin.
    package let metadata: [String: String]
    /// What of the weight file's texts is left out, one sentence each.
    package let notes: [String]

    /// Texts longer than this, other than class names, are left out.
    private static let maximumTextByteCount = 1 << 16

    /// What a program says of itself, which is no longer so once its weights are in another file.
    private enum ProgramKey {
        static let preprocessing = "preprocessing"
        static let output = "output"
    }

    /// Collects what is known of a model.
    ///
    /// - Throws: `ImageError` where pictures of the size are not prepared here, `InferenceError`.
    package init(_ model: LoadedModel, options: ExportOptions) throws {
        let architecture = model.architecture
        let count = architecture.classCount
        let names = try ClassNames.choose(given: nil, metadata: model.metadata, count: count)
        let said = model.stated
        let known = said.transform ?? options.published?.transform
        let usual = known ?? .standard
        let size = options.imageSize ?? usual.crop
        classNames = names.names
        imageSize = size
        temperature = said.temperature ?? 1

        var notes: [String] = []
        var metadata: [String: String] = [:]
        for (key, value) in model.metadata.sorted(by: { $0.key < $1.key }) {
            guard !key.isEmpty, key != "class_names", key != ProgramKey.preprocessing,
                key != ProgramKey.output
            else { continue }
            guard value.utf8.count <= Self.maximumTextByteCount else {
                notes.append(
                    "metadata \(key): \(value.utf8.count) bytes, more than "
                        + "\(Self.maximumTextByteCount), are left out")
                continue
            }
            metadata[key] = value
        }
        let hasNames =
            ClassNames.named(in: model.metadata, count: count) != nil || options.published != nil
        if model.metadata["class_names"] != nil, !hasNames {
            notes.append("metadata class_names: names of other than \(count) classes are left out")
        }
        // The same part of a picture at another size.
        let resize = Int((Double(usual.resize * size) / Double(usual.crop)).rounded())
        let isPrepared = known != nil || options.imageSize != nil
        let description = ModelDescription(
            classNames: hasNames ? names.names : nil,
            transform: isPrepared ? try EvaluationTransform(resize: resize, crop: size) : nil,
            temperature: said.temperature)
        metadata.merge(description.metadata) { $1 }
        for (key, value) in architecture.metadata where key != "variant" { metadata[key] = value }
        metadata["architecture"] = "resnet\(architecture.depth.rawValue)"
        if architecture.depth.hasBottlenecks {
            metadata["variant"] = architecture.variant.rawValue
        }
        metadata.merge(options.published?.texts ?? [:]) { $1 }
        let file = model.name.split(separator: "/").last.map(String.init) ?? model.name
        // Where weights came from at first is kept through any number of files.
        let isOrigin = metadata["source"] == nil || metadata["source"] == file
        metadata[isOrigin ? "source" : "converted_from"] = file
        metadata["exporter"] =
            "swift-resnet" + (options.programVersion.isEmpty ? "" : " " + options.programVersion)
        self.metadata = metadata
        self.notes = notes
    }

    /// The texts of a program, with what it takes and gives.
    ///
    /// - Parameters:
    ///   - takesPixels: whether it normalises pictures itself.
    ///   - givesProbabilities: whether it gives probabilities rather than logits.
    func metadata(takesPixels: Bool, givesProbabilities: Bool) -> [String: String] {
        let texts = [
            ProgramKey.preprocessing: takesPixels ? "inside" : "outside",
            ProgramKey.output: givesProbabilities ? "probabilities" : "logits",
        ]
        return metadata.merging(texts) { $1 }
    }

    /// The names of the classes for a file with one a line, where there is no quoting.
    var labelLines: String {
        classNames.map { label in
            label.split { $0.isNewline }.joined(separator: " ") + "\n"
        }.joined()
    }
}

extension LoadedModel {
    /// What is said where a format has float32 for elements that are wider.
    var roundingNotes: [String] {
        let count = parameters.values.count { $0.elementType == .float64 }
        return count == 0 ? [] : ["\(count) tensors of float64 are rounded to float32"]
    }
}
