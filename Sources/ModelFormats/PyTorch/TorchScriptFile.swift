import Native
import Tensors

/// Writes TorchScript archives: modules with tensors, and the source of what they compute.
///
/// Source: PyTorch 2.13, `torch/csrc/jit/docs/serialization.md`.
package enum TorchScriptFile {
    /// A module: tensors and modules by name.
    package struct Module: Sendable {
        /// Its class, defined in the source, as in `ResNet`.
        package var className: String
        /// Its tensors, in order.
        package var tensors: [NamedTensor]
        /// The modules in it, in order.
        package var modules: [(name: String, module: Module)]

        /// Describes a module.
        package init(className: String) {
            self.className = className
            tensors = []
            modules = []
        }
    }

    /// Writes a module, or replaces a file whole.
    ///
    /// - Parameters:
    ///   - module: the outermost module.
    ///   - source: the classes of all modules, as PyTorch prints them.
    ///   - metadata: texts by name, which `torch.jit.load` gives under `_extra_files`, key `metadata.json`.
    ///   - path: the file.
    /// - Throws: `ModelFormatError` with code `.limitExceeded`, `.notFound` or `.cannotWrite`.
    package static func write(
        _ module: Module, source: String, metadata: [String: String] = [:], to path: String
    ) throws(ModelFormatError) {
        var pickle = PickleWriter()
        var tensors: [HostTensor] = []
        append(module, to: &pickle, &tensors)
        pickle.stop()
        var constants = PickleWriter()
        constants.emptyTuple()
        constants.stop()

        var zip = try ZipWriter(replacing: path)
        try zip.add("archive/data.pkl", Memory(copying: pickle.bytes))
        try zip.add("archive/code/__torch__.py", Memory(copying: Array(source.utf8)))
        for (key, tensor) in tensors.enumerated() {
            try zip.add("archive/data/\(key)", tensor.memory)
        }
        try zip.add("archive/constants.pkl", Memory(copying: constants.bytes))
        if !metadata.isEmpty {
            let text = Safetensors.metadataText(metadata)
            try zip.add("archive/extra/metadata.json", Memory(copying: Array(text.utf8)))
        }
        try zip.add("archive/version", Memory(copying: Array("3\n".utf8)))
        try zip.add("archive/byteorder", Memory(copying: Array("little".utf8)))
        try zip.finish()
    }

    private static func append(
        _ module: Module, to pickle: inout PickleWriter, _ tensors: inout [HostTensor]
    ) {
        pickle.global("__torch__", module.className)
        pickle.emptyTuple()
        pickle.newObject()
        pickle.emptyDictionary()
        pickle.mark()
        pickle.text("training")
        pickle.boolean(false)
        for tensor in module.tensors {
            pickle.text(tensor.name)
            pickle.tensor(tensor, key: tensors.count)
            tensors.append(tensor.tensor)
        }
        for (name, inner) in module.modules {
            pickle.text(name)
            append(inner, to: &pickle, &tensors)
        }
        pickle.setItems()
        pickle.build()
    }
}
