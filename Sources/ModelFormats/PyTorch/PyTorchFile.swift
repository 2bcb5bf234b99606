import Native
import Tensors

/// Writes files as PyTorch does.
///
/// Source: PyTorch 2.13, `torch.save` and `torch/csrc/jit/serialization`.
package enum PyTorchFile {
    /// Writes a dictionary of tensors by name, in order, or replaces a file whole.
    ///
    /// `torch.load(path, weights_only=True)` gives an `OrderedDict`. Texts go into `extra/metadata.json`, which PyTorch passes
    /// over and `WeightFile` reads.
    ///
    /// - Parameters:
    ///   - tensors: what the file holds.
    ///   - metadata: texts by name.
    ///   - path: the file.
    /// - Throws: `ModelFormatError` with code `.malformed` where a name occurs twice, `.limitExceeded`, `.notFound`
    ///   or `.cannotWrite`.
    package static func write(
        tensors: [NamedTensor], metadata: [String: String] = [:], to path: String
    ) throws(ModelFormatError) {
        var names: Set<String> = []
        for tensor in tensors where !names.insert(tensor.name).inserted {
            throw ModelFormatError(
                .malformed, "\(path): cannot hold two tensors named \(tensor.name)")
        }
        var pickle = PickleWriter()
        pickle.global("collections", "OrderedDict")
        pickle.emptyTuple()
        pickle.reduce()
        pickle.mark()
        for (key, tensor) in tensors.enumerated() {
            pickle.text(tensor.name)
            pickle.tensor(tensor, key: key)
        }
        pickle.setItems()
        pickle.stop()

        var zip = try ZipWriter(replacing: path)
        try zip.add("archive/data.pkl", Memory(copying: pickle.bytes))
        try zip.add("archive/byteorder", Memory(copying: Array("little".utf8)))
        for (key, tensor) in tensors.enumerated() {
            try zip.add("archive/data/\(key)", tensor.tensor.memory)
        }
        if !metadata.isEmpty {
            let text = Safetensors.metadataText(metadata)
            try zip.add("archive/extra/metadata.json", Memory(copying: Array(text.utf8)))
        }
        try zip.add("archive/version", Memory(copying: Array("3\n".utf8)))
        try zip.finish()
    }
}

extension PickleWriter {
    /// Adds a tensor whose elements are the whole of a storage, in order.
    mutating func tensor(_ tensor: NamedTensor, key: Int) {
        let (shape, type) = (tensor.tensor.shape, tensor.tensor.elementType)
        global("torch._utils", "_rebuild_tensor_v2")
        mark()
        mark()
        text("storage")
        global("torch", type.storageName)
        text("\(key)")
        text("cpu")
        integer(shape.elementCount)
        endTuple()
        persistent()
        integer(0)
        tuple(shape.dimensions)
        var strides: [Int] = []
        var step = 1
        for extent in shape.dimensions.reversed() {
            strides.append(step)
            step *= max(extent, 1)
        }
        tuple(strides.reversed())
        boolean(false)
        global("collections", "OrderedDict")
        emptyTuple()
        reduce()
        endTuple()
        reduce()
    }
}

extension ElementType {
    /// What PyTorch calls a storage of such elements.
    fileprivate var storageName: String {
        switch self {
        case .float64: "DoubleStorage"
        case .float32: "FloatStorage"
        case .float16: "HalfStorage"
        case .bfloat16: "BFloat16Storage"
        case .int64: "LongStorage"
        case .int32: "IntStorage"
        case .int16: "ShortStorage"
        case .int8: "CharStorage"
        case .uint8: "ByteStorage"
        case .bool: "BoolStorage"
        }
    }
}
