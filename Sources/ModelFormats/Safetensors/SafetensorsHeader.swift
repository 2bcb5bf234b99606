package import Native

/// The JSON header of a safetensors file, checked against the file's size.
///
/// Accepts and rejects exactly what the `safetensors` package 0.8.0 does, which the tests replay; where that
/// package is laxer than the format's own text (a repeated tensor name: the last one counts), so is this.
package struct SafetensorsHeader: Sendable {
    /// One tensor as the header describes it.
    package struct Entry: Sendable, Equatable {
        /// The tensor's name.
        package let name: String
        /// What an element is.
        package let elementType: SafetensorsElementType
        /// The extents; one may exceed what an `Int` holds where another is 0.
        package let shape: [UInt64]
        /// Where the bytes are, from the first byte after the header.
        package let range: Range<Int>
    }

    /// The tensors in the order of their bytes.
    package let entries: [Entry]
    /// The texts under `__metadata__`.
    package let metadata: [String: String]
    /// Names that occur more than once; the last occurrence is the one in `entries`.
    package let repeatedNames: [String]
    /// Where the tensors' bytes begin in the file.
    package let dataOffset: Int

    /// Bytes that a header may have.
    package static let maximumByteCount = 100_000_000

    /// Reads and checks the header of a whole file.
    package init(_ memory: Memory, name file: String) throws(ModelFormatError) {
        let bytes = memory.bytes
        guard let length = bytes.littleEndian(UInt64.self, at: 0) else {
            throw ModelFormatError(
                .malformed,
                "\(file): expected the 8 bytes of a header's length, found \(bytes.count) bytes")
        }
        guard length <= UInt64(Self.maximumByteCount) else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected a header of at most \(Self.maximumByteCount) bytes, found \(length)"
            )
        }
        guard length <= UInt64(bytes.count - 8) else {
            throw ModelFormatError(
                .malformed,
                "\(file): expected a header of \(length) bytes, found \(bytes.count - 8); "
                    + "the file may be cut short")
        }
        let end = 8 + Int(length)
        let header = bytes.extracting(8..<end)
        guard (try? UTF8Span(validating: header)) != nil else {
            throw ModelFormatError(.malformed, "\(file): the header is not UTF-8 text")
        }
        var parser = SafetensorsHeaderParser(file: file)
        try parser.parse(header)
        dataOffset = end
        metadata = parser.metadata
        repeatedNames = parser.repeatedNames
        entries = try Self.placed(parser.tensors, dataByteCount: bytes.count - end, file: file)
    }

    /// Checks that the tensors' bytes follow each other without holes or overlap up to the file's end.
    private static func placed(
        _ tensors: [SafetensorsHeaderParser.Tensor], dataByteCount: Int, file: String
    ) throws(ModelFormatError) -> [Entry] {
        let sorted = tensors.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
        var entries: [Entry] = []
        entries.reserveCapacity(sorted.count)
        var expected: UInt64 = 0
        for tensor in sorted {
            guard tensor.start == expected, tensor.end >= tensor.start else {
                throw ModelFormatError(
                    .malformed,
                    "\(file): tensor \(tensor.name): expected bytes from \(expected), found "
                        + "\(tensor.start) to \(tensor.end); tensors must not overlap or leave holes"
                )
            }
            var bits: UInt64 = 1
            for factor in tensor.shape + [UInt64(tensor.elementType.bitCount)] {
                let (product, overflow) = bits.multipliedReportingOverflow(by: factor)
                guard !overflow else {
                    throw ModelFormatError(
                        .limitExceeded,
                        "\(file): tensor \(tensor.name): the size of shape \(tensor.shape) overflows"
                    )
                }
                bits = product
            }
            guard bits % 8 == 0, bits / 8 == tensor.end - tensor.start else {
                throw ModelFormatError(
                    .sizeMismatch,
                    "\(file): tensor \(tensor.name): expected \(bits) bits for "
                        + "\(tensor.elementType.rawValue) \(tensor.shape), found "
                        + "\(tensor.end - tensor.start) bytes")
            }
            expected = tensor.end
            guard expected <= UInt64(dataByteCount) else { break }
            entries.append(
                Entry(
                    name: tensor.name, elementType: tensor.elementType, shape: tensor.shape,
                    range: Int(tensor.start)..<Int(tensor.end)))
        }
        guard expected == UInt64(dataByteCount) else {
            throw ModelFormatError(
                .malformed,
                "\(file): expected \(expected) bytes of tensors, found \(dataByteCount); "
                    + "the file may be cut short or have something appended")
        }
        return entries
    }
}
