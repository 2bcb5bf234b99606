public import Native
import Tensors

/// Reads and writes the safetensors format.
///
/// Source: the format's text in `huggingface/safetensors`, and the behaviour of the Python package 0.8.0.
public enum Safetensors {
    /// What a file holds.
    public struct Contents: Sendable {
        /// The tensors in the order of their bytes, sharing the memory read from.
        public let tensors: [NamedTensor]
        /// The texts under `__metadata__`.
        public let metadata: [String: String]
        /// Names that the header gives more than once; the last of each was taken.
        public let repeatedNames: [String]
    }

    /// Reads a whole file's bytes.
    ///
    /// - Parameters:
    ///   - memory: the bytes; nothing of them is copied.
    ///   - name: what messages call the file.
    /// - Throws: `ModelFormatError` with code `.malformed`, `.sizeMismatch` or `.limitExceeded` where the
    ///   bytes break the format's rules, `.unsupported` for an element type that no tensor here has.
    public static func read(
        _ memory: Memory, name: String
    ) throws(ModelFormatError) -> Contents {
        let header = try SafetensorsHeader(memory, name: name)
        var tensors: [NamedTensor] = []
        tensors.reserveCapacity(header.entries.count)
        for entry in header.entries {
            guard let elementType = entry.elementType.elementType else {
                throw ModelFormatError(
                    .unsupported,
                    "\(name): tensor \(entry.name): elements of type \(entry.elementType.rawValue) "
                        + "are not read; convert the file to F32, F16 or BF16")
            }
            let extents = entry.shape.compactMap { Int(exactly: $0) }
            guard extents.count == entry.shape.count,
                let bytes = memory.slice(
                    offset: header.dataOffset + entry.range.lowerBound,
                    byteCount: entry.range.count)
            else {
                throw ModelFormatError(
                    .limitExceeded,
                    "\(name): tensor \(entry.name): shape \(entry.shape) is beyond 63 bits")
            }
            do {
                let shape = try Shape(validating: extents)
                let tensor = try HostTensor(elementType: elementType, shape: shape, memory: bytes)
                tensors.append(NamedTensor(name: entry.name, tensor: tensor))
            } catch {
                throw ModelFormatError(
                    .sizeMismatch, "\(name): tensor \(entry.name): \(error.message)")
            }
        }
        return Contents(
            tensors: tensors, metadata: header.metadata, repeatedNames: header.repeatedNames)
    }

    /// Writes a file, or replaces it whole: a failure or a power cut leaves the old one.
    ///
    /// The bytes depend on the arguments' values alone and equal the Python package's: wider element types
    /// first, then by name. (That package writes several texts of metadata in no fixed order; here they are
    /// sorted.)
    ///
    /// - Parameters:
    ///   - tensors: what the file holds.
    ///   - metadata: texts by name.
    ///   - path: the file.
    ///   - previous: the name that an old file gets right before the new one, complete and on the disk, takes its
    ///     place; it is replaced where `nil`.
    /// - Throws: `ModelFormatError` with code `.malformed` where a name occurs twice or is `__metadata__`,
    ///   `.limitExceeded` where the header would be larger than readers accept, `.notFound` where the folder
    ///   does not exist, `.cannotWrite` where the system refuses.
    public static func write(
        tensors: [NamedTensor], metadata: [String: String] = [:], to path: String,
        keepingOldAs previous: String? = nil
    ) throws(ModelFormatError) {
        let (header, sorted) = try header(of: tensors, metadata: metadata, name: path)
        do {
            var file = try ReplacementFile(replacing: path)
            try file.write(header)
            for tensor in sorted { try file.write(tensor.tensor.memory) }
            try file.commit(keepingOldAs: previous)
        } catch {
            throw ModelFormatError(writing: error)
        }
    }

    /// The bytes before the tensors, and the tensors in the order in which theirs follow.
    private static func header(
        of tensors: [NamedTensor], metadata: [String: String], name file: String
    ) throws(ModelFormatError) -> (bytes: [UInt8], tensors: [NamedTensor]) {
        let ranks = Dictionary(
            uniqueKeysWithValues: zip(SafetensorsElementType.allCases, 0...))
        func rank(_ tensor: NamedTensor) -> Int {
            ranks[SafetensorsElementType(tensor.tensor.elementType)] ?? 0
        }
        let sorted = tensors.sorted { first, second in
            let (left, right) = (rank(first), rank(second))
            return left == right ? precedes(first.name, second.name) : left > right
        }
        var parts: [String] = []
        if !metadata.isEmpty {
            parts.append("\"__metadata__\":\(metadataText(metadata))")
        }
        var names: Set<[UInt8]> = [Array("__metadata__".utf8)]
        var offset = 0
        for tensor in sorted {
            guard names.insert(Array(tensor.name.utf8)).inserted else {
                throw ModelFormatError(
                    .malformed, "\(file): cannot hold two tensors named \(tensor.name)")
            }
            let end = offset + tensor.tensor.memory.byteCount
            let type = SafetensorsElementType(tensor.tensor.elementType)
            let extents = tensor.tensor.shape.dimensions.map(String.init).joined(separator: ",")
            parts.append(
                "\(quoted(tensor.name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(extents)],"
                    + "\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var text = Array("{\(parts.joined(separator: ","))}".utf8)
        text.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: -text.count & 7))
        guard text.count <= SafetensorsHeader.maximumByteCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): the header would take \(text.count) bytes; readers accept at most "
                    + "\(SafetensorsHeader.maximumByteCount)")
        }
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        return (length + text, sorted)
    }

    /// Texts by name as a JSON object, sorted by name.
    package static func metadataText(_ metadata: [String: String]) -> String {
        let texts = metadata.sorted { precedes($0.key, $1.key) }
            .map { "\(quoted($0.key)):\(quoted($0.value))" }
        return "{\(texts.joined(separator: ","))}"
    }

    private static func precedes(_ first: String, _ second: String) -> Bool {
        first.utf8.lexicographicallyPrecedes(second.utf8)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{8}": result += "\\b"
            case "\u{C}": result += "\\f"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
