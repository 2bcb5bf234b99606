package import Inference

/// A format that models are written in: one row of the table that `resnet export` offers.
///
/// A new format is a folder beside this file and one more row in `all`.
package struct ExportFormat: Sendable {
    /// What a caller names it by, as in `onnx`.
    package let name: String
    /// What it is, in a line.
    package let summary: String
    /// The options that it takes; others are an error.
    package let options: Set<ExportOption>
    /// What follows the path in its files' names; `[""]` where the path is the file's, or the folder's.
    package let suffixes: [String]
    private let write: Write

    /// Writes a model, and what is said of it, to a path, whole or not at all.
    package typealias Write =
        @Sendable (LoadedModel, ExportedFacts, ExportOptions, String) throws -> ExportedModel

    /// Describes a format.
    package init(
        name: String, summary: String, options: Set<ExportOption> = [], suffixes: [String] = [""],
        write: @escaping Write
    ) {
        self.name = name
        self.summary = summary
        self.options = options
        self.suffixes = suffixes
        self.write = write
    }

    /// Whether files of the format hold a program, which has a size of pictures, rather than weights alone.
    package var holdsProgram: Bool { options.contains(.size) }

    /// All formats, in the order in which they are listed.
    package static let all: [ExportFormat] = [
        .safetensors, .pytorch, .torchscript, .onnx, .triton, .tensorFlowCheckpoint, .savedModel,
    ]

    /// The format of a name.
    package static func named(_ name: String) -> ExportFormat? { all.first { $0.name == name } }

    /// Writes a model.
    ///
    /// Blocks while it writes.
    ///
    /// - Parameters:
    ///   - model: the network and its weights.
    ///   - path: the file, or the folder, to make.
    ///   - options: how to write it.
    /// - Throws: `ExportError`, `ModelFormatError` or `NativeError`.
    package func export(
        _ model: LoadedModel, to path: String, options: ExportOptions
    ) throws -> ExportedModel {
        let extra = options.used.subtracting(self.options)
        if let option = extra.map(\.rawValue).min() {
            throw ExportError(
                .invalidOption, "\(name): the format has no place for \(option)")
        }
        let facts = try ExportedFacts(model, options: options)
        var exported = try write(model, facts, options, path)
        exported.notes = facts.notes + exported.notes
        return exported
    }
}

/// What a format may be asked for.
package enum ExportOption: String, Sendable, CaseIterable {
    /// Weights in half precision.
    case half
    /// Batch norms folded into convolutions.
    case foldBatchNorm = "fold-batch-norm"
    /// Pictures normalised inside.
    case preprocessing
    /// Probabilities rather than logits.
    case softmax
    /// A model for TensorRT, too.
    case tensorRT = "tensorrt"
    /// A model for libtorch, too.
    case libtorch
    /// Pixels a side of a picture.
    case size
    /// What a server calls the model.
    case name
}

/// How a model is written.
package struct ExportOptions: Sendable {
    /// Whether weights are in half precision.
    package var isHalf = false
    /// Whether batch norms are folded into convolutions.
    package var foldsBatchNormalization = false
    /// Whether the model takes pixels, uint8 `[N, H, W, 3]`, and normalises them itself.
    package var includesPreprocessing = false
    /// Whether the model gives probabilities rather than logits.
    package var includesSoftmax = false
    /// Whether a folder for TensorRT is made.
    package var includesTensorRT = false
    /// Whether a folder for libtorch is made.
    package var includesLibtorch = false
    /// Pixels a side; what the weight file says, or 224, where `nil`.
    package var imageSize: Int?
    /// What a server calls the model.
    package var modelName: String?
    /// What the publisher says of the weights, where a name stands for them.
    package var published: PublishedFacts?
    /// The version of the program that writes.
    package var programVersion = ""

    /// The usual: float32 logits of normalised pictures.
    package init() {}

    /// The options that differ from the usual.
    package var used: Set<ExportOption> {
        var used: Set<ExportOption> = []
        if isHalf { used.insert(.half) }
        if foldsBatchNormalization { used.insert(.foldBatchNorm) }
        if includesPreprocessing { used.insert(.preprocessing) }
        if includesSoftmax { used.insert(.softmax) }
        if includesTensorRT { used.insert(.tensorRT) }
        if includesLibtorch { used.insert(.libtorch) }
        if imageSize != nil { used.insert(.size) }
        if modelName != nil { used.insert(.name) }
        return used
    }
}

/// What an export has made.
package struct ExportedModel: Sendable {
    /// The files, with the folder they were asked for.
    package var files: [String]
    /// The one that our own readers read, for comparison; `nil` where there is none.
    package var readablePath: String?
    /// What a person may want to know or has still to do.
    package var notes: [String]

    /// Lists what was made.
    package init(files: [String], readablePath: String?, notes: [String] = []) {
        self.files = files
        self.readablePath = readablePath
        self.notes = notes
    }
}
