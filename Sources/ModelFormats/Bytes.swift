import Native

extension Span where Element == UInt8 {
    /// The little-endian number at an offset, or `nil` where it would reach outside.
    func littleEndian<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value? {
        let width = Value.bitWidth / 8
        guard offset >= 0, offset <= count, count - offset >= width else { return nil }
        var value: Value = 0
        for index in 0..<width {
            value |= Value(truncatingIfNeeded: self[offset + index]) << (8 * index)
        }
        return value
    }

    /// Whether these bytes stand at an offset.
    func holds(_ text: StaticString, at offset: Int) -> Bool {
        holds(Array(text.description.utf8), at: offset)
    }

    /// Whether these bytes stand at an offset.
    func holds(_ expected: [UInt8], at offset: Int) -> Bool {
        guard offset >= 0, offset <= count, count - offset >= expected.count else { return false }
        for index in expected.indices where self[offset + index] != expected[index] {
            return false
        }
        return true
    }

    /// Some bytes as text, or `nil` where they are not UTF-8.
    ///
    /// - Precondition: the range is within the bytes.
    func text(_ range: Range<Int>) -> String? {
        String(validating: copy(range), as: UTF8.self)
    }

    /// A copy of some bytes.
    ///
    /// - Precondition: the range is within the bytes.
    func copy(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        for index in range { result.append(self[index]) }
        return result
    }
}

extension Memory {
    /// Maps a file, or copies the few bytes of an in-memory list.
    static func file(_ path: String) throws(ModelFormatError) -> Memory {
        do {
            return try Memory(mapping: path)
        } catch {
            throw ModelFormatError(reading: path, error)
        }
    }

    /// Maps a file that another file, or a folder, leads to: a regular one in the folder or below it, behind no link.
    ///
    /// - Throws: `ModelFormatError` with code `.forbidden` for a name or a link that is not followed, `.missingEntry`,
    ///   `.inputOutput`.
    static func member(_ name: String, of folder: String) throws(ModelFormatError) -> Memory {
        do {
            return try Memory(mapping: name, beneath: folder)
        } catch {
            let code: ModelFormatError.Code =
                switch error.code {
                case .addressRefused: .forbidden
                case .notFound: .missingEntry
                default: .inputOutput
                }
            throw ModelFormatError(code, error.message)
        }
    }
}
