import Native
import Tensors

/// The form of PyTorch's files from 0.1.10 to 1.5: five pickles in a row, then the storages' elements.
extension PyTorchPickle {
    /// Where the first pickle, the magic number, ends; `nil` for other bytes.
    static func legacyStart(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.holds([0x80], at: 0) else { return nil }
        // Protocol 4 and later put a frame around the number.
        let start = bytes.holds([0x95], at: 2) ? 11 : 2
        let number: [UInt8] = [
            0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
        ]
        return bytes.holds(number, at: start) ? start + number.count : nil
    }

    init(legacy memory: Memory, startingAt start: Int, name file: String) throws(ModelFormatError) {
        let bytes = memory.bytes
        var machine = PickleMachine(file: file, at: start)
        guard case .integer(1001) = try machine.run(bytes) else {
            throw ModelFormatError(
                .unsupported, "\(file): expected version 1001 of PyTorch's older format")
        }
        machine = PickleMachine(file: file, at: machine.position)
        guard case .dictionary(let index) = try machine.run(bytes),
            case .boolean(true) = machine.heap.dictionary(index).value("little_endian")
        else {
            throw ModelFormatError(
                .unsupported, "\(file): written on a big-endian machine; only little is read")
        }
        var objects = PickleMachine(file: file, at: machine.position)
        let root = try objects.run(bytes)
        machine = PickleMachine(file: file, at: objects.position)
        let keys = try machine.run(bytes)
        guard let keys = machine.heap.sequence(keys) else {
            throw ModelFormatError(
                .malformed, "\(file): expected a list of storages, found \(keys.kind)")
        }
        let parts = try Self.parts(
            keys, described: objects.heap.storages, in: memory, at: machine.position, file: file)
        self.init(
            container: .pytorchLegacy, root: root, heap: objects.heap, storages: .memory(parts),
            file: file)
    }

    /// Cuts out the storages, which follow each other, each after its number of elements.
    private static func parts(
        _ keys: [PickleValue], described storages: [PickleStorage], in memory: Memory,
        at start: Int, file: String
    ) throws(ModelFormatError) -> [String: Memory] {
        let types = Dictionary(storages.map { ($0.key, $0.elementType) }) { first, _ in first }
        var parts: [String: Memory] = [:]
        var position = start
        for key in keys {
            guard case .string(let key) = key else {
                throw ModelFormatError(
                    .malformed, "\(file): expected the key of a storage, found \(key.kind)")
            }
            guard let type = types[key] else {
                throw ModelFormatError(
                    .missingEntry, "\(file): storage \(key.debugDescription) is not described")
            }
            guard parts[key] == nil else {
                throw ModelFormatError(
                    .malformed, "\(file): storage \(key.debugDescription) occurs twice")
            }
            parts[key] = try part(
                in: memory, at: &position, elementType: type, name: "\(file): storage \(key)")
        }
        return parts
    }

    /// Cuts out one storage: a 64-bit number of elements, then the elements.
    static func part(
        in memory: Memory, at position: inout Int, elementType: PickleElementType, name: String
    ) throws(ModelFormatError) -> Memory {
        guard let count = memory.bytes.littleEndian(Int64.self, at: position), count >= 0 else {
            throw ModelFormatError(.malformed, "\(name): expected its number of elements")
        }
        let (byteCount, overflow) = Int(count).multipliedReportingOverflow(
            by: elementType.elementType.byteCount)
        guard !overflow, let part = memory.slice(offset: position + 8, byteCount: byteCount) else {
            throw ModelFormatError(
                .malformed, "\(name): \(count) elements announced, the file is cut short")
        }
        position += 8 + byteCount
        return part
    }
}
