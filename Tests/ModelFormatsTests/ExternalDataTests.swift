import Foundation
import ModelFormats
import Native
import SwiftProtobuf
import Tensors
import TestSupport
import Testing

@Suite("External data")
struct ExternalDataTests {
    /// A folder with the fixture's model and data; the data's name, place and length can be others.
    private static func folder(
        location: String = "external.bin", offset: String? = nil, byteCount: String? = nil
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        var model = try ONNXTests.model("external")
        for tensor in model.graph[0].initializer.indices {
            for entry in model.graph[0].initializer[tensor].externalData.indices {
                let key = model.graph[0].initializer[tensor].externalData[entry].key
                let changed = ["location": location, "offset": offset, "length": byteCount][key]
                if let value = changed ?? nil {
                    model.graph[0].initializer[tensor].externalData[entry].value = value
                }
            }
        }
        _ = try folder.write(model.serializedBytes(), to: "model.onnx")
        _ = try folder.write(
            Fixtures.bytes(ONNXTests.path("external.bin")), to: "external.bin")
        return folder
    }

    private static func failure(_ folder: TemporaryFolder) -> ModelFormatError? {
        do throws(ModelFormatError) {
            _ = try WeightFile(contentsOf: folder.file("model.onnx"))
            return nil
        } catch {
            return error
        }
    }

    @Test("in the model's folder, or below it, is read")
    func safe() throws {
        #expect(Self.failure(try Self.folder()) == nil)
        let folder = try Self.folder(location: "a/b/data.bin")
        try FileManager.default.createDirectory(
            atPath: folder.file("a/b"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(
            atPath: folder.file("external.bin"), toPath: folder.file("a/b/data.bin"))
        #expect(Self.failure(folder) == nil)
    }

    @Test(
        "by an absolute path, upwards, or by a name that is none is refused",
        arguments: [
            "/etc/passwd", "../external.bin", "a/../external.bin", "..", ".", "", "a//b",
            "./external.bin",
            "external.bin/", "external\u{0}.bin", String(repeating: "a", count: 5000),
        ])
    func unsafePaths(location: String) throws {
        let folder = try Self.folder(location: location)
        let error = try #require(Self.failure(folder))
        #expect(error.code == .forbidden, "\(error.message)")
    }

    @Test("behind a link, symbolic or hard, to a file or a folder, is refused")
    func links() throws {
        let files = FileManager.default
        let symbolic = try Self.folder(location: "link.bin")
        try files.createSymbolicLink(
            atPath: symbolic.file("link.bin"), withDestinationPath: "external.bin")
        #expect(Self.failure(symbolic)?.code == .forbidden)

        let inFolder = try Self.folder(location: "link/external.bin")
        try files.createSymbolicLink(atPath: inFolder.file("link"), withDestinationPath: ".")
        #expect(Self.failure(inFolder)?.code == .forbidden)

        let hard = try Self.folder(location: "hard.bin")
        try files.linkItem(atPath: hard.file("external.bin"), toPath: hard.file("hard.bin"))
        #expect(Self.failure(hard)?.code == .forbidden)
    }

    @Test("of a large classifier is turned, though the model beside it is small")
    func largeClassifier() throws {
        let folder = try Self.folder()
        var model = try ONNXTests.model("external")
        var graph = try #require(model.graph.first)
        let place = try #require(graph.node.firstIndex { $0.opType == "Gemm" })
        let (classCount, featureCount) = (100_000, 12)
        var gemm = ONNXTests.node("Gemm", [graph.node[place].input[0], "large"], "logits")
        gemm.output = graph.node[place].output
        graph.node[place] = gemm
        var weight = ONNXTensorProto()
        weight.name = "large"
        weight.dataType = 1
        weight.dims = [Int64(featureCount), Int64(classCount)]
        weight.dataLocation = .external
        weight.externalData = [ONNXStringStringEntryProto()]
        weight.externalData[0].key = "location"
        weight.externalData[0].value = "large.bin"
        graph.initializer.append(weight)
        model.graph = [graph]
        _ = try folder.write(model.serializedBytes(), to: "model.onnx")
        _ = try folder.write(
            [UInt8](repeating: 0, count: 4 * classCount * featureCount), to: "large.bin")
        let file = try WeightFile(contentsOf: folder.file("model.onnx"))
        let found = file.tensors.first { $0.name == "fc.weight" }?.tensor.shape
        #expect(found == [classCount, featureCount])
    }

    @Test("that is missing, a folder, or too short is told apart")
    func others() throws {
        #expect(Self.failure(try Self.folder(location: "none.bin"))?.code == .missingEntry)
        let folder = try Self.folder(location: "folder")
        try FileManager.default.createDirectory(
            atPath: folder.file("folder"), withIntermediateDirectories: false)
        #expect(Self.failure(folder)?.code == .inputOutput)
        for offset in ["7780", "9223372036854775807"] {
            #expect(Self.failure(try Self.folder(offset: offset))?.code == .sizeMismatch)
        }
        for number in ["-1", "", "x", "9223372036854775808"] {
            #expect(Self.failure(try Self.folder(offset: number))?.code == .malformed)
            #expect(Self.failure(try Self.folder(byteCount: number))?.code == .malformed)
        }
        #expect(
            Self.failure(try Self.folder(byteCount: "9223372036854775807"))?.code == .sizeMismatch)
    }
}
