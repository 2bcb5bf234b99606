import ModelFormats
import Native
import Tensors
import Testing

@Suite("Broken files")
struct MutationTests {
    /// Files per parser.
    private static let count = 10_000

    private static let families: [(name: String, files: [String])] = [
        ("safetensors", ["plain.safetensors", "types.safetensors"]),
        ("zip", ["zip.pth", "zip-deflated.pth", "zip-streamed.pth", "views.pth"]),
        (
            "legacy",
            ["legacy.pth", "types-legacy.pth", "views-legacy.pth", "legacy-protocol-4.pth"]
        ),
        ("tar", ["tar.pth"]),
        ("TorchScript", ["torchscript.pt"]),
        ("NumPy", ["2x3.npy", "scalar.npy"]),
        (
            "ONNX",
            [
                "../onnx/torchvision.onnx", "../onnx/folded.onnx", "../onnx/tensorflow.onnx",
                "../onnx/half.onnx",
            ]
        ),
    ]

    @Test("throw, whatever is broken", arguments: families.map(\.name))
    func broken(family: String) throws {
        let names = try #require(Self.families.first { $0.name == family }).files
        let files = try names.map { try Fixtures.bytes(Fixtures.weights($0)) }
        var generator = SplitMix(seed: 2026)
        var readCount = 0
        for file in files {
            for length in 0..<min(512, file.count) where read(Array(file.prefix(length)), family) {
                readCount += 1
            }
        }
        for index in 0..<Self.count {
            let mutated = mutate(files[index % files.count], &generator)
            if read(mutated, family) { readCount += 1 }
        }
        // Some changes hit padding or elements; a reader that refused everything would prove nothing.
        #expect(readCount > 0)
        #expect(readCount < Self.count)
    }

    @Test("throw, whatever is broken in a pickle whose archive is correct")
    func brokenPickle() throws {
        let pickles = [
            Pickle.weights(Pickle.tensor()),
            Pickle.weights(Pickle.tensor(sizes: [3, 2], strides: [1, 3])),
            bytes(
                Pickle.proto, Pickle.call("collections", "OrderedDict"), Pickle.mark,
                Pickle.text("state_dict"), Pickle.emptyDictionary, Pickle.text("fc.bias"),
                Pickle.put(1), Pickle.tensor(), Pickle.put(2), Pickle.setItem, Pickle.text("args"),
                Pickle.call("argparse", "Namespace"), Pickle.emptyDictionary, Pickle.get(1),
                Pickle.get(2), Pickle.setItem, Pickle.build, Pickle.setItems, Pickle.stop),
        ]
        var generator = SplitMix(seed: 7)
        var readCount = 0
        for index in 0..<Self.count {
            let pickle = mutate(pickles[index % pickles.count], &generator)
            if read(Pickle.file(pickle), "zip") { readCount += 1 }
        }
        #expect(readCount > 0)
        #expect(readCount < Self.count)
    }

    /// Reads a file and everything in it; whether that succeeded.
    private func read(_ bytes: [UInt8], _ family: String) -> Bool {
        let memory = Memory(copying: bytes)
        if family == "NumPy" {
            guard let tensor = try? NumPyFile.read(memory, name: "broken") else { return false }
            return tensor.floats().count == tensor.shape.elementCount
        }
        var found = false
        for selection in WeightFile.Selection.allCases {
            guard
                let file = try? WeightFile(
                    reading: memory, name: "broken", selection: selection)
            else { continue }
            let expected = file.tensors.map { (name: $0.name, shape: $0.tensor.shape) }
            let (parameters, report) = load(file, expecting: expected)
            found =
                report.missing.isEmpty
                && parameters.values.allSatisfy { $0.floats().count == $0.shape.elementCount }
        }
        return found
    }
}
