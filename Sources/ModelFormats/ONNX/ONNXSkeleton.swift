import Native

/// A model's bytes without the elements of its tensors and without what nobody reads.
///
/// What is left is small, whatever the model weighs: it is decoded into messages, while the elements stay where they are
/// in the mapped file. In their place the skeleton says where that is, in the field `place` of our own.
struct ONNXSkeleton {
    /// What a model may hold.
    enum Limit {
        /// Bytes of the skeleton; ResNet-152 takes 0.1 MB.
        static let byteCount = 4 << 20
        /// Nodes, attributes, tensors and other fields with a length; ResNet-152 has some 6,000.
        static let fieldCount = 200_000
    }

    /// A message that is looked into.
    private enum Kind {
        case model
        case graph
        case node
        case attribute
        case tensor
    }

    /// What becomes of a field.
    private enum Treatment {
        case copied
        case message(Kind)
        /// Present or not is all that is asked.
        case counted
        /// Elements, which stay in the file.
        case elements
        case dropped
    }

    private let memory: Memory
    private let file: String
    private var fieldCount = 0

    /// The skeleton of a model.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed` or `.limitExceeded`.
    static func bytes(of memory: Memory, name file: String) throws(ModelFormatError) -> [UInt8] {
        var skeleton = ONNXSkeleton(memory: memory, file: file)
        return try skeleton.message(.model, in: 0..<memory.byteCount)
    }

    private init(memory: Memory, file: String) {
        self.memory = memory
        self.file = file
    }

    private static func treatment(of field: Int, in kind: Kind) -> Treatment {
        switch (kind, field) {
        case (.model, 7): .message(.graph)
        case (.model, 1), (.model, 2), (.model, 3), (.model, 8), (.model, 14): .copied
        case (.model, 25): .counted
        case (.graph, 1): .message(.node)
        case (.graph, 5): .message(.tensor)
        case (.graph, 2), (.graph, 11), (.graph, 12): .copied
        case (.graph, 15): .counted
        case (.node, 5): .message(.attribute)
        case (.node, 1...4), (.node, 7): .copied
        case (.attribute, 5): .message(.tensor)
        case (.attribute, 1...4), (.attribute, 7...9), (.attribute, 20), (.attribute, 21): .copied
        case (.tensor, 4), (.tensor, 9): .elements
        case (.tensor, 1), (.tensor, 2), (.tensor, 5), (.tensor, 7), (.tensor, 8), (.tensor, 10),
            (.tensor, 13), (.tensor, 14):
            .copied
        case (.tensor, 3): .counted
        default: .dropped
        }
    }

    private mutating func message(
        _ kind: Kind, in range: Range<Int>
    ) throws(ModelFormatError) -> [UInt8] {
        var reader = WireReader(range)
        var result: [UInt8] = []
        while let field = reader.next(memory.bytes) {
            try count(field)
            switch (Self.treatment(of: field.number, in: kind), field.content) {
            case (.message(let inner), let content?):
                let bytes = try message(inner, in: content)
                result.append(field: field.number, byteCount: bytes.count)
                result += bytes
            case (.counted, .some): result.append(field: field.number, byteCount: 0)
            case (.elements, let content?):
                var place: [UInt8] = []
                place.append(varint: UInt64(field.number))
                place.append(varint: UInt64(content.lowerBound))
                place.append(varint: UInt64(content.count))
                result.append(field: Self.placeField, byteCount: place.count)
                result += place
            case (.copied, _), (.elements, nil):
                try check(result.count + field.range.count)
                result += memory.bytes.copy(field.range)
            case (.message, nil), (.counted, nil), (.dropped, _): break
            }
            try check(result.count)
        }
        guard !reader.isBroken else {
            throw ModelFormatError(
                .malformed,
                "\(file): expected an ONNX model, found a message that breaks off or is none, within "
                    + "bytes \(range.lowerBound) to \(range.upperBound)")
        }
        return result
    }

    /// `TensorProto.place` of `Protos/onnx.proto`.
    private static let placeField = 536_870_911

    private mutating func count(_ field: WireReader.Field) throws(ModelFormatError) {
        guard field.content != nil else { return }
        fieldCount += 1
        guard fieldCount <= Limit.fieldCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected an ONNX model of at most \(Limit.fieldCount) nodes, attributes and "
                    + "tensors, found more")
        }
    }

    private func check(_ byteCount: Int) throws(ModelFormatError) {
        guard byteCount <= Limit.byteCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected at most \(Limit.byteCount >> 20) MiB beside the tensors' elements, "
                    + "found more")
        }
    }
}
