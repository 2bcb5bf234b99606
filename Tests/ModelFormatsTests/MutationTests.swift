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
        ("NumPy", ["2x3.npy", "scalar.npy"]),
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

    /// Flips bits, cuts, repeats, or writes extreme numbers where lengths may stand.
    private func mutate(_ file: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
        var bytes = file
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 3:
                let extremes: [UInt64] = [0, 1, 0x7F, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 63, .max]
                let extreme = littleEndian(extremes.randomElement(using: &generator) ?? 0)
                let width = [1, 2, 4, 8].randomElement(using: &generator) ?? 8
                for index in 0..<min(width, bytes.count - place) {
                    bytes[place + index] = extreme[index]
                }
            case 4:
                let end = min(bytes.count, place + Int.random(in: 1...16, using: &generator))
                bytes.removeSubrange(place..<end)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...16, using: &generator))
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            }
        }
        return bytes
    }
}
