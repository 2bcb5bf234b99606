import Native
import SwiftProtobuf
import Tensors

/// An ONNX model, decoded and checked for what is not read here; nothing of it is understood yet.
///
/// Source: ONNX 1.23, `onnx.proto` and `docs/IR.md`; models of IR version 3 and later.
struct ONNXModel {
    /// What messages call the file.
    let name: String
    /// The nodes, each after those it reads.
    let nodes: [ONNXNodeProto]
    /// What a caller gives, without the initialisers that old models list there too.
    let inputs: [ONNXValueInfoProto]
    /// The constant tensors by name.
    let initializers: [String: ONNXTensorProto]
    /// The texts of `metadata_props`.
    let metadata: [String: String]
    /// The version of the operators.
    let opset: Int
    /// Who wrote it, as in `pytorch 2.13.0`; may be empty.
    let producer: String
    private let memory: Memory
    private let folder: String?

    /// The most bytes that all texts of the metadata take.
    private static let maximumMetadataByteCount = 1 << 20
    /// Axes of a tensor; a filter has four.
    private static let maximumRank = 8

    /// Decodes a model.
    ///
    /// - Parameters:
    ///   - memory: the file's bytes.
    ///   - name: what messages call the file.
    ///   - folder: where files lie that the model keeps tensors in; none are looked for where `nil`.
    /// - Throws: `ModelFormatError` with code `.malformed`, `.limitExceeded` or `.unsupported`.
    init(_ memory: Memory, name: String, folder: String?) throws(ModelFormatError) {
        let skeleton = try ONNXSkeleton.bytes(of: memory, name: name)
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        options.messageDepthLimit = 16
        let model: ONNXModelProto
        do {
            model = try ONNXModelProto(serializedBytes: skeleton, options: options)
        } catch {
            throw ModelFormatError(
                .malformed, "\(name): expected an ONNX model, found other bytes: \(error)")
        }
        guard model.graph.count == 1, let graph = model.graph.first else {
            throw ModelFormatError(
                .malformed, "\(name): expected an ONNX model with a graph, found none or several")
        }
        func refuse(_ count: Int, _ what: String) throws(ModelFormatError) {
            guard count == 0 else {
                throw ModelFormatError(
                    .unsupported, "\(name): \(count) \(what) in the ONNX model are not read here")
            }
        }
        try refuse(model.functions.count, "functions")
        try refuse(graph.sparseInitializer.count, "sparse tensors")

        self.name = name
        self.memory = memory
        self.folder = folder
        nodes = graph.node
        var initializers: [String: ONNXTensorProto] = [:]
        for tensor in graph.initializer {
            try Self.checkRank(of: tensor, called: tensor.name, in: name)
            guard initializers.updateValue(tensor, forKey: tensor.name) == nil else {
                throw ModelFormatError(
                    .malformed, "\(name): two initialisers are named \(tensor.name)")
            }
        }
        self.initializers = initializers
        inputs = graph.input.filter { initializers[$0.name] == nil }
        var metadata: [String: String] = [:]
        var byteCount = 0
        for entry in model.metadataProps {
            byteCount += entry.key.utf8.count + entry.value.utf8.count
            if byteCount <= Self.maximumMetadataByteCount { metadata[entry.key] = entry.value }
        }
        self.metadata = metadata
        let version = model.opsetImport.first { ["", "ai.onnx"].contains($0.domain) }?.version
        opset = Int(clamping: version ?? 1)
        producer = [model.producerName, model.producerVersion].filter { !$0.isEmpty }
            .joined(separator: " ")
    }

    /// Refuses tensors of many axes: each node that turns one would keep a list as long.
    ///
    /// - Throws: `ModelFormatError` with code `.unsupported`.
    static func checkRank(
        of tensor: ONNXTensorProto, called label: String, in name: String
    ) throws(ModelFormatError) {
        guard tensor.dims.count <= maximumRank else {
            throw ModelFormatError(
                .unsupported,
                "\(name): tensor \(label.prefix(120)): expected at most \(maximumRank) axes, found "
                    + "\(tensor.dims.count)")
        }
    }

    /// A tensor's elements: a part of the file where they stand there as they are.
    ///
    /// - Parameters:
    ///   - proto: the tensor as the model describes it.
    ///   - label: what messages call it.
    /// - Throws: `ModelFormatError` with code `.unsupported`, `.sizeMismatch`, `.malformed`, `.forbidden` or
    ///   `.missingEntry`.
    func tensor(
        _ proto: ONNXTensorProto, called label: String
    ) throws(ModelFormatError) -> HostTensor {
        let place = "\(name): tensor \(label)"
        guard proto.segment.isEmpty, let elementType = proto.elementType else {
            throw ModelFormatError(
                .unsupported,
                "\(place): elements of ONNX's type \(proto.dataType) are not read; export the model in "
                    + "float32 or float16")
        }
        let shape: Shape
        do {
            shape = try Shape(validating: proto.dims.map { Int(clamping: $0) })
        } catch {
            throw ModelFormatError(.sizeMismatch, "\(place): \(error.message)")
        }
        let bytes: Memory
        if proto.dataLocation == .external {
            bytes = try ONNXExternalData(proto.externalData, label: place).read(in: folder)
        } else {
            bytes = try elements(of: proto, elementType, place)
        }
        do {
            return try HostTensor(elementType: elementType, shape: shape, memory: bytes)
        } catch {
            throw ModelFormatError(.sizeMismatch, "\(place): \(error.message)")
        }
    }

    private func elements(
        of proto: ONNXTensorProto, _ elementType: ElementType, _ place: String
    ) throws(ModelFormatError) -> Memory {
        if !proto.place.isEmpty {
            // The number of the field, the first byte and the number of bytes; see ONNXSkeleton.
            let numbers = proto.place.map { Int(clamping: $0) }
            guard numbers.count == 3, numbers[0] == 9 || elementType == .float32,
                let bytes = memory.slice(offset: numbers[1], byteCount: numbers[2])
            else {
                throw ModelFormatError(
                    .malformed, "\(place): expected its elements in one place, found several")
            }
            return bytes
        }
        switch elementType {
        case .float32: return Memory(copying: proto.floatData)
        case .float64: return Memory(copying: proto.doubleData)
        case .int64: return Memory(copying: proto.int64Data)
        case .int32: return Memory(copying: proto.int32Data)
        case .float16, .bfloat16, .int16:
            return Memory(copying: proto.int32Data.map { UInt16(truncatingIfNeeded: $0) })
        case .int8, .uint8, .bool:
            return Memory(copying: proto.int32Data.map { UInt8(truncatingIfNeeded: $0) })
        }
    }
}

extension ONNXTensorProto {
    /// Elements that are numbers of the message, and so are copied whenever the tensor is asked for.
    var copiedCount: Int {
        place.isEmpty && dataLocation != .external
            ? floatData.count + doubleData.count + int64Data.count + int32Data.count : 0
    }

    /// What an element is; `nil` for what no tensor here has.
    var elementType: ElementType? {
        switch DataType(rawValue: Int(dataType)) {
        case .float: .float32
        case .double: .float64
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .int64: .int64
        case .int32: .int32
        case .int16: .int16
        case .int8: .int8
        case .uint8: .uint8
        case .bool: .bool
        default: nil
        }
    }
}
