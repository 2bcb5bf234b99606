import Inference
import ModelFormats
import ResNetModel
import Tensors

extension ExportFormat {
    /// Safetensors with torchvision's names: what every command here reads, and the Python package.
    package static let safetensors = ExportFormat(
        name: "safetensors", summary: "safetensors with torchvision's names", options: [.half]
    ) { model, facts, options, path in
        let tensors = try model.exportedTensors(isHalf: options.isHalf)
        try Safetensors.write(tensors: tensors, metadata: facts.metadata, to: path)
        return ExportedModel(files: [path], readablePath: path)
    }
}

extension LoadedModel {
    /// The network's tensors under torchvision's names, in the order of `ResNetArchitecture.parameterList`.
    ///
    /// - Throws: `ExportError` with code `.notRepresentable`.
    func exportedTensors(isHalf: Bool) throws -> [NamedTensor] {
        try architecture.parameterList.map { parameter in
            guard let tensor = parameters[parameter.name] else {
                throw ExportError(
                    .notRepresentable, "\(parameter.name): expected a tensor, found none")
            }
            return NamedTensor(
                name: parameter.name,
                tensor: isHalf ? try tensor.halved(name: parameter.name) : tensor)
        }
    }
}

extension HostTensor {
    /// The same numbers in half precision.
    ///
    /// - Throws: `ExportError` with code `.notRepresentable` where a finite number is beyond 65504.
    func halved(name: String) throws -> HostTensor {
        let numbers = floats()
        if let large = numbers.first(where: { $0.isFinite && abs($0) >= 65520 }) {
            throw ExportError(
                .notRepresentable,
                "\(name): \(large) is beyond half precision, whose largest number is 65504; export in "
                    + "float32, or with batch norms folded")
        }
        return try converted(to: .float16)
    }
}
