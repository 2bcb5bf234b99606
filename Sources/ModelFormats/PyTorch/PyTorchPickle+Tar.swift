import Native
import Tensors

/// The form of PyTorch's files before 0.1.10: a tar archive of storages, tensors and a pickle.
extension PyTorchPickle {
    private static let maximumCount = 20_000

    init(tar memory: Memory, name file: String) throws(ModelFormatError) {
        let archive = try TarArchive(memory, name: file)
        func entry(_ name: String) throws(ModelFormatError) -> Memory {
            guard let entry = archive.entries.first(where: { $0.name == name }) else {
                let names = archive.entries.prefix(3).map(\.name).joined(separator: ", ")
                throw ModelFormatError(
                    .missingEntry,
                    "\(file): expected a tar file with \"\(name)\", as early versions of torch.save wrote "
                        + "it, found \(archive.entries.count) entries (\(names)); if it packs a file of "
                        + "weights, unpack it first")
            }
            return entry.bytes
        }
        let pickle = try entry("pickle")
        var heap = PickleHeap()
        let parts = try Self.storages(in: try entry("storages"), file: file, heap: &heap)
        let tensors = try Self.tensors(in: try entry("tensors"), file: file, heap: &heap)
        var machine = PickleMachine(
            file: "\(file): pickle", at: 0, persistentValues: .table(tensors), heap: heap)
        let root = try machine.run(pickle.bytes)
        self.init(
            container: .pytorchTar, root: root, heap: machine.heap, storages: .memory(parts),
            file: file)
    }

    /// A count, then per storage a pickle `(key, place, class)`, a 64-bit number and the elements, then a
    /// pickle that lists parts of others.
    private static func storages(
        in memory: Memory, file: String, heap: inout PickleHeap
    ) throws(ModelFormatError) -> [String: Memory] {
        let name = "\(file): storages"
        var position = 0
        let count = try count(memory, at: &position, name: name)
        var parts: [String: Memory] = [:]
        for _ in 0..<count {
            let fields = try fields(3, memory, at: &position, name: name)
            guard let key = Self.key(fields[0]), case .global(.storage(let type)) = fields[2],
                parts[key] == nil
            else {
                throw ModelFormatError(.malformed, "\(name): expected a new key and a class")
            }
            let part = try part(
                in: memory, at: &position, elementType: type, name: "\(name): \(key)")
            parts[key] = part
            _ = heap.makeStorage(
                PickleStorage(
                    key: key, elementType: type,
                    count: part.byteCount / type.elementType.byteCount))
        }
        var machine = PickleMachine(file: name, at: position)
        let views = try machine.run(memory.bytes)
        guard let views = machine.heap.sequence(views), views.isEmpty else {
            throw ModelFormatError(
                .unsupported,
                "\(name): storages that are parts of others; save the file again with a newer PyTorch"
            )
        }
        return parts
    }

    /// A count, then per tensor a pickle `(key, storage key, class)`, the rank, sizes, strides and offset.
    private static func tensors(
        in memory: Memory, file: String, heap: inout PickleHeap
    ) throws(ModelFormatError) -> [String: PickleValue] {
        let name = "\(file): tensors"
        let indices = Dictionary(
            zip(heap.storages.map(\.key), 0...), uniquingKeysWith: { first, _ in first })
        let bytes = memory.bytes
        var position = 0
        let count = try count(memory, at: &position, name: name)
        var tensors: [String: PickleValue] = [:]
        for _ in 0..<count {
            let fields = try fields(3, memory, at: &position, name: name)
            guard let key = Self.key(fields[0]), let storage = Self.key(fields[1]) else {
                throw ModelFormatError(.malformed, "\(name): expected two keys")
            }
            guard let index = indices[storage] else {
                throw ModelFormatError(.missingEntry, "\(name): storage \(storage) is not there")
            }
            guard let rank = bytes.littleEndian(Int32.self, at: position), rank >= 0,
                rank <= PickleMachine.Limit.tensorRank
            else { throw ModelFormatError(.malformed, "\(name): expected the rank of \(key)") }
            // The rank takes 8 bytes, of which early versions filled 4.
            var numbers: [Int] = []
            for place in 0..<(2 * Int(rank) + 1) {
                guard let number = bytes.littleEndian(Int64.self, at: position + 8 + 8 * place)
                else { throw ModelFormatError(.malformed, "\(name): \(key) is cut short") }
                numbers.append(Int(number))
            }
            position += 8 + 8 * numbers.count
            var machine = PickleMachine(file: name, at: position, heap: heap)
            tensors[key] = try machine.makeTensor(
                storage: index, offset: numbers[2 * Int(rank)],
                sizes: Array(numbers[..<Int(rank)]),
                strides: Array(numbers[Int(rank)..<(2 * Int(rank))]))
            heap = machine.heap
        }
        return tensors
    }

    private static func count(
        _ memory: Memory, at position: inout Int, name: String
    ) throws(ModelFormatError) -> Int {
        var machine = PickleMachine(file: name, at: position)
        guard case .integer(let count) = try machine.run(memory.bytes), count >= 0 else {
            throw ModelFormatError(.malformed, "\(name): expected their number")
        }
        guard count <= maximumCount else {
            throw ModelFormatError(
                .limitExceeded, "\(name): expected at most \(maximumCount), found \(count)")
        }
        position = machine.position
        return count
    }

    private static func fields(
        _ count: Int, _ memory: Memory, at position: inout Int, name: String
    ) throws(ModelFormatError) -> [PickleValue] {
        var machine = PickleMachine(file: name, at: position)
        let value = try machine.run(memory.bytes)
        guard let fields = machine.heap.sequence(value), fields.count == count else {
            throw ModelFormatError(.malformed, "\(name): expected \(count) values")
        }
        position = machine.position
        return fields
    }

    private static func key(_ value: PickleValue) -> String? {
        switch value {
        case .integer(let number): String(number)
        case .string(let text): text
        default: nil
        }
    }
}
