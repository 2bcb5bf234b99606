public import Native
public import Tensors

/// Reads and writes NumPy's array files (`.npy`) of float32 numbers.
///
/// Source: NumPy's `format` module, version 1.0; version 2.0 is read as well.
public enum NumPyFile {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    private static let maximumRank = 32

    /// Writes a float32 tensor, or replaces a file whole: a failure leaves the old one.
    ///
    /// The bytes equal those that `numpy.save` writes.
    ///
    /// - Throws: `ModelFormatError` with code `.unsupported` for other element types, `.limitExceeded` for more
    ///   than 32 axes, `.notFound` where the folder does not exist, `.cannotWrite` where the system refuses.
    public static func write(_ tensor: HostTensor, to path: String) throws(ModelFormatError) {
        guard tensor.elementType == .float32 else {
            throw ModelFormatError(
                .unsupported,
                "\(path): expected float32 numbers to write, found \(tensor.elementType.rawValue)")
        }
        guard tensor.shape.rank <= maximumRank else {
            throw ModelFormatError(
                .limitExceeded,
                "\(path): expected at most \(maximumRank) axes, found \(tensor.shape)")
        }
        let extents = tensor.shape.dimensions.map(String.init)
        let shape = extents.joined(separator: ", ") + (extents.count == 1 ? "," : "")
        var header = Array(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape)), }".utf8)
        // NumPy leaves room to lengthen the outermost extent in place, then rounds up to 64 bytes.
        if let first = extents.first {
            header += [UInt8](repeating: UInt8(ascii: " "), count: max(0, 21 - first.utf8.count))
        }
        let prefixCount = 10
        let padding = 64 - (prefixCount + header.count + 1) % 64
        header += [UInt8](repeating: UInt8(ascii: " "), count: padding) + [UInt8(ascii: "\n")]
        let length = [UInt8(truncatingIfNeeded: header.count), UInt8(header.count >> 8)]
        do {
            var file = try ReplacementFile(replacing: path)
            try file.write(magic + [1, 0] + length + header)
            try file.write(tensor.memory)
            try file.commit()
        } catch {
            throw ModelFormatError(writing: error)
        }
    }

    /// Maps a file and reads it.
    ///
    /// - Throws: as `read(_:name:)`, and with code `.notFound` or `.inputOutput`.
    public static func read(contentsOf path: String) throws(ModelFormatError) -> HostTensor {
        try read(try Memory.file(path), name: path)
    }

    /// Reads a file's bytes, sharing them.
    ///
    /// - Parameters:
    ///   - memory: the whole file.
    ///   - name: what messages call it.
    /// - Throws: `ModelFormatError` with code `.unknownFormat` for other files, `.unsupported` for other
    ///   element types or orders, `.malformed` or `.sizeMismatch` for damaged ones.
    public static func read(_ memory: Memory, name: String) throws(ModelFormatError) -> HostTensor {
        let bytes = memory.bytes
        guard bytes.holds(magic, at: 0) else {
            throw ModelFormatError(.unknownFormat, "\(name): expected a NumPy array (.npy)")
        }
        let isFirstVersion = bytes.holds([1, 0], at: 6)
        guard isFirstVersion || bytes.holds([2, 0], at: 6) else {
            throw ModelFormatError(
                .unsupported, "\(name): expected version 1.0 or 2.0 of the format")
        }
        let start = isFirstVersion ? 10 : 12
        let length =
            isFirstVersion
            ? bytes.littleEndian(UInt16.self, at: 8).map(Int.init)
            : bytes.littleEndian(UInt32.self, at: 8).map(Int.init)
        guard let length, length <= bytes.count - start else {
            throw ModelFormatError(.malformed, "\(name): the header is cut short")
        }
        var header = NumPyHeader(name: name, position: start, end: start + length)
        let extents = try header.parse(bytes)
        guard extents.count <= maximumRank, let shape = try? Shape(validating: extents),
            let elements = memory.slice(
                offset: start + length, byteCount: bytes.count - start - length)
        else { throw ModelFormatError(.malformed, "\(name): a shape of \(extents)") }
        do {
            return try HostTensor(elementType: .float32, shape: shape, memory: elements)
        } catch {
            throw ModelFormatError(.sizeMismatch, "\(name): \(error.message)")
        }
    }
}

