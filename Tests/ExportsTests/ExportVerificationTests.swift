import Exports
import Inference
import Native
import ResNetModel
import Tensors
import TestSupport
import Testing

@Suite("Verification of exports")
struct ExportVerificationTests {
    private static func model(
        _ architecture: ResNetArchitecture = ResNetArchitecture(depth: .resNet18, classCount: 10)
    ) throws -> LoadedModel {
        try LoadedModel(
            architecture: architecture, parameters: architecture.initialParameters(seed: 5))
    }

    private static func export(
        _ model: LoadedModel, to path: String, isHalf: Bool = false
    ) throws {
        var options = ExportOptions()
        options.imageSize = 64
        options.isHalf = isHalf
        _ = try ExportFormat.onnx.export(model, to: path, options: options)
    }

    @Test("finds nothing wrong with a whole file", arguments: [false, true])
    func whole(isHalf: Bool) throws {
        let folder = try TemporaryFolder()
        let model = try Self.model()
        let path = folder.file("a.onnx")
        try Self.export(model, to: path, isHalf: isHalf)
        let verification = try ExportVerification(
            of: model, at: path, imageSize: 64, isHalf: isHalf, pictureCount: 2)
        #expect(verification.problem == nil)
        #expect((verification.largestDifference == 0) == !isHalf)
    }

    @Test("sees one byte of one weight")
    func flipped() throws {
        let folder = try TemporaryFolder()
        let model = try Self.model()
        let path = folder.file("a.onnx")
        try Self.export(model, to: path)
        var bytes = try Memory(mapping: path).array
        // The initialiser's name is the last; then come a key, the length and the elements.
        let name = Array("fc.weight".utf8)
        let found = bytes.indices.dropLast(name.count).last { start in
            bytes[start..<start + name.count] == name[...]
        }
        let start = try #require(found)
        var place = start + name.count + 1
        while bytes[place] >= 0x80 { place += 1 }
        // The exponent of the first element.
        bytes[place + 4] ^= 0x40
        let broken = try folder.write(bytes, to: "broken.onnx")
        let verification = try ExportVerification(
            of: model, at: broken, imageSize: 64, pictureCount: 2)
        #expect(verification.largestDifference > 0)
        #expect(verification.identicalTensorCount == verification.tensorCount - 1)
        #expect(verification.problem != nil)
    }

    @Test("refuses another network, and says in what it differs")
    func others() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.onnx")
        try Self.export(try Self.model(), to: path)
        let other = try Self.model(
            ResNetArchitecture(depth: .resNet18, classCount: 10, padding: .tensorFlow))
        let error = #expect(throws: ExportError.self) {
            try ExportVerification(of: other, at: path, imageSize: 64, pictureCount: 1)
        }
        #expect(error?.code == .notRepresentable)
        #expect(error?.message.contains("padding tensorflow and symmetric") == true)
        // Without bottlenecks both variants are the same network.
        let same = try Self.model(
            ResNetArchitecture(depth: .resNet18, variant: .v1, classCount: 10))
        let verification = try ExportVerification(
            of: same, at: path, imageSize: 64, pictureCount: 1)
        #expect(verification.problem == nil)
    }
}
