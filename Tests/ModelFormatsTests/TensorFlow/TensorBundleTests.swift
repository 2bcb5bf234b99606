import ModelFormats
import Native
import SwiftProtobuf
import Tensors
import TestSupport
import Testing

@Suite("Checkpoints of TensorFlow")
struct TensorBundleTests {
    @Test("come back as they were written, texts and turned axes too")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let numbers = HostTensor((0..<24).map { Float($0) }, shape: [2, 3, 4])
        let half = try HostTensor(
            elementType: .float16, shape: [2], memory: Memory(copying: [0x3C00 as UInt16, 0]))
        let whole = try HostTensor(
            elementType: .int64, shape: [], memory: Memory(copying: [-5 as Int64]))
        try TensorBundle.write(
            [
                .init(name: "z/turned", tensor: numbers, axes: [2, 0, 1]),
                .init(name: "a", tensor: numbers), .init(name: "half", tensor: half),
                .init(name: "step", tensor: whole),
            ],
            texts: ["said": "größer als 127 Zeichen: " + String(repeating: "é", count: 300)],
            to: folder.file("model"))
        let elements = try Memory(mapping: folder.file("model.data-00000-of-00001"))
        let index = try Memory(mapping: folder.file("model.index"))
        var asked: [[Int]] = []
        let bundle = try TensorBundle(index: index, name: "model") {
            (number, count) throws(ModelFormatError) in
            asked.append([number, count])
            return elements
        }
        #expect(asked == [[0, 1]])
        let names = bundle.entries.map { $0.name }
        #expect(names == ["a", "half", "said", "step", "z/turned"])
        var found: [HostTensor?] = []
        for entry in bundle.entries {
            found.append(entry.isText ? nil : try bundle.tensor(entry))
        }
        #expect(found[0]?.floats() == numbers.floats())
        #expect(found[1]?.floats() == [1, 0])
        let step = found[3]?.elements(Int64.self)
        #expect(step == [-5])
        #expect(found[4]?.shape == [4, 2, 3])
        #expect(found[4]?.floats() == numbers.transposed([2, 0, 1]).floats())
        let text = try bundle.text(bundle.entries[2])
        let read = String(decoding: text ?? [], as: UTF8.self)
        #expect(read.hasPrefix("größer"))
        let none = try bundle.text(bundle.entries[0])
        #expect(none == nil)
    }

    @Test("cannot hold two tensors of one name, or one without")
    func names() throws {
        let folder = try TemporaryFolder()
        let tensor = HostTensor([1 as Float], shape: [1])
        for names in [["a", "a"], [""]] {
            let error = #expect(throws: ModelFormatError.self) {
                try TensorBundle.write(
                    names.map { .init(name: $0, tensor: tensor) }, to: folder.file("model"))
            }
            #expect(error?.code == .malformed)
        }
        #expect(try folder.names() == [])
    }

    private static let contradictions:
        [(
            header: @Sendable (inout TensorFlowBundleHeaderProto) -> Void,
            entry: @Sendable (inout TensorFlowBundleEntryProto) -> Void,
            code: ModelFormatError.Code
        )] = [
            ({ $0.endianness = .big }, { _ in }, .unsupported),
            ({ $0.numShards = 0 }, { _ in }, .limitExceeded),
            ({ $0.numShards = 5000 }, { _ in }, .limitExceeded),
            ({ _ in }, { $0.shardID = 1 }, .sizeMismatch),
            ({ _ in }, { $0.shardID = -1 }, .sizeMismatch),
            ({ _ in }, { $0.offset = -4 }, .sizeMismatch),
            ({ _ in }, { $0.offset = 5 }, .sizeMismatch),
            ({ _ in }, { $0.offset = .max }, .sizeMismatch),
            ({ _ in }, { $0.size = -8 }, .sizeMismatch),
            ({ _ in }, { $0.size = 4 }, .sizeMismatch),
            ({ _ in }, { $0.shape.dim[0].size = -2 }, .sizeMismatch),
            ({ _ in }, { $0.shape.dim[0].size = .max }, .sizeMismatch),
            ({ _ in }, { $0.shape.unknownRank = true }, .sizeMismatch),
            ({ _ in }, { $0.dtype = .dtDouble }, .sizeMismatch),
            ({ _ in }, { $0.crc32C ^= 1 }, .checksumMismatch),
            ({ _ in }, { $0.dtype = .dtComplex64 }, .unsupported),
            ({ _ in }, { $0.slices = [TensorFlowTensorSliceProto()] }, .unsupported),
        ]

    @Test("that contradict themselves are refused", arguments: contradictions.indices)
    func contradiction(index: Int) throws {
        let elements = Memory(copying: [1, 2] as [Float])
        var header = TensorFlowBundleHeaderProto()
        header.numShards = 1
        var entry = TensorFlowBundleEntryProto()
        entry.dtype = .dtFloat
        entry.shape = TensorFlowTensorShapeProto([2])
        entry.size = 8
        entry.crc32C = maskedCRC32C(elements.bytes)
        func read() throws(ModelFormatError) -> [Float] {
            guard let first: [UInt8] = try? header.serializedBytes(),
                let second: [UInt8] = try? entry.serializedBytes()
            else { return [] }
            let file = SortedTable.encode([
                .init(key: [], value: first), .init(key: [0x77], value: second),
            ])
            let bundle = try TensorBundle(index: Memory(copying: file), name: "index") {
                (_, _) throws(ModelFormatError) in elements
            }
            return try bundle.tensor(bundle.entries[0]).floats()
        }
        let plain = try read()
        #expect(plain == [1, 2])
        let (changeHeader, changeEntry, code) = Self.contradictions[index]
        changeHeader(&header)
        changeEntry(&entry)
        let error = #expect(throws: ModelFormatError.self) { try read() }
        #expect(error?.code == code)
    }
}
