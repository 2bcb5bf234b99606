import Inference
import ModelFormats
import Native
import ResNetModel
import Tensors

extension ExportFormat {
    /// A checkpoint of TensorFlow, version 2, in float32, as NVIDIA's networks for TensorFlow 1 save and restore them.
    ///
    /// The path is what the names of its files begin with. `tf.train.load_checkpoint(path)` reads it. NVIDIA's networks pad
    /// as TensorFlow does: they compute the same as here only where the model's `padding` is `tensorflow`.
    ///
    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, `model/resnet.py`.
    package static let tensorFlowCheckpoint = ExportFormat(
        name: "tf-checkpoint",
        summary:
            "a checkpoint of TensorFlow, by the names of NVIDIA's networks; OUT.index, OUT.data-...",
        suffixes: ExportFormat.tensorFlowSuffixes
    ) { model, facts, options, path in
        let network = try TensorFlowVariables(model, facts.metadata)
        let step = try HostTensor(
            elementType: .int64, shape: [], memory: Memory(copying: [0 as Int64]))
        try TensorBundle.write(
            network.variables + [TensorBundle.Variable(name: "global_step", tensor: step)],
            texts: network.texts, to: path)
        var notes = model.roundingNotes
        if model.architecture.padding != .tensorFlow {
            notes.append(
                "the network pads as PyTorch does; NVIDIA's own code for TensorFlow pads otherwise and would "
                    + "compute other numbers, a SavedModel has the padding in its graph")
        }
        return ExportedModel(
            files: ExportFormat.tensorFlowSuffixes.map { path + $0 }, readablePath: path,
            notes: notes)
    }

    private static let tensorFlowSuffixes = [".index", ".data-00000-of-00001"]
}
