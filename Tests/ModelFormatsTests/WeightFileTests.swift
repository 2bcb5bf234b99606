import ModelFormats
import Native
import Tensors
import TestSupport
import Testing

@Suite("Weight files")
struct WeightFileTests {
    /// What torch finds in one selection of one file.
    struct Expectation: CustomTestStringConvertible {
        let file: String
        let selection: WeightFile.Selection
        var rows: [[String]]

        var testDescription: String { "\(file), \(selection.rawValue)" }
    }

    static let expectations: [Expectation] = {
        guard let table = try? Fixtures.table("expected.tsv") else { return [] }
        var result: [Expectation] = []
        for row in table {
            let selection = WeightFile.Selection(rawValue: row[1]) ?? .default
            if let last = result.last, last.file == row[0], last.selection == selection {
                result[result.count - 1].rows.append(row)
            } else {
                result.append(Expectation(file: row[0], selection: selection, rows: [row]))
            }
        }
        return result
    }()

    @Test("hold what torch finds in them", arguments: expectations)
    func contents(expected: Expectation) throws {
        let file = try WeightFile(
            contentsOf: Fixtures.weights(expected.file), selection: expected.selection)
        #expect(file.container.rawValue == expected.rows[0][2])
        // Safetensors files are read in the order of their bytes, which is not the order of making.
        let isOrdered = file.container != .safetensors
        let names = file.tensors.map(\.name)
        let wanted = expected.rows.map { $0[3] }
        #expect(isOrdered ? names == wanted : Set(names) == Set(wanted))
        for row in expected.rows {
            let found = try #require(file.tensors.first { $0.name == row[3] }).tensor
            #expect(found.elementType.rawValue == row[4], "\(row[3])")
            #expect(found.shape.dimensions == row[5].split(separator: ",").compactMap { Int($0) })
            #expect(found.doubles() == row[6].split(separator: " ").compactMap { Double($0) })
        }
    }

    @Test("are expected to be many")
    func expectationsAreRead() {
        #expect(Self.expectations.count >= 30)
    }

    @Test("tell what a training checkpoint says of itself")
    func checkpointNotes() throws {
        let nvidia = try WeightFile(contentsOf: Fixtures.weights("nvidia.pth.tar"))
        #expect(nvidia.metadata == ["arch": "resnet50", "epoch": "90", "best_prec1": "78.41"])
        #expect(nvidia.notes.contains("weights from state_dict of a training checkpoint"))
        #expect(nvidia.notes.contains("epoch 90"))
        let torchvision = try WeightFile(contentsOf: Fixtures.weights("torchvision.pth"))
        #expect(torchvision.metadata["arch"] == "resnet50")
        #expect(torchvision.metadata["epoch"] == "599")
    }

    @Test("give the texts of a safetensors header")
    func safetensorsMetadata() throws {
        let file = try WeightFile(contentsOf: Fixtures.weights("types.safetensors"))
        #expect(file.metadata == ["title": "a \"name\"\n\té\u{1}"])
    }

