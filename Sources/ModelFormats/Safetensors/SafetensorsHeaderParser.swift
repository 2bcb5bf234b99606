/// Collects what a safetensors header says, before sizes are compared.
struct SafetensorsHeaderParser {
    /// One tensor as written.
    struct Tensor {
        let name: String
        let elementType: SafetensorsElementType
        let shape: [UInt64]
        let start: UInt64
        let end: UInt64
    }

    private(set) var tensors: [Tensor] = []
    private(set) var metadata: [String: String] = [:]
    private(set) var repeatedNames: [String] = []
    private let file: String
    /// By bytes: `String` takes different spellings of an accented letter for the same.
    private var indexOfName: [[UInt8]: Int] = [:]
    private var hasMetadata = false

    init(file: String) { self.file = file }

    mutating func parse(_ header: Span<UInt8>) throws(ModelFormatError) {
        var scanner = JSONScanner(at: 0, file: file)
        var result = self
        try scanner.object(header) { (scanner, bytes, key) throws(ModelFormatError) in
            if key.utf8.elementsEqual("__metadata__".utf8) {
                try result.parseMetadata(&scanner, bytes)
            } else {
                try result.parseTensor(named: key, &scanner, bytes)
            }
        }
        try scanner.end(header)
        self = result
    }

    private mutating func parseMetadata(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        guard !hasMetadata else { throw scanner.malformed("__metadata__ occurs twice") }
        hasMetadata = true
        if try scanner.null(bytes) { return }
        var found: [String: String] = [:]
        try scanner.object(bytes) { (scanner, bytes, key) throws(ModelFormatError) in
            found[key] = try scanner.string(bytes)
        }
        metadata = found
    }

    private mutating func parseTensor(
        named name: String, _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        var elementType: SafetensorsElementType?
        var shape: [UInt64]?
        var offsets: [UInt64]?
        func take(
            _ field: String, _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
        ) throws(ModelFormatError) {
            let isRepeated: Bool
            switch field {
            case "dtype":
                isRepeated = elementType != nil
                elementType = try Self.elementType(&scanner, bytes)
            case "shape":
                isRepeated = shape != nil
                shape = try Self.sizes(&scanner, bytes)
            case "data_offsets":
                isRepeated = offsets != nil
                offsets = try Self.sizes(&scanner, bytes)
            default:
                isRepeated = false
                try scanner.skipValue(bytes)
            }
            if isRepeated { throw scanner.malformed("tensor \(name): \(field) occurs twice") }
        }
        switch scanner.peek(bytes) {
        case UInt8(ascii: "{"):
            try scanner.object(bytes) { (scanner, bytes, key) throws(ModelFormatError) in
                try take(key, &scanner, bytes)
            }
        case UInt8(ascii: "["):
            // The package takes the three values without their names, too.
            let fields = ["dtype", "shape", "data_offsets"]
            try scanner.array(bytes) { (scanner, bytes, index) throws(ModelFormatError) in
                guard index < fields.count else {
                    throw scanner.malformed("tensor \(name): expected three values")
                }
                try take(fields[index], &scanner, bytes)
            }
        default: throw scanner.malformed("tensor \(name): expected an object")
        }
        guard let elementType, let shape, let offsets, offsets.count == 2 else {
            throw scanner.malformed("tensor \(name): expected dtype, shape and two data_offsets")
        }
        let tensor = Tensor(
            name: name, elementType: elementType, shape: shape, start: offsets[0], end: offsets[1])
        if let index = indexOfName.updateValue(tensors.count, forKey: Array(name.utf8)) {
            repeatedNames.append(name)
            tensors[index] = tensor
            indexOfName[Array(name.utf8)] = index
        } else {
            tensors.append(tensor)
        }
    }

    private static func elementType(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) -> SafetensorsElementType {
        var name: String?
        if scanner.peek(bytes) == UInt8(ascii: "{") {
            // The package also takes `{"F32": null}`, its language's other spelling of a plain case.
            try scanner.object(bytes) { (scanner, bytes, key) throws(ModelFormatError) in
                guard name == nil, try scanner.null(bytes) else {
                    throw scanner.malformed("expected the name of an element type")
                }
                name = key
            }
        } else {
            name = try scanner.string(bytes)
        }
        guard let name, let type = SafetensorsElementType(rawValue: name) else {
            throw scanner.malformed("unknown element type \(name ?? "{}")")
        }
        return type
    }

    private static func sizes(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) -> [UInt64] {
        var sizes: [UInt64] = []
        try scanner.array(bytes) { (scanner, bytes, _) throws(ModelFormatError) in
            guard case .unsigned(let size) = try scanner.number(bytes) else {
                throw scanner.malformed("expected a whole number of at least 0, below 2^64")
            }
            sizes.append(size)
        }
        return sizes
    }
}
