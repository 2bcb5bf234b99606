import Native

extension SortedTable {
    /// The bytes of a table, uncompressed, as TensorFlow writes them.
    ///
    /// - Parameter entries: what it holds, in the order of their keys' bytes, no key twice.
    /// - Precondition: the keys are in order.
    package static func encode(_ entries: [Entry]) -> [UInt8] {
        var file: [UInt8] = []
        var index: [Entry] = []
        var block = TableBlock()
        var last: [UInt8]?
        func pointer(_ block: [UInt8]) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.append(varint: UInt64(file.count))
            bytes.append(varint: UInt64(block.count))
            return bytes
        }
        func append(_ block: [UInt8]) {
            let covered = block + [0]
            file += covered
            file.append(littleEndian: maskedCRC32C(covered.span))
        }
        for entry in entries {
            precondition(last.map { $0.lexicographicallyPrecedes(entry.key) } ?? true)
            block.append(entry)
            last = entry.key
            if block.byteCount >= TableBlock.targetByteCount {
                let bytes = block.finish()
                index.append(Entry(key: entry.key, value: pointer(bytes)))
                append(bytes)
                block = TableBlock()
            }
        }
        if !block.isEmpty, let last {
            let bytes = block.finish()
            index.append(Entry(key: last, value: pointer(bytes)))
            append(bytes)
        }
        var footer: [UInt8] = []
        // Of blocks about blocks there is none.
        let meta = TableBlock().finish()
        footer += pointer(meta)
        append(meta)
        var indexBlock = TableBlock(restartInterval: 1)
        for entry in index { indexBlock.append(entry) }
        let indexBytes = indexBlock.finish()
        footer += pointer(indexBytes)
        append(indexBytes)
        footer += [UInt8](repeating: 0, count: 40 - footer.count)
        footer.append(littleEndian: 0xDB47_7524_8B80_FB57 as UInt64)
        return file + footer
    }

    /// The bytes of a table of one block, given as it stands in the file: what fuzzers and tests of broken blocks need,
    /// since whatever is changed behind a checksum ends there.
    ///
    /// - Parameters:
    ///   - block: the block, entries and restarts, or what a compressor made of them.
    ///   - compression: how it says that it is compressed.
    ///   - index: the block about blocks; one that names the block, where `nil`.
    ///   - meta: the other block about blocks; an empty one, where `nil`.
    package static func encode(
        block: [UInt8], compression: UInt8, index: [UInt8]? = nil, meta: [UInt8]? = nil
    ) -> [UInt8] {
        var file: [UInt8] = []
        func append(_ contents: [UInt8], _ kind: UInt8 = 0) -> [UInt8] {
            var place: [UInt8] = []
            place.append(varint: UInt64(file.count))
            place.append(varint: UInt64(contents.count))
            let covered = contents + [kind]
            file += covered
            file.append(littleEndian: maskedCRC32C(covered.span))
            return place
        }
        let place = append(block, compression)
        var usual = TableBlock(restartInterval: 1)
        usual.append(Entry(key: [0x7F], value: place))
        var footer = append(meta ?? TableBlock().finish())
        footer += append(index ?? usual.finish())
        footer += [UInt8](repeating: 0, count: 40 - footer.count)
        footer.append(littleEndian: 0xDB47_7524_8B80_FB57 as UInt64)
        return file + footer
    }
}

/// A block of a table being written.
private struct TableBlock {
    /// Bytes after which a block ends.
    static let targetByteCount = 256 << 10

    private var bytes: [UInt8] = []
    private var restarts: [UInt32] = [0]
    private var count = 0
    private var lastKey: [UInt8] = []
    /// Entries between two whose keys stand there in full.
    private let restartInterval: Int

    init(restartInterval: Int = 16) { self.restartInterval = restartInterval }

    var byteCount: Int { bytes.count }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ entry: SortedTable.Entry) {
        var shared = 0
        if count % restartInterval != 0 {
            shared = zip(lastKey, entry.key).prefix { $0 == $1 }.count
        } else if count > 0 {
            restarts.append(UInt32(bytes.count))
        }
        bytes.append(varint: UInt64(shared))
        bytes.append(varint: UInt64(entry.key.count - shared))
        bytes.append(varint: UInt64(entry.value.count))
        bytes += entry.key[shared...]
        bytes += entry.value
        lastKey = entry.key
        count += 1
    }

    /// The block's bytes, without what follows it in a file.
    func finish() -> [UInt8] {
        var bytes = bytes
        for restart in restarts { bytes.append(littleEndian: restart) }
        bytes.append(littleEndian: UInt32(restarts.count))
        return bytes
    }
}
