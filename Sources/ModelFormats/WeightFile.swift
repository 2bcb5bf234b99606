public import Native
import Tensors

/// The named tensors of a file, whatever its format.
///
/// Tensors share the mapped file where their elements stand in it in order; nothing in a file is ever executed.
public struct WeightFile: Sendable {
    /// The formats that are read.
    public enum Container: String, Sendable, CaseIterable {
        /// A JSON header, then the elements.
        case safetensors
        /// PyTorch since 1.6: a zip archive.
        case pytorchZip
        /// PyTorch from 0.1.10 to 1.5: pickles and elements in a row.
        case pytorchLegacy
        /// PyTorch before 0.1.10: a tar archive.
        case pytorchTar
        /// A TorchScript program, whose modules hold the tensors.
        case torchScript
        /// ONNX: a graph with its constants.
        case onnx
        /// A checkpoint of TensorFlow, version 2: an index, and elements in files beside it.
        case tensorFlowCheckpoint
        /// The folder of a SavedModel of TensorFlow.
        case savedModel
    }

    /// Which weights of a training checkpoint to take.
    public enum Selection: String, Sendable, CaseIterable {
        /// Those that were trained.
        case `default`
        /// Their exponential moving average.
        case ema
    }

    /// What messages call the file.
    public let name: String
    /// The file's format.
    public let container: Container
    /// The tensors, in the file's order and with the file's names.
    public let tensors: [NamedTensor]
    /// What the file says of itself: safetensors' metadata, or the plain values of a checkpoint.
    public let metadata: [String: String]
    /// What a person may want to know of how the file was read.
    public let notes: [String]

    /// Maps a file and reads what it describes.
    ///
    /// The format is told by the bytes, never by the name; but TensorFlow's are several files, whose names belong to
    /// the format: a SavedModel's folder, a checkpoint's, or what the names of a checkpoint's files begin with.
    ///
    /// - Throws: `ModelFormatError`, with any code but `.cannotWrite`.
    public init(
        contentsOf path: String, selection: Selection = .default
    ) throws(ModelFormatError) {
        if let files = try TensorFlowFiles.find(path) {
            self.init(
                weights: try files.read(selection: selection, name: path), name: path,
                container: files.container)
            return
        }
        let memory = try Memory.file(path)
        try self.init(
            reading: memory, name: path, folder: PathParts(path).folder, selection: selection)
    }

    private init(weights: TensorFlowWeights, name: String, container: Container) {
        self.name = name
        self.container = container
        tensors = weights.tensors
        metadata = weights.metadata
        notes = weights.notes
    }

    /// Reads a file's bytes.
    ///
    /// - Parameters:
    ///   - memory: the whole file.
    ///   - name: what messages call it.
    ///   - selection: which weights of a training checkpoint to take.
    /// - Throws: `ModelFormatError`, with any code but `.notFound`, `.inputOutput` and `.cannotWrite`.
    public init(
        reading memory: Memory, name: String, selection: Selection = .default
    ) throws(ModelFormatError) {
        try self.init(reading: memory, name: name, folder: nil, selection: selection)
    }

    /// Reads a file's bytes, and those of files in its folder that it keeps tensors in.
    private init(
        reading memory: Memory, name: String, folder: String?, selection: Selection
    ) throws(ModelFormatError) {
        self.name = name
        let pickle: PyTorchPickle
        switch FileKind(of: memory.bytes) {
        case .safetensors:
            guard selection == .default else {
                throw ModelFormatError(
                    .noWeights, "\(name): a safetensors file holds no second, averaged weights")
            }
            let contents = try Safetensors.read(memory, name: name)
            container = .safetensors
            tensors = contents.tensors
            metadata = contents.metadata
            notes = contents.repeatedNames.map { "\($0) occurs more than once; the last was taken" }
            guard !tensors.isEmpty else {
                throw ModelFormatError(.noWeights, "\(name): the file holds no tensors")
            }
            return
        case .onnx:
            guard selection == .default else {
                throw ModelFormatError(
                    .noWeights, "\(name): an ONNX model holds no second, averaged weights")
            }
            let network = try ONNXNetwork(ONNXModel(memory, name: name, folder: folder))
            container = .onnx
            tensors = network.tensors
            metadata = network.metadata
            notes = network.notes
            return
        case .zip: pickle = try PyTorchPickle(zip: memory, name: name)
        case .tar: pickle = try PyTorchPickle(tar: memory, name: name)
        case .pytorchLegacy(let start):
            pickle = try PyTorchPickle(legacy: memory, startingAt: start, name: name)
        case .other(let description, let advice):
            throw ModelFormatError(
                .unknownFormat,
                "\(name): expected weights as safetensors, as PyTorch saves them, or an ONNX model, found "
                    + "\(description)\(advice.isEmpty ? "" : "; ")\(advice)")
        }
        let checkpoint = try Checkpoint(
            pickle, fileByteCount: memory.byteCount, selection: selection)
        container = pickle.container
        tensors = checkpoint.tensors
        metadata = checkpoint.metadata
        notes = checkpoint.notes
    }
}