    @Test("without averaged weights say so", arguments: ["zip.pth", "plain.safetensors"])
    func noAverage(name: String) {
        let error = #expect(throws: ModelFormatError.self) {
            try WeightFile(contentsOf: Fixtures.weights(name), selection: .ema)
        }
        #expect(error?.code == .noWeights)
    }

    @Test("with averaged weights alone point at them")
    func onlyAverage() {
        let error = #expect(throws: ModelFormatError.self) {
            try WeightFile(contentsOf: Fixtures.weights("only-ema.pth"))
        }
        #expect(error?.code == .noWeights)
        #expect(error?.message.contains("EMA") == true)
    }

    @Test("are told by their bytes, not their names")
    func misleadingName() throws {
        let folder = try TemporaryFolder()
        let bytes = try Fixtures.bytes(Fixtures.weights("plain.safetensors"))
        let file = try WeightFile(contentsOf: try folder.write(bytes, to: "weights.pth"))
        #expect(file.container == .safetensors)
    }

    @Test(
        "of other kinds are named",
        arguments: [
            ("an HTML page", Array("\n<!DOCTYPE html><html>".utf8)),
            ("an XML file", Array("<?xml version=\"1.0\"?><Error/>".utf8)),
            ("a JSON file", Array("{\"error\": \"not found\"}".utf8)),
            ("an HDF5 file", bytes([0x89], Array("HDF\r\n".utf8), [0x1A, 10])),
            ("a Git LFS pointer", Array("version https://git-lfs.github.com/spec/v1\n".utf8)),
            ("a gzip file", [0x1F, 0x8B, 8, 0]), ("a JPEG image", [0xFF, 0xD8, 0xFF, 0xE0]),
            ("an empty file", []), ("zeros only", [UInt8](repeating: 0, count: 64)),
            ("torch.save did not write", [0x80, 4, 0x4B, 1, 0x2E]),
            ("bytes that begin 01 02 03", [1, 2, 3]),
            ("a SavedModel's graph under another name", [8, 1, 0x12, 0xC9, 0x4F, 10]),
        ])
    func otherKinds(description: String, bytes: [UInt8]) {
        let error = #expect(throws: ModelFormatError.self) {
            try WeightFile(reading: Memory(copying: bytes), name: "weights.pth")
        }
        #expect(error?.code == .unknownFormat)
        #expect(error?.message.contains(description) == true, "\(error?.message ?? "")")
    }

    @Test("that are folders or missing are told apart")
    func noFile() throws {
        let folder = try TemporaryFolder()
        let isFolder = #expect(throws: ModelFormatError.self) {
            try WeightFile(contentsOf: folder.path)
        }
        #expect(isFolder?.code == .unknownFormat)
        #expect(isFolder?.message.contains("found a folder") == true)
        let isMissing = #expect(throws: ModelFormatError.self) {
            try WeightFile(contentsOf: folder.file("none.pth"))
        }
        #expect(isMissing?.code == .notFound)
    }

    @Test("that are TorchScript programs give the tensors of their modules")
    func torchScript() throws {
        let file = try WeightFile(contentsOf: Fixtures.weights("torchscript.pt"))
        #expect(file.container == .torchScript)
        let shapes = Dictionary(
            uniqueKeysWithValues: file.tensors.map { ($0.name, $0.tensor.shape) })
        // A convolution, whose attributes are typed lists as well.
        #expect(shapes == ["weight": [1, 1, 1, 1], "bias": [1]])
    }

    @Test("written as PyTorch does are read back, texts included")
    func written() throws {
        let folder = try TemporaryFolder()
        let tensors = [
            NamedTensor(
                name: "a", tensor: HostTensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])),
            NamedTensor(name: "b.c", tensor: HostTensor([0.5] as [Double], shape: [])),
            NamedTensor(name: "d", tensor: HostTensor([7, -300_000] as [Int32], shape: [2])),
            NamedTensor(name: "e", tensor: HostTensor([] as [Float], shape: [0, 4])),
        ]
        let metadata = ["title": "a \"name\"\n\té", "arch": "resnet50"]
        let path = folder.file("weights.pth")
        try PyTorchFile.write(tensors: tensors, metadata: metadata, to: path)
        let file = try WeightFile(contentsOf: path)
        #expect(file.container == .pytorchZip)
        #expect(file.metadata == metadata)
        #expect(file.tensors.map(\.name) == ["a", "b.c", "d", "e"])
        for (found, expected) in zip(file.tensors, tensors) {
            #expect(found.tensor.shape == expected.tensor.shape)
            #expect(found.tensor.elementType == expected.tensor.elementType)
            let isSame = found.tensor.memory.array == expected.tensor.memory.array
            #expect(isSame, "\(found.name)")
        }
        let twice = #expect(throws: ModelFormatError.self) {
            try PyTorchFile.write(tensors: [tensors[0], tensors[0]], to: path)
        }
        #expect(twice?.code == .malformed)
    }

    @Test("with an extra file of somebody else's by the name of ours are read all the same")
    func foreignMetadata() throws {
        let numbers = [1, 2, 3, 4, 5, 6].flatMap { littleEndian(Float($0).bitPattern) }
        func read(_ text: [UInt8]) throws -> WeightFile {
            let zip = ZipBuilder(entries: [
                .init("archive/data.pkl", Pickle.weights(Pickle.tensor())),
                .init("archive/data/0", numbers), .init("archive/extra/metadata.json", text),
            ]).build()
            return try WeightFile(reading: Memory(copying: zip), name: "model.pt")
        }
        let mixed = try read(
            Array(#"{"classes": [1, ["a"]], "title": "x", "n": {"m": null}, "é": 1}"#.utf8))
        #expect(mixed.metadata == ["title": "x"])
        #expect(mixed.notes == [])
        let broken: [[UInt8]] = [
            Array(#"{"a": "#.utf8), Array(#"["a"]"#.utf8), [],
            Array(#"{"a": ""#.utf8) + [0xFF, 0x22, 0x7D],
        ]
        for text in broken {
            let file = try read(text)
            #expect(file.metadata == [:])
            #expect(file.notes == ["extra/metadata.json is no JSON object and was passed over"])
            #expect(file.tensors.count == 1)
        }
    }

    @Test("packed in a zip file are refused with the packed names")
    func packed() {
        let zip = ZipBuilder(entries: [.init("nvidia_resnet50.pth.tar", [1, 2, 3])]).build()
        let error = #expect(throws: ModelFormatError.self) {
            try WeightFile(reading: Memory(copying: zip), name: "download.zip")
        }
        #expect(error?.code == .missingEntry)
        #expect(error?.message.contains("nvidia_resnet50.pth.tar") == true)
    }
}
