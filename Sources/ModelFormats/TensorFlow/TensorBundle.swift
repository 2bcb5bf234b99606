package import Native
import SwiftProtobuf
package import Tensors

/// A checkpoint of TensorFlow, version 2: an index of names, and the elements in files beside it.
///
/// Source: TensorFlow 2.21, `tensorflow/core/util/tensor_bundle/tensor_bundle.h` and `tensor_bundle.proto`.
package struct TensorBundle: Sendable {
    /// One tensor as the index describes it.
    package struct Entry: Sendable, Hashable {
        /// The variable's name, or its place in a graph of objects.
        package let name: String
        /// What an element is; `nil` for what no tensor here has, such as texts.
        package let elementType: ElementType?
        /// Whether elements are texts.
        package let isText: Bool
        /// The extents, outermost first.
        package let shape: [Int]
        /// Whether it was saved in pieces.
        package let isPartitioned: Bool
        fileprivate let shard: Int
        fileprivate let offset: Int
        fileprivate let byteCount: Int
        fileprivate let checksum: UInt32
    }

    /// The tensors in the order of their names' bytes.
    package let entries: [Entry]
    private let shards: [Int: Memory]
    private let file: String

    /// Files that a checkpoint may be spread over.
    package static let maximumShardCount = 4096

    /// Bytes that a text may have; that of a graph of objects has some hundred thousand, and is decoded into twenty times
    /// as many at most.
    package static let maximumTextByteCount = 4 << 20

    /// Bytes that describe one tensor, or the whole: messages take much more memory once they are decoded.
    private static let maximumEntryByteCount = 1 << 16

    /// Reads an index, and takes hold of the files that it speaks of.
    ///
    /// - Parameters:
    ///   - index: the whole index file.
    ///   - file: what messages call it.
    ///   - shard: gives the bytes of a file of elements, by its number and their count.
    /// - Throws: `ModelFormatError` as `SortedTable` does, `.unsupported` for big-endian files, `.sizeMismatch`
    ///   where an entry contradicts itself or reaches outside its file, `.malformed` where two share bytes, and what
    ///   `shard` throws.
    package init(
        index: Memory, name file: String,
        shard: (_ number: Int, _ count: Int) throws(ModelFormatError) -> Memory
    ) throws(ModelFormatError) {
        let table = try SortedTable(index, name: file)
        for pair in table.entries where pair.value.count > Self.maximumEntryByteCount {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected entries of at most \(Self.maximumEntryByteCount) bytes, found "
                    + "\(pair.value.count)")
        }
        guard let first = table.entries.first, first.key.isEmpty,
            let header = try? TensorFlowBundleHeaderProto(serializedBytes: first.value)
        else {
            throw ModelFormatError(
                .malformed, "\(file): expected the header of a checkpoint of TensorFlow")
        }
        let count = Int(header.numShards)
        guard (1...Self.maximumShardCount).contains(count) else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): expected 1 to \(Self.maximumShardCount) files of elements, found \(count)"
            )
        }
        guard header.endianness == .little else {
            throw ModelFormatError(.unsupported, "\(file): its numbers are big-endian")
        }
        var entries: [Entry] = []
        entries.reserveCapacity(table.entries.count)
        for pair in table.entries.dropFirst() {
            // Pieces of tensors have keys that begin so; only the whole is asked for.
            if pair.key.first == 0 { continue }
            entries.append(try Self.entry(pair, shardCount: count, file))
        }
        var shards: [Int: Memory] = [:]
        for entry in entries where !entry.isPartitioned {
            let memory: Memory
            if let known = shards[entry.shard] {
                memory = known
            } else {
                memory = try shard(entry.shard, count)
                shards[entry.shard] = memory
            }
            guard entry.offset <= memory.byteCount,
                entry.byteCount <= memory.byteCount - entry.offset
            else {
                throw ModelFormatError(
                    .sizeMismatch,
                    "\(file): \(entry.name): expected \(entry.byteCount) bytes from byte "
                        + "\(entry.offset) of file \(entry.shard), which has \(memory.byteCount); "
                        + "it may be cut short")
            }
        }
        try Self.checkOverlaps(entries, file)
        self.entries = entries
        self.shards = shards
        self.file = file
    }

    /// Refuses entries that share bytes, which could make terabytes of a small file once all are read.
    ///
    /// All lie inside their files, so that their ends are numbers.
    private static func checkOverlaps(
        _ entries: [Entry], _ file: String
    ) throws(ModelFormatError) {
        let sorted = entries.filter { !$0.isPartitioned && $0.byteCount > 0 }
            .sorted { ($0.shard, $0.offset) < ($1.shard, $1.offset) }
        for (first, second) in zip(sorted, sorted.dropFirst())
        where first.shard == second.shard && second.offset < first.offset + first.byteCount {
            throw ModelFormatError(
                .malformed,
                "\(file): \(first.name) and \(second.name) lie on the same bytes of file "
                    + "\(first.shard)")
        }
    }

    /// A tensor's elements, in the file; their checksum is compared.
    ///
    /// - Throws: `ModelFormatError` with code `.unsupported` for elements that no tensor here has and for tensors
    ///   saved in pieces, or `.checksumMismatch`.
    package func tensor(_ entry: Entry) throws(ModelFormatError) -> HostTensor {
        guard !entry.isPartitioned else {
            throw ModelFormatError(
                .unsupported,
                "\(file): \(entry.name) was saved in pieces by a partitioner; restore it in "
                    + "TensorFlow and save it whole")
        }
        guard let elementType = entry.elementType else {
            throw ModelFormatError(
                .unsupported, "\(file): \(entry.name): elements of this type are not read")
        }
        let bytes = try bytes(entry)
        let found = maskedCRC32C(bytes.bytes)
        guard found == entry.checksum else {
            throw ModelFormatError(
                .checksumMismatch,
                "\(file): \(entry.name): the elements are damaged; fetch the files again")
        }
        do {
            let shape = try Shape(validating: entry.shape)
            return try HostTensor(elementType: elementType, shape: shape, memory: bytes)
        } catch {
            throw ModelFormatError(.sizeMismatch, "\(file): \(entry.name): \(error.message)")
        }
    }

    /// A single text; `nil` for anything else.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed` or `.checksumMismatch`.
    package func text(_ entry: Entry) throws(ModelFormatError) -> [UInt8]? {
        guard entry.isText, entry.shape.isEmpty, !entry.isPartitioned else { return nil }
        guard entry.byteCount <= Self.maximumTextByteCount else {
            throw ModelFormatError(
                .limitExceeded,
                "\(file): \(entry.name): expected a text of at most "
                    + "\(Self.maximumTextByteCount) bytes, found \(entry.byteCount)")
        }
        let stored = try bytes(entry).array
        var reader = TableBytes(stored)
        guard let count = reader.count(), let stated = reader.littleEndian(byteCount: 4),
            let text = reader.bytes(count), reader.isAtEnd
        else {
            throw ModelFormatError(.malformed, "\(file): \(entry.name): the text is damaged")
        }
        let sums = TextSums(Array(text))
        guard UInt32(stated) == sums.lengths, sums.whole == entry.checksum else {
            throw ModelFormatError(
                .checksumMismatch, "\(file): \(entry.name): the text is damaged")
        }
        return Array(text)
    }

    private func bytes(_ entry: Entry) throws(ModelFormatError) -> Memory {
        guard
            let bytes = shards[entry.shard]?.slice(
                offset: entry.offset, byteCount: entry.byteCount)
        else { throw ModelFormatError(.sizeMismatch, "\(file): \(entry.name) is cut short") }
        return bytes
    }

    private static func entry(
        _ pair: SortedTable.Entry, shardCount: Int, _ file: String
    ) throws(ModelFormatError) -> Entry {
        guard let name = String(validating: pair.key, as: UTF8.self),
            let said = try? TensorFlowBundleEntryProto(serializedBytes: pair.value)
        else {
            throw ModelFormatError(.malformed, "\(file): an entry of the index is damaged")
        }
        let extents = said.shape.dim.compactMap { Int(exactly: $0.size) }
        guard (0..<shardCount).contains(Int(said.shardID)), !said.shape.unknownRank,
            extents.count == said.shape.dim.count, extents.count <= 32,
            let shape = try? Shape(validating: extents),
            let offset = Int(exactly: said.offset), offset >= 0,
            let byteCount = Int(exactly: said.size), byteCount >= 0
        else {
            throw ModelFormatError(
                .sizeMismatch, "\(file): \(name): expected a shape, a file and a place in it")
        }
        let elementType = elementType(said.dtype)
        if let elementType, said.slices.isEmpty {
            let (needed, overflow) = shape.elementCount.multipliedReportingOverflow(
                by: elementType.byteCount)
            guard !overflow, needed == byteCount else {
                throw ModelFormatError(
                    .sizeMismatch,
                    "\(file): \(name): expected \(needed) bytes for \(elementType.rawValue) "
                        + "\(shape), found \(byteCount)")
            }
        }
        return Entry(
            name: name, elementType: elementType, isText: said.dtype == .dtString,
            shape: extents, isPartitioned: !said.slices.isEmpty, shard: Int(said.shardID),
            offset: offset, byteCount: byteCount, checksum: said.crc32C)
    }

    private static func elementType(_ type: TensorFlowDataType) -> ElementType? {
        switch type {
        case .dtFloat: .float32
        case .dtDouble: .float64
        case .dtHalf: .float16
        case .dtBfloat16: .bfloat16
        case .dtInt64: .int64
        case .dtInt32: .int32
        case .dtInt16: .int16
        case .dtInt8: .int8
        case .dtUint8: .uint8
        case .dtBool: .bool
        default: nil
        }
    }
}

/// The checksums of a single text.
struct TextSums {
    /// Of its length, as the file holds it.
    let lengths: UInt32
    /// Of all, as the index holds it.
    let whole: UInt32

    init(_ text: [UInt8]) {
        var length: [UInt8] = []
        // A length beyond 32 bits would be summed as 64.
        length.append(littleEndian: UInt32(truncatingIfNeeded: text.count))
        let sum = crc32c(length.span)
        lengths = masked(crc32c: sum)
        var stored: [UInt8] = []
        stored.append(littleEndian: lengths)
        let before = crc32c(stored.span, continuing: sum)
        whole = masked(crc32c: crc32c(text.span, continuing: before))
    }
}
