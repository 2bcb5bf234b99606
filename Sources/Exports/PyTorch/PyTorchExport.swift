import Inference
import ModelFormats
import Native
import Tensors

extension ExportFormat {
    /// A dictionary of tensors as `torch.save` writes it, which torchvision's model loads strictly.
    package static let pytorch = ExportFormat(
        name: "pytorch", summary: "a state_dict for torchvision's model (.pth)", options: [.half]
    ) { model, facts, options, path in
        var tensors: [NamedTensor] = []
        for tensor in try model.exportedTensors(isHalf: options.isHalf) {
            tensors.append(tensor)
            if tensor.name.hasSuffix(".running_var") {
                // A counter that PyTorch's batch norms have; strict loading asks for it. Nothing here counts batches.
                let name = tensor.name.dropLast("running_var".count) + "num_batches_tracked"
                tensors.append(
                    NamedTensor(
                        name: String(name),
                        tensor: try HostTensor(
                            elementType: .int64, shape: [], memory: Memory(copying: [Int64(0)]))))
            }
        }
        try PyTorchFile.write(tensors: tensors, metadata: facts.metadata, to: path)
        return ExportedModel(files: [path], readablePath: path)
    }
}
