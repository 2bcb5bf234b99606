import Foundation
import ModelFormats
import Native
import Tensors
import TestSupport
import Testing

/// Files that TensorFlow itself wrote: see `Scripts/fixtures/tensorflow_files.py`.
@Suite("Files of TensorFlow")
struct TensorFlowFileTests {
    private static func path(_ name: String) -> String { "\(Fixtures.folder)/tensorflow/\(name)" }

    private struct Expected {
        var file: String
        var name: String
        var elementType: String
        var shape: [Int]
        var values: [Double]
    }

    private static func expected() throws -> [Expected] {
        try Fixtures.table("tensorflow.tsv").map { row in
            Expected(
                file: row[0], name: row[1], elementType: row[2],
                shape: row[3].split(separator: ",").compactMap { Int($0) },
                values: row[4].split(separator: " ").compactMap { Double($0) })
        }
    }

    @Test(
        "hold what TensorFlow put there",
        arguments: ["types", "network", "final-conv", "sharded", "objects", "snappy"])
    func values(name: String) throws {
        let file = try WeightFile(contentsOf: Self.path(name))
        #expect(file.container == .tensorFlowCheckpoint)
        let expected = try Self.expected().filter { $0.file == name }
        #expect(!expected.isEmpty)
        #expect(Set(file.tensors.map(\.name)) == Set(expected.map(\.name)))
        for row in expected {
            let tensor = try #require(file.tensors.first { $0.name == row.name }).tensor
            #expect(tensor.elementType.rawValue == row.elementType, "\(row.name)")
            #expect(tensor.shape.dimensions == row.shape, "\(row.name)")
            if name == "objects" {
                // Sums that are rounded once more.
                let differences = zip(tensor.doubles(), row.values).map { abs($0 - $1) }
                #expect((differences.max() ?? 1) < 1e-6)
            } else {
                #expect(tensor.doubles() == row.values, "\(row.name)")
            }
        }
    }

    @Test("say how a network of NVIDIA's is to be used")
    func nvidia() throws {
        let file = try WeightFile(contentsOf: Self.path("network"))
        #expect(file.metadata["padding"] == "tensorflow")
        #expect(file.metadata["variant"] == "v1.5")
        let mean = (file.metadata["mean"] ?? "").split(separator: ",").compactMap { Double($0) }
        #expect(mean.map { $0 * 255 } == [123.68, 116.28, 103.53])
        // Only networks of 1,001 classes have one that is none of ImageNet's.
        #expect(file.metadata["class_offset"] == nil)
        #expect(file.notes.contains { $0.hasPrefix("2 variables of no use outside training") })
    }

