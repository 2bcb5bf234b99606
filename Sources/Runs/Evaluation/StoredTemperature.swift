package import Inference
package import ModelFormats
import Native
import ResNetModel

/// Puts a temperature into a weight file, from which everything that gives probabilities takes it.
package enum StoredTemperature {
    /// Finds out whether a temperature could be put into a file, so that nobody waits for one in vain.
    ///
    /// - Throws: `RunError` with code `.cannotStore` where it is no safetensors file.
    package static func check(_ container: WeightFile.Container?, path: String) throws(RunError) {
        guard container != .safetensors else { return }
        throw RunError(
            .cannotStore,
            "\(path): expected a safetensors file, which has room for a temperature, found "
                + "\(container?.rawValue ?? "none"); name a new file with --output")
    }

    /// Writes a file anew with a temperature beside what it said before; tensors stay as they are.
    ///
    /// The old file stays until the new one is whole on the disk.
    ///
    /// - Parameters:
    ///   - temperature: what logits are to be divided by.
    ///   - path: a safetensors file.
    /// - Throws: `ModelFormatError` where it cannot be read or written.
    package static func store(_ temperature: Double, in path: String) throws(ModelFormatError) {
        let memory: Memory
        do {
            memory = try Memory(mapping: path)
        } catch {
            throw ModelFormatError(
                error.code == .notFound ? .notFound : .inputOutput, error.message)
        }
        let contents = try Safetensors.read(memory, name: path)
        try Safetensors.write(
            tensors: contents.tensors, metadata: adding(temperature, to: contents.metadata),
            to: path)
    }

    /// Writes a network with a temperature to a new safetensors file.
    ///
    /// - Throws: `ModelFormatError` where it cannot be written.
    package static func write(
        _ model: LoadedModel, temperature: Double, to path: String
    ) throws(ModelFormatError) {
        let tensors = model.architecture.parameterList.compactMap { parameter in
            model.parameters[parameter.name].map {
                NamedTensor(name: parameter.name, tensor: $0)
            }
        }
        let metadata = model.metadata.merging(model.architecture.metadata) { $1 }
        try Safetensors.write(
            tensors: tensors, metadata: adding(temperature, to: metadata), to: path)
    }

    private static func adding(
        _ temperature: Double, to metadata: [String: String]
    ) -> [String: String] {
        metadata.merging(ModelDescription(temperature: temperature).metadata) { $1 }
    }
}
