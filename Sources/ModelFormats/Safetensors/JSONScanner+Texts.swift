import Native

extension JSONScanner {
    /// Reads an object of texts by name, as `Safetensors.metadataText` writes it; values that are none are passed over.
    ///
    /// - Parameters:
    ///   - memory: the whole text.
    ///   - name: what messages call it.
    /// - Throws: `ModelFormatError` with code `.malformed` or `.limitExceeded`.
    static func texts(
        _ memory: Memory, name: String
    ) throws(ModelFormatError) -> [String: String] {
        var scanner = JSONScanner(at: 0, file: name)
        guard memory.bytes.text(0..<memory.byteCount) != nil else {
            throw scanner.malformed("expected UTF-8")
        }
        var texts: [String: String] = [:]
        try scanner.object(memory.bytes) { (scanner, bytes, key) throws(ModelFormatError) in
            if scanner.peek(bytes) == UInt8(ascii: "\"") {
                texts[key] = try scanner.string(bytes)
            } else {
                try scanner.skipValue(bytes)
            }
        }
        try scanner.end(memory.bytes)
        return texts
    }
}
