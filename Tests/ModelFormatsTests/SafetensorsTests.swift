import ModelFormats
import Native
import Tensors
import TestSupport
import Testing

@Suite("Safetensors")
struct SafetensorsTests {
    @Test("writes the Python package's bytes", arguments: ["plain", "types"])
    func sameBytes(name: String) throws {
        let path = Fixtures.weights("\(name).safetensors")
        let file = try WeightFile(contentsOf: path)
        let folder = try TemporaryFolder()
        try Safetensors.write(
            tensors: file.tensors.reversed(), metadata: file.metadata, to: folder.file("copy"))
        #expect(try Fixtures.bytes(folder.file("copy")) == Fixtures.bytes(path))
        #expect(try folder.names() == ["copy"])
    }

    @Test("reads back what it wrote, names and texts of all kinds included")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let tensors = [
            NamedTensor(
                name: "a \"b\"\n\u{1}é😀", tensor: HostTensor([1, -2, Float.infinity], shape: [3])),
            NamedTensor(name: "empty", tensor: HostTensor([Float](), shape: [0, 4])),
            NamedTensor(name: "", tensor: HostTensor([Double](arrayLiteral: 0.1), shape: [])),
            NamedTensor(
                name: "bytes", tensor: HostTensor([UInt8](arrayLiteral: 1, 2, 3), shape: [3])),
        ]
        let metadata = ["k\u{7F}\u{1F}": "v\\/", "z": "", "a": "名"]
        try Safetensors.write(tensors: tensors, metadata: metadata, to: folder.file("w"))
        let contents = try Safetensors.read(Memory(mapping: folder.file("w")), name: "w")
        #expect(contents.metadata == metadata)
        #expect(contents.tensors.map(\.name) == ["", "a \"b\"\n\u{1}é😀", "empty", "bytes"])
        #expect(contents.tensors[0].tensor.doubles() == [0.1])
        #expect(contents.tensors[1].tensor.floats() == [1, -2, .infinity])
        #expect(contents.tensors[2].tensor.shape == [0, 4])
        #expect(contents.tensors[3].tensor.floats() == [1, 2, 3])
    }

    @Test("notes a repeated name")
    func repeatedName() throws {
        let info = #"{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#
        let header = "{\"a\":\(info),\"a\":\(info)}"
        let file = littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + [7]
        let contents = try Safetensors.read(Memory(copying: file), name: "w")
        #expect(contents.repeatedNames == ["a"])
        #expect(contents.tensors.count == 1)
    }

    @Test("refuses an element type that no tensor here has")
    func unsupportedType() {
        let header = #"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#
        let file = littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + [7]
        let error = #expect(throws: ModelFormatError.self) {
            try Safetensors.read(Memory(copying: file), name: "w")
        }
        #expect(error?.code == .unsupported)
    }

    @Test("refuses to write a name twice, or metadata's")
    func duplicateNames() throws {
        let folder = try TemporaryFolder()
        let one = HostTensor([Float](arrayLiteral: 1), shape: [1])
        for names in [["a", "a"], ["__metadata__"]] {
            let error = #expect(throws: ModelFormatError.self) {
                try Safetensors.write(
                    tensors: names.map { NamedTensor(name: $0, tensor: one) },
                    to: folder.file("w"))
            }
            #expect(error?.code == .malformed)
        }
        #expect(try folder.names() == [])
    }

    @Test("writes nothing where it cannot")
    func cannotWrite() throws {
        let folder = try TemporaryFolder()
        let missing = #expect(throws: ModelFormatError.self) {
            try Safetensors.write(tensors: [], to: folder.file("none/w"))
        }
        #expect(missing?.code == .notFound)
        let isFolder = #expect(throws: ModelFormatError.self) {
            try Safetensors.write(tensors: [], to: folder.path)
        }
        #expect(isFolder?.code == .cannotWrite)
    }
}
