import Native

extension Dataset {
    /// SHA-256 over class names and every sample's name, label and byte count, in hexadecimal digits.
    ///
    /// It changes with whatever changes what is learnt, except where a picture's bytes are replaced by as many others: it is
    /// meant to notice that a run goes on with other data, and reads no picture.
    ///
    /// - Throws: `DatasetError` with code `.unreadable` where the library has no such hash.
    public func digest() throws(DatasetError) -> String {
        do throws(NativeError) {
            var hash = try SHA256()
            var buffer: [UInt8] = []
            func add(_ text: String) {
                buffer.append(littleEndian: UInt32(truncatingIfNeeded: text.utf8.count))
                buffer += text.utf8
            }
            add("samples 1")
            buffer.append(littleEndian: UInt64(classNames.count))
            for name in classNames { add(name) }
            for sample in samples {
                add(sample.name)
                buffer.append(littleEndian: UInt64(sample.label))
                buffer.append(littleEndian: Int64(source.byteCount(of: sample) ?? -1))
                if buffer.count > 1 << 16 {
                    try hash.update(buffer.span)
                    buffer.removeAll(keepingCapacity: true)
                }
            }
            try hash.update(buffer.span)
            return try hash.finish()
        } catch {
            throw DatasetError(.unreadable, "\(name): no digest: \(error.message)")
        }
    }
}
