import Native
import SwiftProtobuf
package import Tensors

extension TensorBundle {
    /// A tensor to be written.
    package struct Variable: Sendable {
        /// The name that the checkpoint gives it.
        package let name: String
        /// The elements.
        package let tensor: HostTensor
        /// The order in which its axes are written.
        package let axes: [Int]

        /// Names a tensor; its axes are written in their order, unless another is given.
        ///
        /// - Precondition: `axes` names each axis once.
        package init(name: String, tensor: HostTensor, axes: [Int]? = nil) {
            self.name = name
            self.tensor = tensor
            self.axes = axes ?? Array(0..<tensor.shape.rank)
        }

        /// The extents as they are written.
        package var shape: [Int] { axes.map { tensor.shape[$0] } }
    }

    /// Writes a checkpoint: its elements into one file, then its index, each replaced whole.
    ///
    /// - Parameters:
    ///   - variables: the tensors.
    ///   - texts: single texts by name.
    ///   - prefix: what the files' names begin with.
    /// - Throws: `ModelFormatError` with code `.malformed` where a name occurs twice or is empty, `.cannotWrite` where
    ///   the folder does not exist or the system refuses.
    package static func write(
        _ variables: [Variable], texts: [String: String] = [:], to prefix: String
    ) throws(ModelFormatError) {
        var contents: [[UInt8]: Content] = [:]
        for (name, content) in variables.map({ ($0.name, Content.tensor($0)) })
            + texts.map({ ($0.key, Content.text(Array($0.value.utf8))) })
        {
            guard !name.isEmpty, contents.updateValue(content, forKey: Array(name.utf8)) == nil
            else {
                throw ModelFormatError(
                    .malformed, "\(prefix): cannot hold two tensors named \"\(name)\"")
            }
        }
        do {
            try write(contents, to: prefix)
        } catch let error as NativeError {
            throw ModelFormatError(.cannotWrite, error.message)
        } catch {
            throw ModelFormatError(.cannotWrite, "\(prefix): cannot be written: \(error)")
        }
    }

    private enum Content {
        case tensor(Variable)
        case text([UInt8])
    }

    private static func write(_ contents: [[UInt8]: Content], to prefix: String) throws {
        var header = TensorFlowBundleHeaderProto()
        header.numShards = 1
        header.version.producer = 1
        var entries = [SortedTable.Entry(key: [], value: try bytes(header))]
        var file = try ReplacementFile(
            replacing: prefix + TensorFlowFiles.elementsSuffix(0, of: 1))
        var offset = 0
        let sorted = contents.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for (key, content) in sorted {
            var entry = TensorFlowBundleEntryProto()
            entry.offset = Int64(offset)
            switch content {
            case .tensor(let variable):
                let memory = variable.tensor.transposed(variable.axes).memory
                entry.dtype = type(variable.tensor.elementType)
                entry.shape = TensorFlowTensorShapeProto(variable.shape)
                entry.size = Int64(memory.byteCount)
                entry.crc32C = maskedCRC32C(memory.bytes)
                try file.write(memory)
            case .text(let text):
                let sums = TextSums(text)
                var stored: [UInt8] = []
                stored.append(varint: UInt64(text.count))
                stored.append(littleEndian: sums.lengths)
                stored += text
                entry.dtype = .dtString
                entry.shape = TensorFlowTensorShapeProto([])
                entry.size = Int64(stored.count)
                entry.crc32C = sums.whole
                try file.write(stored)
            }
            offset += Int(entry.size)
            entries.append(SortedTable.Entry(key: key, value: try bytes(entry)))
        }
        try file.commit()
        var index = try ReplacementFile(replacing: prefix + ".index")
        try index.write(SortedTable.encode(entries))
        try index.commit()
    }

    private static func bytes(_ message: some SwiftProtobuf.Message) throws -> [UInt8] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return try message.serializedBytes(options: options)
    }

    private static func type(_ elementType: ElementType) -> TensorFlowDataType {
        switch elementType {
        case .float32: .dtFloat
        case .float64: .dtDouble
        case .float16: .dtHalf
        case .bfloat16: .dtBfloat16
        case .int64: .dtInt64
        case .int32: .dtInt32
        case .int16: .dtInt16
        case .int8: .dtInt8
        case .uint8: .dtUint8
        case .bool: .dtBool
        }
    }
}

extension TensorFlowTensorShapeProto {
    /// The shape of these extents; -1 is one that may be any.
    package init(_ extents: [Int]) {
        self.init()
        dim = extents.map { extent in
            var dimension = TensorFlowTensorShapeProto.Dim()
            dimension.size = Int64(extent)
            return dimension
        }
    }
}
