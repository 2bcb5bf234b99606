import Inference
import ModelFormats
import Native
import ResNetModel

extension ExportFormat {
    /// A model repository for NVIDIA's Triton Inference Server.
    package static let triton = ExportFormat(
        name: "triton", summary: "a model repository for Triton Inference Server",
        options: [
            .half, .foldBatchNorm, .preprocessing, .softmax, .tensorRT, .libtorch, .size, .name,
        ]
    ) { model, facts, options, path in
        try TritonRepository(model, facts, options).write(to: path)
    }
}

/// The folders of a Triton model repository.
///
/// | folder | runtime | |
/// |---|---|---|
/// | `NAME` | ONNX Runtime | always |
/// | `NAME_libtorch` | libtorch | where asked for |
/// | `NAME_tensorrt` | TensorRT | where asked for; its plan depends on the GPU, so `build` makes it there |
///
/// All take and give the same.
///
/// Source: Triton's `docs/user_guide/model_repository.md` and `model_configuration.md`, release 25.
struct TritonRepository {
    private let model: LoadedModel
    private let facts: ExportedFacts
    private let options: ExportOptions
    private let export: ONNXExport
    private let torchScript: TorchScriptExport?
    private let name: String

    /// The largest batch that the server puts together.
    private static let maximumBatch = 64

    init(_ model: LoadedModel, _ facts: ExportedFacts, _ options: ExportOptions) throws {
        self.model = model
        self.facts = facts
        self.options = options
        name = options.modelName ?? "resnet\(model.architecture.depth.rawValue)"
        let isPlain = name.utf8.allSatisfy { byte in
            byte == 0x2D || byte == 0x2E || byte == 0x5F || (0x30...0x39).contains(byte)
                || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard !name.isEmpty, isPlain, !name.hasPrefix(".") else {
            throw ExportError(
                .invalidOption,
                "--name: expected letters, digits, dots, dashes and underscores, found "
                    + name.debugDescription)
        }
        export = try ONNXExport(model, facts, options)
        torchScript =
            options.includesLibtorch ? try TorchScriptExport(model, facts, options) : nil
    }

    /// Makes the folders, each whole and in its place only once all are written.
    ///
    /// - Throws: `ExportError` with code `.exists` where a model's folder is there already, `ModelFormatError`,
    ///   `NativeError`.
    func write(to path: String) throws -> ExportedModel {
        var files: [String] = []
        var notes = model.roundingNotes
        var folders: [NewFolder] = []
        func add(
            _ platform: String, _ suffix: String, _ last: String,
            write: (NewFolder) throws -> Void
        ) throws {
            let folder = try NewFolder(at: "\(path)/\(name)\(suffix)")
            try createFolder(atPath: folder.temporaryPath + "/1")
            try self.write(
                configuration(platform: platform, suffix: suffix), to: "config.pbtxt", in: folder)
            try self.write(facts.labelLines, to: "labels.txt", in: folder)
            try write(folder)
            folders.append(folder)
            files += [last, "config.pbtxt", "labels.txt"].map { "\(folder.path)/\($0)" }
        }
        try add("onnxruntime_onnx", "", "1/model.onnx") { folder in
            try export.write(to: folder.temporaryPath + "/1/model.onnx")
        }
        if let torchScript {
            try add("pytorch_libtorch", "_libtorch", "1/model.pt") { folder in
                try torchScript.write(to: folder.temporaryPath + "/1/model.pt")
            }
            if options.foldsBatchNormalization {
                notes.append("the model for libtorch keeps its batch norms")
            }
        }
        if options.includesTensorRT {
            try add("tensorrt_plan", "_tensorrt", "build") { folder in
                try self.write(buildScript, to: "build", in: folder)
            }
            notes.append(
                "before the server starts, on the machine whose GPU will serve: bash "
                    + "\(path)/\(name)_tensorrt/build")
        }
        for folder in folders { try folder.commit() }
        return ExportedModel(files: files, readablePath: files.first, notes: notes)
    }

    private func write(_ text: String, to name: String, in folder: NewFolder) throws {
        try writeFile(
            Memory(copying: Array(text.utf8)), toPath: "\(folder.temporaryPath)/\(name)")
    }

    // MARK: Texts

    /// The model's configuration, in protocol buffers' text form.
    func configuration(platform: String, suffix: String) -> String {
        let size = export.interface.imageSize
        // libtorch knows no names: by Triton's convention they end in two underscores and their place.
        let isTorch = platform == "pytorch_libtorch"
        let takesPixels = export.interface.takesPixels
        let input = isTorch ? "INPUT__0" : ONNXGraphWriter.inputName
        let output = isTorch ? "OUTPUT__0" : export.outputName
        return """
            name: "\(name)\(suffix)"
            platform: "\(platform)"
            max_batch_size: \(Self.maximumBatch)
            input [
              {
                name: "\(input)"
                data_type: \(takesPixels ? "TYPE_UINT8" : "TYPE_FP32")
                format: \(takesPixels ? "FORMAT_NHWC" : "FORMAT_NCHW")
                dims: [ \(takesPixels ? "\(size), \(size), 3" : "3, \(size), \(size)") ]
              }
            ]
            output [
              {
                name: "\(output)"
                data_type: TYPE_FP32
                dims: [ \(model.architecture.classCount) ]
                label_filename: "labels.txt"
              }
            ]
            dynamic_batching {
              preferred_batch_size: [ 8, 16, 32, 64 ]
              max_queue_delay_microseconds: 2000
            }

            """
    }

    /// What makes TensorRT's plan of the ONNX model beside it.
    private var buildScript: String {
        let size = export.interface.imageSize
        func shapes(_ batch: Int) -> String {
            "\(ONNXGraphWriter.inputName):\(batch)x"
                + (export.interface.takesPixels ? "\(size)x\(size)x3" : "3x\(size)x\(size)")
        }
        return """
            #!/usr/bin/env bash
            # Makes 1/model.plan with TensorRT's trtexec, of the ONNX model in ../\(name), for the GPU of this machine.
            # TensorRT 10 or later. The precision is the ONNX model's.
            set -euo pipefail
            cd "$(dirname "${BASH_SOURCE[0]}")"
            trtexec --stronglyTyped --onnx=../\(name)/1/model.onnx --saveEngine=1/model.plan \\
                --minShapes=\(shapes(1)) --optShapes=\(shapes(32)) \\
                --maxShapes=\(shapes(Self.maximumBatch))

            """
    }
}
