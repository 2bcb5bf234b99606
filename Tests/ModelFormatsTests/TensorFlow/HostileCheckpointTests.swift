import ModelFormats
import Native
import SwiftProtobuf
import Tensors
import Testing

/// Indices whose blocks and checksums are right, and whose entries are not what TensorFlow writes.
@Suite("Hostile checkpoints")
struct HostileCheckpointTests {
    /// A float32 variable as an index describes it.
    private struct Variable {
        var name: String
        var shape: [Int]
        var offset = 0
        var byteCount = 0
    }

    /// The code with which a network is refused; `nil` where it is read.
    private static func failure(
        _ variables: [Variable], elements: [Float] = []
    ) throws -> ModelFormatError.Code? {
        let memory = Memory(copying: elements)
        var header = TensorFlowBundleHeaderProto()
        header.numShards = 1
        var entries = [SortedTable.Entry(key: [], value: try header.serializedBytes())]
        for variable in variables {
            var entry = TensorFlowBundleEntryProto()
            entry.dtype = .dtFloat
            entry.shape = TensorFlowTensorShapeProto(variable.shape)
            entry.offset = Int64(variable.offset)
            entry.size = Int64(variable.byteCount)
            let part = try #require(
                memory.slice(offset: variable.offset, byteCount: variable.byteCount))
            entry.crc32C = maskedCRC32C(part.bytes)
            entries.append(
                .init(key: Array(variable.name.utf8), value: try entry.serializedBytes()))
        }
        let index = SortedTable.encode(entries)
        do throws(ModelFormatError) {
            _ = try tensorFlowNetwork(
                index: Memory(copying: index), elements: memory, name: "hostile")
            return nil
        } catch {
            return error.code
        }
    }

    private static let block = "conv2_block1_1_conv/kernel"

    @Test(
        "of parameters without elements, whatever their other extents, are refused",
        arguments: [[0, 1, 1 << 40, 1 << 40], [0, 0, 3, 1 << 60], [0, 0, 0, 0]])
    func empty(shape: [Int]) throws {
        #expect(try Self.failure([.init(name: Self.block, shape: shape)]) == .sizeMismatch)
        let block = Variable(name: Self.block, shape: [1, 1, 1, 1], byteCount: 4)
        #expect(try Self.failure([block], elements: [1]) == nil)
        let stem = Variable(name: "conv1_conv/kernel", shape: shape)
        #expect(try Self.failure([stem, block], elements: [1]) == .sizeMismatch)
    }

    @Test("whose entries, or whose header, are longer than any that is written are refused")
    func longEntries() throws {
        // Every axis takes two bytes, and twenty times as many once it is decoded.
        let shape = [Int](repeating: 0, count: 40_000)
        #expect(try Self.failure([.init(name: "a", shape: shape)]) == .limitExceeded)
        let header = [UInt8](repeating: 0, count: (1 << 16) + 1)
        let index = SortedTable.encode([.init(key: [], value: header)])
        let error = #expect(throws: ModelFormatError.self) {
            try tensorFlowNetwork(
                index: Memory(copying: index), elements: Memory(copying: [] as [Float]),
                name: "hostile")
        }
        #expect(error?.code == .limitExceeded)
    }

    @Test("whose variables share bytes are refused; empty ones share none")
    func overlaps() throws {
        let first = Variable(name: "a", shape: [2], byteCount: 8)
        for offset in [0, 4] {
            let second = Variable(name: "b", shape: [1], offset: offset, byteCount: 4)
            #expect(try Self.failure([first, second], elements: [1, 2]) == .malformed)
        }
        let behind = Variable(name: "b", shape: [1], offset: 8, byteCount: 4)
        let empty = Variable(name: "c", shape: [0], offset: 4)
        #expect(try Self.failure([first, behind, empty], elements: [1, 2, 3]) == nil)
    }
}
