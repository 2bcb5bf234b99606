import Graph
import Inference
import ModelFormats
import Native
import ResNetModel
import SwiftProtobuf
import Tensors

extension ExportFormat {
    /// An ONNX model: operators of version 17, open batch.
    package static let onnx = ExportFormat(
        name: "onnx", summary: "an ONNX model, operators of version 17, any batch",
        options: [.half, .foldBatchNorm, .preprocessing, .softmax, .size]
    ) { model, facts, options, path in
        try ONNXExport(model, facts, options).write(to: path)
        return ExportedModel(files: [path], readablePath: path, notes: model.roundingNotes)
    }
}

/// A model on its way into an ONNX file.
///
/// Inputs and outputs, float32 unless said otherwise, `N` the batch:
///
/// | name | shape | |
/// |---|---|---|
/// | `input` | `[N, 3, size, size]` | normalised as torchvision does it |
/// | or `input` | uint8 `[N, size, size, 3]` | pixels, red first, with preprocessing inside |
/// | `logits` | `[N, classes]` | |
/// | or `probabilities` | `[N, classes]` | with softmax inside; a calibrated temperature is applied before |
struct ONNXExport {
    let interface: ONNXGraphWriter.Interface
    let outputName: String
    private let header: [UInt8]
    private let graphHeader: [UInt8]
    private let initializers: [NamedTensor]

    /// Models of this version of the container are read by everything that knows operators of version 17.
    private static let containerVersion: Int64 = 8
    private static let operatorVersion: Int64 = 17

    /// - Throws: `ExportError`, or `GraphError` where parameters are missing.
    init(_ model: LoadedModel, _ facts: ExportedFacts, _ options: ExportOptions) throws {
        interface = ONNXGraphWriter.Interface(
            imageSize: facts.imageSize, takesPixels: options.includesPreprocessing,
            isHalf: options.isHalf,
            softmaxTemperature: options.includesSoftmax ? facts.temperature : nil)
        var graph = try model.architecture.inferenceGraph(batch: 1, imageSize: facts.imageSize)
        var parameters = model.parameters
        if options.foldsBatchNormalization {
            (graph, parameters) = try foldBatchNormalization(graph, parameters)
        }
        let writer = try ONNXGraphWriter(graph, parameters, interface: interface)
        outputName = writer.outputName
        initializers = writer.initializers

        var graphProto = ONNXGraphProto()
        graphProto.node = writer.nodes
        graphProto.name = "resnet\(model.architecture.depth.rawValue)"
        let size = facts.imageSize
        graphProto.input = [
            interface.takesPixels
                ? .make(ONNXGraphWriter.inputName, .uint8, [size, size, 3])
                : .make(ONNXGraphWriter.inputName, .float, [3, size, size])
        ]
        graphProto.output = [.make(outputName, .float, [model.architecture.classCount])]
        graphHeader = try graphProto.serializedBytes()

        var proto = ONNXModelProto()
        proto.irVersion = Self.containerVersion
        proto.producerName = "swift-resnet"
        proto.producerVersion = options.programVersion
        var operators = ONNXOperatorSetIdProto()
        operators.version = Self.operatorVersion
        proto.opsetImport = [operators]
        let metadata = facts.metadata(
            takesPixels: interface.takesPixels, givesProbabilities: options.includesSoftmax)
        proto.metadataProps = metadata.sorted { $0.key < $1.key }.map { key, value in
            var entry = ONNXStringStringEntryProto()
            entry.key = key
            entry.value = value
            return entry
        }
        header = try proto.serializedBytes()
    }

    /// Writes the file, or replaces it whole.
    ///
    /// The graph is a field with a length in front, so tensors are measured first and written after; none is copied.
    ///
    /// - Throws: `ModelFormatError` with code `.notFound` where the folder does not exist, else `.cannotWrite`.
    func write(to path: String) throws {
        var heads: [[UInt8]] = []
        var graphByteCount = graphHeader.count
        for initializer in initializers {
            let head = try Self.head(of: initializer)
            heads.append(head)
            graphByteCount += head.count + initializer.tensor.memory.byteCount
        }
        do {
            var file = try ReplacementFile(replacing: path)
            var start = header
            start.append(field: 7, byteCount: graphByteCount)
            try file.write(start + graphHeader)
            for (head, initializer) in zip(heads, initializers) {
                try file.write(head)
                try file.write(initializer.tensor.memory)
            }
            try file.commit()
        } catch {
            throw ModelFormatError(writing: error)
        }
    }

    /// What stands before a tensor's elements, from the key of the graph's field on.
    private static func head(of initializer: NamedTensor) throws -> [UInt8] {
        var proto = ONNXTensorProto()
        proto.name = initializer.name
        proto.dims = initializer.tensor.shape.dimensions.map { Int64($0) }
        let type: ONNXTensorProto.DataType =
            initializer.tensor.elementType == .float16 ? .float16 : .float
        proto.dataType = Int32(type.rawValue)
        let byteCount = initializer.tensor.memory.byteCount
        var message: [UInt8] = try proto.serializedBytes()
        // The elements end the message: raw_data, field 9.
        message.append(field: 9, byteCount: byteCount)
        var head: [UInt8] = []
        head.append(field: 5, byteCount: message.count + byteCount)
        return head + message
    }
}

extension ONNXValueInfoProto {
    /// A tensor with an open batch before its extents.
    fileprivate static func make(
        _ name: String, _ type: ONNXTensorProto.DataType, _ extents: [Int]
    ) -> ONNXValueInfoProto {
        var batch = ONNXTensorShapeProto.Dimension()
        batch.dimParam = "batch"
        var shape = ONNXTensorShapeProto()
        shape.dim = [batch]
        for extent in extents {
            var dimension = ONNXTensorShapeProto.Dimension()
            dimension.dimValue = Int64(extent)
            shape.dim.append(dimension)
        }
        var tensor = ONNXTypeProto.Tensor()
        tensor.elemType = Int32(type.rawValue)
        tensor.shape = shape
        var info = ONNXValueInfoProto()
        info.name = name
        info.type.tensorType = tensor
        return info
    }
}