    @Test("refuse tensors in pieces, missing averages, and files that are not there")
    func refusals() throws {
        let folder = try TemporaryFolder()
        func failure(_ path: String, _ selection: WeightFile.Selection = .default)
            -> ModelFormatError.Code?
        {
            do throws(ModelFormatError) {
                _ = try WeightFile(contentsOf: path, selection: selection)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(failure(Self.path("partitioned")) == .unsupported)
        #expect(failure(Self.path("network"), .ema) == .noWeights)
        #expect(failure("\(Fixtures.folder)/tensorflow") == .noWeights)
        #expect(failure(folder.path) == .unknownFormat)

        let index = try Fixtures.bytes(Self.path("network.index"))
        let elements = try Fixtures.bytes(Self.path("network.data-00000-of-00001"))
        _ = try folder.write(index, to: "a.index")
        #expect(failure(folder.file("a")) == .missingEntry)
        let data = try folder.write(elements, to: "a.data-00000-of-00001")
        #expect(failure(folder.file("a")) == nil)
        #expect(failure(folder.path) == nil)
        _ = try folder.write(Array(elements.dropLast()), to: "a.data-00000-of-00001")
        #expect(failure(folder.file("a")) == .sizeMismatch)
        var damaged = elements
        damaged[elements.count - 3] ^= 1
        _ = try folder.write(damaged, to: "a.data-00000-of-00001")
        #expect(failure(folder.file("a")) == .checksumMismatch)
        // What the index leads to is not fetched from elsewhere.
        try FileManager.default.removeItem(atPath: data)
        try FileManager.default.createSymbolicLink(
            atPath: data, withDestinationPath: Self.path("network.data-00000-of-00001"))
        #expect(failure(folder.file("a")) == .forbidden)
        try FileManager.default.removeItem(atPath: data)
        let other = try folder.write(elements, to: "other")
        try FileManager.default.linkItem(atPath: other, toPath: data)
        #expect(failure(folder.file("a")) == .forbidden)

        let saved = folder.file("saved")
        try FileManager.default.createDirectory(
            atPath: saved, withIntermediateDirectories: false)
        _ = try folder.write(
            try Fixtures.bytes(Self.path("same.saved_model.pb")), to: "saved/saved_model.pb")
        #expect(failure(saved) == .missingEntry)
        try FileManager.default.createSymbolicLink(
            atPath: saved + "/variables", withDestinationPath: folder.path)
        #expect(failure(saved) == .forbidden)
    }

    @Test("behind links are read where they were named, and refused where their folder was")
    func links() throws {
        let files = FileManager.default
        func failure(_ path: String) -> ModelFormatError.Code? {
            do throws(ModelFormatError) {
                _ = try WeightFile(contentsOf: path)
                return nil
            } catch {
                return error.code
            }
        }
        let outside = try TemporaryFolder()
        let index = try outside.write(
            Fixtures.bytes(Self.path("network.index")), to: "network.index")
        let graph = try outside.write(
            Fixtures.bytes(Self.path("same.saved_model.pb")), to: "saved_model.pb")
        for isHard in [true, false] {
            func link(_ path: String, to target: String) throws {
                if isHard {
                    try files.linkItem(atPath: target, toPath: path)
                } else {
                    try files.createSymbolicLink(atPath: path, withDestinationPath: target)
                }
            }
            let checkpoint = try TemporaryFolder()
            _ = try checkpoint.write(
                Fixtures.bytes(Self.path("network.data-00000-of-00001")),
                to: "m.data-00000-of-00001")
            try link(checkpoint.file("m.index"), to: index)
            #expect(failure(checkpoint.path) == .forbidden)
            if isHard {
                #expect(failure(checkpoint.file("m")) == .forbidden)
                #expect(failure(checkpoint.file("m.data-00000-of-00001")) == .forbidden)
                #expect(failure(checkpoint.file("m.index")) == nil)
            }
            let saved = try TemporaryFolder()
            try link(saved.file("saved_model.pb"), to: graph)
            #expect(failure(saved.path) == .forbidden)
            // Named, it is read, and its variables are missed.
            if isHard { #expect(failure(saved.file("saved_model.pb")) == .missingEntry) }
        }
    }

    @Test("of graphs: strides and padding of convolutions")
    func graphs() throws {
        let same = try SavedModelGraph(
            Memory(mapping: Self.path("same.saved_model.pb")), name: "same")
        #expect(same.facts == ["variant": "v1.5", "padding": "tensorflow"])
        let own = try SavedModelGraph(
            Memory(mapping: Self.path("own.saved_model.pb")), name: "own")
        #expect(own.facts == ["variant": "v1", "padding": "symmetric"])
    }

    /// The one block of a table, as it stands in the file.
    private static func block(of table: [UInt8]) -> [UInt8] {
        // The end says where what is behind the block begins, in a number of two bytes here.
        let end = Array(table.suffix(48))
        let next = Int(end[0] & 0x7F) | Int(end[1]) << 7
        return Array(table.prefix(next - 5))
    }

    @Test("throw, whatever is broken")
    func broken() throws {
        let index = try Fixtures.bytes(Self.path("network.index"))
        let snappy = try Fixtures.bytes(Self.path("snappy.index"))
        let elements = Memory(
            copying: try Fixtures.bytes(Self.path("network.data-00000-of-00001")))
        let graph = try Fixtures.bytes(Self.path("same.saved_model.pb"))
        var generator = SplitMix(seed: 41)
        var readCount = 0
        for file in [index, snappy] {
            for length in 0..<min(512, file.count) {
                let part = Memory(copying: Array(file.prefix(length)))
                #expect(throws: ModelFormatError.self) {
                    try tensorFlowNetwork(index: part, elements: elements, name: "broken")
                }
            }
        }
        for length in 0..<min(512, graph.count) {
            let part = Memory(copying: Array(graph.prefix(length)))
            #expect(throws: ModelFormatError.self) { try SavedModelGraph(part, name: "broken") }
        }
        // Blocks and entries are broken behind checksums that are right, else these would be all that is tested.
        let (block, compressed) = (Self.block(of: index), Self.block(of: snappy))
        let plain = SortedTable.encode(block: block, compression: 0)
        let framed = try SortedTable(Memory(copying: plain), name: "plain").entries
        let entries = try SortedTable(Memory(copying: index), name: "index").entries
        #expect(framed == entries)
        let whole = SortedTable.encode(block: compressed, compression: 1)
        let unpacked = try SortedTable(Memory(copying: whole), name: "whole").entries
        #expect(unpacked.count > 1)
        for round in 0..<10_000 {
            let file: [UInt8]
            switch round % 4 {
            case 0: file = mutate(index, &generator)
            case 1:
                file = SortedTable.encode(block: mutate(block, &generator), compression: 0)
            case 2:
                file = SortedTable.encode(block: mutate(compressed, &generator), compression: 1)
            default:
                var changed = entries
                let place = Int.random(in: 0..<entries.count, using: &generator)
                changed[place] = SortedTable.Entry(
                    key: entries[place].key, value: mutate(entries[place].value, &generator))
                file = SortedTable.encode(changed)
            }
            let found = try? tensorFlowNetwork(
                index: Memory(copying: file), elements: elements, name: "broken")
            if found != nil { readCount += 1 }
        }
        #expect(readCount > 0)
        #expect(readCount < 7500)
        readCount = 0
        for _ in 0..<10_000 {
            let file = Memory(copying: mutate(graph, &generator))
            if (try? SavedModelGraph(file, name: "broken")) != nil { readCount += 1 }
        }
        #expect(readCount > 0)
        #expect(readCount < 10_000)
    }
}