/// Reads the header, a dictionary as Python writes it.
private struct NumPyHeader {
    let name: String
    var position: Int
    let end: Int

    mutating func parse(_ bytes: Span<UInt8>) throws(ModelFormatError) -> [Int] {
        var description: String?
        var isFortran: Bool?
        var shape: [Int]?
        try expect("{", bytes)
        while peek(bytes) != UInt8(ascii: "}") {
            let key = try text(bytes)
            try expect(":", bytes)
            switch key {
            case "descr" where description == nil: description = try text(bytes)
            case "fortran_order" where isFortran == nil: isFortran = try truth(bytes)
            case "shape" where shape == nil: shape = try tuple(bytes)
            default: throw malformed("unexpected \(key.debugDescription)")
            }
            if peek(bytes) == UInt8(ascii: ",") {
                position += 1
            } else if peek(bytes) != UInt8(ascii: "}") {
                throw malformed("expected \",\" or \"}\"")
            }
        }
        try expect("}", bytes)
        guard peek(bytes) == nil, let description, let isFortran, let shape else {
            throw malformed("expected descr, fortran_order and shape")
        }
        guard description == "<f4", !isFortran else {
            throw ModelFormatError(
                .unsupported,
                "\(name): expected float32 numbers ('<f4') in C order, found '\(description)'"
                    + (isFortran ? " in Fortran order" : "")
                    + "; save with numpy.ascontiguousarray(x, '<f4')")
        }
        return shape
    }

    private func malformed(_ problem: String) -> ModelFormatError {
        ModelFormatError(.malformed, "\(name): header byte \(position): \(problem)")
    }

    private mutating func peek(_ bytes: Span<UInt8>) -> UInt8? {
        while position < end {
            let byte = bytes[position]
            guard byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") else { return byte }
            position += 1
        }
        return nil
    }

    private mutating func expect(
        _ character: Unicode.Scalar, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        guard let byte = peek(bytes), UInt32(byte) == character.value else {
            throw malformed("expected \"\(character)\"")
        }
        position += 1
    }

    private mutating func text(_ bytes: Span<UInt8>) throws(ModelFormatError) -> String {
        guard let quote = peek(bytes), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
        else { throw malformed("expected a text in quotes") }
        position += 1
        let start = position
        while position < end, bytes[position] != quote { position += 1 }
        guard position < end, let text = bytes.text(start..<position), text.utf8.count <= 64 else {
            throw malformed("expected a short text in quotes")
        }
        position += 1
        return text
    }

    private mutating func truth(_ bytes: Span<UInt8>) throws(ModelFormatError) -> Bool {
        _ = peek(bytes)
        for (word, value) in [("True", true), ("False", false)] {
            let word = Array(word.utf8)
            if position + word.count <= end, bytes.holds(word, at: position) {
                position += word.count
                return value
            }
        }
        throw malformed("expected True or False")
    }

    private mutating func tuple(_ bytes: Span<UInt8>) throws(ModelFormatError) -> [Int] {
        try expect("(", bytes)
        var numbers: [Int] = []
        while let byte = peek(bytes), byte != UInt8(ascii: ")") {
            var number = 0
            let start = position
            while position < end, bytes[position] &- UInt8(ascii: "0") < 10 {
                let digit = Int(bytes[position] - UInt8(ascii: "0"))
                let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(digit)
                guard !overflow, !carry else { throw malformed("an extent beyond 63 bits") }
                number = sum
                position += 1
            }
            guard position > start else { throw malformed("expected a whole number") }
            numbers.append(number)
            if peek(bytes) == UInt8(ascii: ",") {
                position += 1
            } else if peek(bytes) != UInt8(ascii: ")") {
                throw malformed("expected \",\" or \")\"")
            }
        }
        try expect(")", bytes)
        return numbers
    }
}
